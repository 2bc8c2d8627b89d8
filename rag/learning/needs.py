"""Which questions are the same: near-duplicates, and wordings that people went between, become one need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.text import content_stems

SIMILAR = 0.9  # cosine from which two wordings are one state; paraphrases that lie further apart stay two
CHARS = 1_000
PEOPLE = 2.0  # who must have reworded one need as another before the two are one
LARGEST = 12  # needs that become one
AKIN = 0.5  # cosine of the centres from which two needs that the same paper answers are one
MOST = 200  # needs answered by one paper that are compared with each other
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
        close = block @ vectors[: start + len(block)].T >= SIMILAR
        for row in range(len(block)):
            earlier = np.flatnonzero(close[row, : start + row])
            free = earlier[taken[earlier] == earlier]
            if free.size:
                taken[start + row] = free[0]
    return [int(one) for one in taken]


def by_paper(
    needs: Needs, liked: Mapping[int, str], vectors: Mapping[str, NDArray[np.float32]]
) -> dict[tuple[int, int], float]:
    """Pairs of needs that one paper answers and that are worded enough alike, each with the weight of a link.

    liked: need → the paper that answers it for certain.
    """
    holders: dict[str, list[int]] = {}
    for need, paper in liked.items():
        holders.setdefault(paper, []).append(need)
    found = {}
    for same in holders.values():
        rows = np.stack([np.mean([vectors[text] for text in needs.members[need]], axis=0) for need in same[:MOST]])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        for i, j in zip(*np.nonzero(np.triu(rows @ rows.T >= AKIN, 1)), strict=True):
            found[min(same[i], same[j]), max(same[i], same[j])] = PEOPLE + float(rows[i] @ rows[j])
    return found


def merge(needs: Needs, links: Mapping[tuple[int, int], float]) -> Needs:
    """Needs that enough people went between in search of one thing become one.

    links: pairs of needs → people, weighed by their credit, who reworded one as the other. A need that is linked with
    very many others says nothing about them, and groups that grow too large are left as they were.
    """
    strong = [pair for pair, people in links.items() if people >= PEOPLE]
    partners: dict[int, set[int]] = {}
    for one, other in strong:
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    leader = list(range(len(needs.members)))
    size = [1] * len(leader)

    def find(need: int) -> int:
        while leader[need] != need:
            need = leader[need]
        return need

    for one, other in sorted(strong, key=lambda pair: (-links[pair], pair)):
        first, second = find(one), find(other)
        hub = max(len(partners[one]), len(partners[other])) > LARGEST
        if first != second and not hub and size[first] + size[second] <= LARGEST:
            leader[max(first, second)] = min(first, second)
            size[min(first, second)] += size[max(first, second)]
    heads = sorted({find(need) for need in range(len(leader))})
    number = {head: n for n, head in enumerate(heads)}
    members: list[list[str]] = [[] for _ in heads]
    for need, texts in enumerate(needs.members):
        members[number[find(need)]] += texts
    of = {text: number[find(need)] for text, need in needs.of.items()}
    return Needs(needs.texts, of, tuple(tuple(texts) for texts in members))
