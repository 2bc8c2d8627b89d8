"""Which questions are the same: near-duplicates become one need, asked in several wordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.text import content_stems

ALIKE = 0.9  # cosine from which two wordings are one state; paraphrases that lie further apart stay two
CHARS = 1_000
BLOCK = 1_024  # rows compared at a time


@dataclass(frozen=True, slots=True)
class Needs:
    """Distinct wordings grouped into needs."""

    texts: tuple[str, ...]
    of: Mapping[str, int]  # text → number of its need
    members: tuple[tuple[str, ...], ...]  # by need, the wording that was asked most first


def group(counted: Mapping[str, int], vectors: NDArray[np.float32]) -> Needs:
    """Group wordings. counted: text → how often it was asked, in the order of the rows of ``vectors`` (unit length).

    The most asked wording that is like enough to one asked less takes it in; nothing is chained from one to the next.
    """
    texts = tuple(counted)
    order = sorted(range(len(texts)), key=lambda i: (-counted[texts[i]], texts[i]))
    same_words: dict[tuple[str, ...], int] = {}
    leader = np.full(len(texts), -1)
    for i in order:  # the same words in another order or with other function words
        stems = tuple(sorted(content_stems(texts[i][:CHARS])))
        leader[i] = same_words.setdefault(stems, i) if stems else i
    leaders = [i for i in order if leader[i] == i]
    taken = _taken(vectors[leaders])
    for place, by in enumerate(taken):
        leader[leaders[place]] = leaders[by]
    leader = leader[leader]  # one step suffices: whoever takes in is not taken in
    number = {head: n for n, head in enumerate(dict.fromkeys(int(leader[i]) for i in order))}
    members: list[list[str]] = [[] for _ in number]
    for i in order:
        members[number[int(leader[i])]].append(texts[i])
    return Needs(
        texts, {texts[i]: number[int(leader[i])] for i in range(len(texts))}, tuple(tuple(one) for one in members)
    )


def _taken(vectors: NDArray[np.float32]) -> Sequence[int]:
    """For each row, the first earlier row that is alike and not itself taken; itself if there is none."""
    taken = np.arange(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        close = block @ vectors[: start + len(block)].T >= ALIKE
        for row in range(len(block)):
            earlier = np.flatnonzero(close[row, : start + row])
            free = earlier[taken[earlier] == earlier]
            if free.size:
                taken[start + row] = free[0]
    return [int(one) for one in taken]
