"""Opposites: more and less, better and worse, and groups of words, read from ``antonyms.txt``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from rag.text import stem

_NEGATING = ("un", "in", "im", "ir", "il", "dis", "non", "de")  # consistent, inconsistent
Group = tuple[frozenset[str], frozenset[str]]  # stems, and those of their opposites


def opposite(one: str, other: str) -> bool:
    """Whether two stems are opposites."""
    if other in _antonyms().get(one, frozenset()):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and any(long == prefix + short for prefix in _NEGATING)


def opposites(one: str) -> frozenset[str]:
    """Stems that are listed as opposites of a stem."""
    return _antonyms().get(one, frozenset())


def same_way(one: str, other: str) -> bool:
    """Whether two stems point the same way: the same word, or both for more or better, or both for less or worse."""
    return one == other or way(one) * way(other) > 0


def way(quality: str) -> int:
    """1 for more or better, -1 for less or worse, 0 for what is on neither scale."""
    scales = _groups()[:2]
    return any(quality in up for up, _ in scales) - any(quality in down for _, down in scales)


def graded(word: str) -> bool:
    """Whether a stem is that of an adjective in the comparative, as far as its opposite is known: "faster"."""
    return word.endswith("er") and word in _antonyms()


@cache
def _groups() -> tuple[Group, ...]:
    lines = files("rag.verify").joinpath("antonyms.txt").read_text(encoding="utf-8").splitlines()
    sides = (line.split("|") for line in lines if not line.startswith("#"))
    return tuple((_stems(left), _stems(right)) for left, right in sides)


def _stems(side: str) -> frozenset[str]:
    return frozenset(stem(form) for word in side.split() for form in (word, _comparative(word)))


def _comparative(word: str) -> str:
    return f"{word.removesuffix('e').removesuffix('y')}{'i' if word.endswith('y') else ''}er"


@cache
def _antonyms() -> Mapping[str, frozenset[str]]:
    """Stem → stems of its opposites."""
    found: dict[str, set[str]] = {}
    for left, right in _groups():
        for one, others in (*((one, right) for one in left), *((one, left) for one in right)):
            found.setdefault(one, set()).update(others)
    return {one: frozenset(others) for one, others in found.items()}
