"""The text of an answer as HTML: paragraphs and lists, links to evidence, marks on what is not supported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from rag.answer.respond import MARK
from rag.types import Answer, Sentence
from ui.page.markup import Html, el, join, with_markers

Block = tuple[str, list[Html]]  # "p" or "li", or the class of a paragraph, and what is in it


def marked_up(turn: int, answer: Answer) -> Html:
    """The whole answer. An answer without sentences, e.g. one that was stopped, is plain text."""
    return _laid_out(_blocks(turn, answer)) if answer.sentences else plain_text(answer.text)


def plain_text(text: str) -> Html:
    """Running text; its markers are not links yet."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _laid_out(
        ("li" if line.startswith("- ") else "p", [with_markers(line.removeprefix("- "), 0, ())]) for line in lines
    )


def _blocks(turn: int, answer: Answer) -> list[Block]:
    titles = {citation.marker: citation.title for citation in answer.citations}
    if answer.mode == "extractive":
        return [block for sentence in answer.sentences for block in _quoted(turn, sentence, titles)]
    blocks: list[Block] = []
    for sentence, joint in _with_joints(answer):
        item = sentence.text.startswith("- ")
        if not blocks or item or "\n" in joint:
            blocks.append(("li" if item else "p", []))
        blocks[-1][1].append(_sentence(turn, sentence, titles))
    return blocks


def _quoted(turn: int, sentence: Sentence, titles: dict[int, str]) -> Iterator[Block]:
    """A sentence that is a quote: the paper that it is from stands above it, as in a list of notes."""
    text = sentence.text
    for title in (titles[marker] for marker in sentence.citations if marker in titles):
        for lead in (f"From “{title}”: ", f"- {title}: "):
            if text.startswith(lead):
                text = text.removeprefix(lead)
                yield "source", [el("cite", title, dir="auto")]
    known = [marker for marker in sentence.citations if marker in titles]
    body = with_markers(text, turn, known)
    yield "quoted", [el("span", body, cls="said", data_leans=" ".join(map(str, known)))]


def _with_joints(answer: Answer) -> Iterator[tuple[Sentence, str]]:
    """Each sentence with the white space before it in the text: that is where its paragraphs are."""
    place = 0
    for sentence in answer.sentences:
        found = answer.text.find(sentence.text, place)
        yield sentence, answer.text[place:found] if found >= 0 else "\n\n"
        place = found + len(sentence.text) if found >= 0 else place


def _sentence(turn: int, sentence: Sentence, titles: dict[int, str]) -> Html:
    known = [marker for marker in sentence.citations if marker in titles]
    text = sentence.text.removeprefix("- ").removesuffix(MARK)
    body = with_markers(text, turn, known, [titles[marker] for marker in known])
    leans = " ".join(map(str, known))
    if sentence.supported:
        return el("span", body, cls="said", data_leans=leans)
    flag = el("span", MARK.strip(" ()"), cls="flag")
    return join(el("span", body, cls="said unsupported", data_leans=leans), " ", flag)


def _laid_out(blocks: Iterable[Block]) -> Html:
    parts: list[Html] = []
    for tag, group in groupby(blocks, key=lambda block: block[0]):
        bodies = [join(*_spaced(spans)) for _, spans in group]
        if tag == "li":
            parts.append(el("ul", [el("li", body) for body in bodies]))
        else:
            parts += [el("p", body, cls=None if tag == "p" else tag) for body in bodies]
    return join(parts)


def _spaced(spans: list[Html]) -> Iterator[str]:
    for place, span in enumerate(spans):
        if place:
            yield " "
        yield span
