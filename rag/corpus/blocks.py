"""Cutting a text of many-line records into one block per record, so that one bad record spoils no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines that hold one record."""

    line: int  # of the first one, from 1
    last_line: int
    text: str


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Every line with its number, from 1. No list of millions of them is made."""
    start = number = 0
    while True:
        number += 1
        end = text.find("\n", start)
        if end < 0:
            yield number, text[start:]
            return
        yield number, text[start:end]
        start = end + 1


def split(text: str, begins: re.Pattern[str]) -> Iterator[Block]:
    """One block per line that `begins` matches, up to the next such line. What comes before the first is left out."""
    start = 0
    collected: list[str] = []
    for number, line in lines(text):
        if begins.match(line):
            if start:
                yield Block(start, number - 1, "\n".join(collected))
            start, collected = number, []
        if start:
            collected.append(line)
    if start:
        while len(collected) > 1 and not collected[-1].strip():
            collected.pop()
        yield Block(start, start + len(collected) - 1, "\n".join(collected))
