"""Paper → passages: whole sentences, packed up to a token budget by LlamaIndex's splitter."""

from __future__ import annotations

from collections.abc import Callable

from rag.text import sentences
from rag.types import Paper, Passage

CHUNKER = "sentences-1"  # goes into the manifest: change it when the same paper would be cut differently


def passages_of(paper: Paper, max_tokens: int, count_tokens: Callable[[str], int]) -> list[Passage]:
    """Cut one abstract into passages of at most max_tokens tokens, never inside a sentence.

    An abstract that fits is one passage. A single sentence longer than max_tokens stays whole, and is then the only
    thing longer than the budget. The passages are in order, do not overlap, and hold every sentence.
    """
    abstract = paper.abstract
    if count_tokens(abstract) <= max_tokens:
        return [Passage(paper.id, paper.title, 0, abstract)]
    return [
        Passage(paper.id, paper.title, start, abstract[start:end])
        for start, end in _pack(abstract, max_tokens, count_tokens)
    ]


def _pack(text: str, max_tokens: int, count_tokens: Callable[[str], int]) -> list[tuple[int, int]]:
    from llama_index.core.node_parser import SentenceSplitter

    spans = sentences(text)
    pieces = [
        text[span.start : following]
        for span, following in zip(spans, [*(s.start for s in spans[1:]), len(text)], strict=True)
    ]
    longest = max(count_tokens(piece) for piece in pieces)
    splitter = SentenceSplitter(
        # the splitter cuts a sentence above its budget into words; raising the budget keeps it whole
        chunk_size=max(max_tokens, longest),
        chunk_overlap=0,
        tokenizer=lambda piece: [0] * count_tokens(piece),  # it only takes the length
        chunking_tokenizer_fn=lambda _: pieces,
        paragraph_separator="\x00",  # an abstract is one paragraph
    )
    found, cursor = [], 0
    for chunk in splitter.split_text(text):
        start = text.index(chunk, cursor)  # the splitter strips white space but changes nothing else
        cursor = start + len(chunk)
        found.append((start, cursor))
    return found
