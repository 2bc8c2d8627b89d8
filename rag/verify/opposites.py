"""Opposites: more and less, better and worse, and pairs of words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from rag.text import stem

_MORE = (
    "increase rise raise grow growth gain boost amplify expand enlarge extend elevate heighten upregulate accumulate "
    "more larger higher greater bigger longer large high long"
)
_LESS = (
    "decrease drop lower less fewer smaller reduce reduction shrink decline fall cut diminish lessen shorten suppress "
    "downregulate attenuate deplete shorter low small short"
)
_BETTER = "improve improvement better enhance outperform surpass exceed superior strengthen benefit best favorable"
_WORSE = (
    "worsen worse degrade harm hurt deteriorate underperform inferior weaken impair worst damage ruin hinder undermine"
)
_SCALES = tuple(  # one thing, in two directions
    (frozenset(stem(word) for word in up.split()), frozenset(stem(word) for word in down.split()))
    for up, down in ((_MORE, _LESS), (_BETTER, _WORSE))
)
_NEGATING = ("un", "in", "im", "ir", "il", "dis", "non", "de")  # consistent, inconsistent


@cache
def _antonyms() -> Mapping[str, frozenset[str]]:
    """Stem → stems of its opposites."""
    found: dict[str, set[str]] = {}
    for line in files("rag.verify").joinpath("antonyms.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pair = line.split()
            for forms in (pair, [_comparative(word) for word in pair]):
                one, other = map(stem, forms)
                found.setdefault(one, set()).add(other)
                found.setdefault(other, set()).add(one)
    return {one: frozenset(others) for one, others in found.items()}


def _comparative(word: str) -> str:
    return f"{word.removesuffix('e').removesuffix('y')}{'i' if word.endswith('y') else ''}er"


def opposite(one: str, other: str) -> bool:
    """Whether two stems are opposites."""
    if any((one in up and other in down) or (one in down and other in up) for up, down in _SCALES):
        return True
    if other in _antonyms().get(one, frozenset()):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and any(long == prefix + short for prefix in _NEGATING)


def same_way(one: str, other: str) -> bool:
    """Whether two stems point the same way: the same word, or both for more or better, or both for less or worse."""
    return one == other or way(one) * way(other) > 0


def way(quality: str) -> int:
    """1 for more or better, -1 for less or worse, 0 for what is on no scale."""
    up = any(quality in more for more, _ in _SCALES)
    down = any(quality in less for _, less in _SCALES)
    return up - down
