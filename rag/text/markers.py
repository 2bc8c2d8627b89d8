"""The [n] markers by which an answer cites its passages."""

from __future__ import annotations

import re

MAX_MARKER = 999  # passages are numbered from 1 and never so many; "[2024]" is a year
MARKER = re.compile(r" ?\[\s{0,3}+\d{1,4}+(?:\s{0,3}+[,;–—-]\s{0,3}+\d{1,4}+){0,50}\s{0,3}+\]")
_PART = re.compile(r"(\d+)(?:\s*[–—-]\s*(\d+))?")
_BEFORE_MARK = re.compile(r" (?=[,;:!?]|\.(?!\d))")  # ".39" is a number and keeps its space


def marker_numbers(text: str) -> frozenset[int]:
    """The passages that a text's markers name: "[1][3, 5]" is {1, 3, 5}, "[2–4]" is {2, 3, 4}."""
    found: set[int] = set()
    for marker in MARKER.finditer(text):
        for part in _PART.finditer(marker[0]):
            first, last = int(part[1]), int(part[2] or part[1])
            found.update(range(first, min(last, MAX_MARKER) + 1) if first <= last else (first, last))
    return frozenset(found)


def without_markers(text: str) -> tuple[str, frozenset[int]]:
    """The text without its markers and without the gaps they leave, on one line; and the numbers they held."""
    bare = " ".join(MARKER.sub("", " ".join(text.split())).split())
    return _BEFORE_MARK.sub("", bare), marker_numbers(text)
