"""Sentences as the checks see them: words, the clauses that they stand in, and what is denied."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import content_stems

LONGEST = 1500  # characters of a sentence that are looked at
BREAKS = frozenset(", ; : ( ) — – . ! ? and but while whereas although though or despite yet which".split())
BE = frozenset("is are was were be been being".split())
DENIALS = frozenset(
    "not no never neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't couldn't "
    "hardly fail fails failed unable lack lacks lacking lacked miss misses missed nothing".split()
)
_TOKEN = re.compile(r"\d{1,20}+(?:[.,]\d{1,20}+){0,4}|[^\W_]{1,40}+(?:[-'’.][^\W_]{1,40}+){0,6}|[^\w\s]")
_MOST_TOKENS = 300


def tokens_of(text: str) -> list[str]:
    """Words, numbers and marks in order, case folded; of very long texts the beginning."""
    return [token.casefold().replace("’", "'") for token in _TOKEN.findall(text[:LONGEST])][:_MOST_TOKENS]


def clauses_of(tokens: Sequence[str], breaks: frozenset[str] = BREAKS) -> list[list[str]]:
    """The tokens between breaks; none of them empty."""
    found: list[list[str]] = [[]]
    for token in tokens:
        if token in breaks:
            found.append([])
        else:
            found[-1].append(token)
    return [clause for clause in found if clause]


def collect(tokens: Sequence[str], most: int) -> tuple[str, ...]:
    """Stems of the first content words up to a break of the clause; numbers left out."""
    found: list[str] = []
    for token in tokens:
        if token in BREAKS or len(found) >= most:
            break
        found += [] if token[0].isdigit() else content_stems(token)
    return tuple(found)
