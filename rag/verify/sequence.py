"""What comes first, and what becomes what?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.text import content_stems
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import BREAKS, tokens_of

_EARLIER = frozenset(
    "before then afterwards subsequently later finally followed".split()
)  # what stands left comes first
_LATER = frozenset("after following".split())
_FIRST = frozenset("first initially".split())
_ORDERED = _EARLIER | _LATER | _FIRST | {"next"}
_BECOMES = frozenset(("into",))
_REACH = 14  # words on each side
Sides = tuple[frozenset[str], frozenset[str]]


def reordered(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:  # noqa: ARG001
    """Two steps that the quote has in one order must not be in the other; nor what turns into what."""
    there = [pair for quote in quotes for pair in _steps(quote)]
    for early, late in _steps(sentence):
        straight = max((len(early & one) * len(late & other) for one, other in there), default=0)
        turned = max((len(early & other) * len(late & one) for one, other in there), default=0)
        if turned > straight:
            return "what it cites has them in another order"
    return ""


def _steps(text: str) -> Iterator[Sides]:
    """(stems of what is or comes first, stems of what it becomes or what comes later)."""
    tokens = tokens_of(text)
    for place, token in enumerate(tokens):
        before: Sequence[str] = tokens[max(0, place - _REACH) : place]
        after: Sequence[str] = tokens[place + 1 : place + 1 + _REACH]
        if token in ("before", "after", "following", "into"):
            before, after = _clause(before[::-1]), _clause(after)
        left, right = _stems(before), _stems(after)
        if token in _EARLIER | _BECOMES and left and right:
            yield left - right, right - left
        elif token in _LATER and left and right:
            yield right - left, left - right
        elif token in _FIRST and tokens[place - 1 : place] not in (["a"], ["the"], ["an"], ["its"]):  # "a first output"
            cut = next(
                (at for at in range(place + 2, len(tokens)) if tokens[at] in BREAKS or tokens[at] in _ORDERED), 0
            )
            if cut:
                head, tail = _stems(tokens[:cut]), _stems(tokens[cut : cut + 2 * _REACH])
                yield head - tail, tail - head


def _clause(tokens: Sequence[str]) -> Sequence[str]:
    end = next((at for at, token in enumerate(tokens) if token in BREAKS), len(tokens))
    return tokens[:end]


def _stems(tokens: Sequence[str]) -> frozenset[str]:
    return frozenset(one for token in tokens for one in content_stems(token))
