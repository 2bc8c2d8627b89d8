"""Does a number count what its papers count with it?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.text import STOP_WORDS, content_stems, stem
from rag.verify.anatomy import Anatomy
from rag.verify.quantities import Quantity, quantities, same_value
from rag.verify.roles import VERBS

_TOKEN = re.compile(r"[^\W\d_][\w-]{0,40}|[^\w\s]")
_MAGNITUDE = re.compile(r"^ ?(?:million|billion|thousand|[kKMB]\b)?")
_PHRASE = 4  # words behind a number among which stands what it counts
_AHEAD, _BEHIND = 60, 60  # characters of a paper around a number, in which it must stand
_ALIKE = 4  # letters in which "data" and "dataset" agree
_GROUPS = tuple(
    frozenset(map(stem, words.split()))
    for words in (
        "people persons individuals participants subjects adults patients volunteers infants men women children",
        "papers articles studies works publications",
        "kinds types sorts forms categories",
        "examples samples instances demonstrations",
        "methods approaches models techniques systems",
        "datasets benchmarks corpora collections sets",
        "stages steps phases rounds",
        "settings scenarios cases",
        "points percent percentage",
    )
)


def miscounted(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """The 34 of "34 sources" must count sources in a paper, too, where the number stands in one."""
    there = [
        (number.value, stems)
        for text in (*quotes, *(paper.text for paper in papers))
        for number, start, end in _placed(text)
        if (stems := frozenset(content_stems(text[max(0, start - _BEHIND) : end + _AHEAD])))
    ]
    for one, _, end in _placed(sentence):
        counted = _plural(sentence, end)
        if one.unit or not counted:
            continue
        near = [stems for value, stems in there if same_value(one.value, value)]
        if near and not any(_counts(counted, stems) for stems in near):
            return f"what it cites does not count {counted} there"
    return ""


def _placed(text: str) -> Iterator[tuple[Quantity, int, int]]:
    """The numbers of a text with their places."""
    place = 0
    for one in quantities(text):
        start = text.find(one.shown, place)
        if start >= 0:
            place = start + len(one.shown)
            yield one, start, place


def _plural(text: str, end: int) -> str:
    """The first word in the plural behind a number, if it counts one; else empty."""
    for token in _TOKEN.findall(_MAGNITUDE.sub("", text[end : end + _AHEAD], count=1))[:_PHRASE]:
        word = str(token).casefold()
        if not word[0].isalpha() or word in STOP_WORDS or not VERBS.isdisjoint(content_stems(word)):
            return ""
        if word.endswith("s") and not word.endswith("ss"):
            return word
    return ""


def _counts(counted: str, near: frozenset[str]) -> bool:
    stems = content_stems(counted)
    return not stems or any(
        one[:_ALIKE] == other[:_ALIKE] or any({one, other} <= group for group in _GROUPS)
        for one in stems
        for other in near
    )
