"""Paper → passages: whole sentences, packed up to a token budget by LlamaIndex's splitter."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

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
    spans = sentences(text)
    if not spans:  # white space only
        return [(0, len(text))]
    starts = [span.start for span in spans]
    edges = [*starts, len(text)]
    # the splitter would cut a sentence above the budget into words, so such a sentence never gets there
    too_long = [count_tokens(span.of(text)) > max_tokens for span in spans]
    found: list[tuple[int, int]] = []
    for alone, group in groupby(range(len(spans)), key=too_long.__getitem__):
        members = list(group)
        if alone:
            found.extend((spans[one].start, spans[one].end) for one in members)
        else:
            pieces = [text[edges[one] : edges[one + 1]] for one in members]
            found.extend(_pack_run(pieces, edges[members[0]], max_tokens, count_tokens))
    return found


def _pack_run(
    pieces: list[str], offset: int, max_tokens: int, count_tokens: Callable[[str], int]
) -> list[tuple[int, int]]:
    """Neighbouring sentences, each within the budget, as (start, end) of passages; offset: of the first sentence."""
    from llama_index.core.node_parser import SentenceSplitter

    text = "".join(pieces)

    def count(piece: str) -> int:
        found = count_tokens(piece)  # with the space behind it, so that a sum of pieces never counts too little
        return min(found, max_tokens) if piece in pieces else found

    splitter = SentenceSplitter(
        chunk_size=max_tokens,
        chunk_overlap=0,
        tokenizer=lambda piece: [0] * count(piece),  # it only takes the length
        chunking_tokenizer_fn=lambda _: pieces,
        paragraph_separator="\x00" * (len(text) + 1),  # an abstract is one paragraph
    )
    found, cursor = [], 0
    for chunk in splitter.split_text(text):
        start = text.index(chunk, cursor)  # the splitter strips white space but changes nothing else
        cursor = start + len(chunk)
        found.append((offset + start, offset + cursor))
    return found
