"""What a collection is about: how many papers, from when, on which topics, and questions to begin with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.answer.openers import central
from rag.ports import Vectors
from rag.text import content_words, stem
from rag.types import Paper

CONSIDERED = 2000  # papers; a look at so many tells what a collection is about
TOPICS = 6  # maximum number of them
LEAST = 12  # papers for each topic on average
ROUNDS = 10  # of k-means; assignments hardly change after a few
TERMS = 3  # that name a topic


@dataclass(frozen=True, slots=True)
class Topic:
    """Papers that are alike."""

    terms: tuple[str, ...]  # what sets their texts apart, most distinctive first
    papers: int


@dataclass(frozen=True, slots=True)
class Overview:
    """One generation of a collection at a glance."""

    papers: int
    years: tuple[int, int] | None  # first and last, where papers have any
    topics: tuple[Topic, ...]  # largest first
    titles: tuple[str, ...]  # of central papers that are unlike each other

    @property
    def questions(self) -> tuple[str, ...]:
        """Questions that these papers answer."""
        return tuple(f"What does “{title}” propose?" for title in self.titles)


def overview(papers: Mapping[str, tuple[Paper, Vectors]], count: int) -> Overview:
    """papers: paper and sentence vectors by id, of at most CONSIDERED of the collection. count: of the whole one."""
    held = [(paper, vectors.mean(axis=0)) for paper, vectors in papers.values() if len(vectors)]
    years = [paper.year for paper, _ in papers.values() if paper.year]
    span = (min(years), max(years)) if years else None
    if not held:
        return Overview(count, span, (), ())
    matrix = np.stack([vector / (np.linalg.norm(vector) or 1.0) for _, vector in held])
    topics = _topics(matrix, [paper for paper, _ in held], min(TOPICS, len(held) // LEAST))
    return Overview(count, span, topics, tuple(held[place][0].title.rstrip(".?!") for place in central(matrix, 3)))


def _topics(matrix: NDArray[np.float32], papers: Sequence[Paper], count: int) -> tuple[Topic, ...]:
    """Clusters by spherical k-means (Dhillon and Modha 2001), begun from papers that are far apart."""
    if count < 2:
        return ()
    apart = matrix - matrix.mean(axis=0)  # what all papers share tells no topics apart
    apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)
    centres = apart[central(matrix, count)]
    owner = np.zeros(len(matrix), dtype=int)
    for _ in range(ROUNDS):
        owner = np.argmax(apart @ centres.T, axis=1)
        for place in range(count):
            mine = apart[owner == place]
            if len(mine):
                mean = mine.mean(axis=0)
                centres[place] = mean / (np.linalg.norm(mean) or 1.0)
    terms = [_terms(paper) for paper in papers]
    everywhere = Counter(term for found in terms for term in found)
    topics = []
    for place in range(count):
        mine = [terms[i] for i in np.flatnonzero(owner == place)]
        if mine:
            topics.append(Topic(_distinctive(mine, everywhere, len(papers)), len(mine)))
    return tuple(sorted(topics, key=lambda topic: -topic.papers))


def _terms(paper: Paper) -> dict[str, None]:
    """Content words of a title and abstract and pairs of neighbouring ones, each once."""
    text = f"{paper.title} . {paper.abstract}".casefold()
    found = [word for _, word in content_words(text) if len(word) > 2 and word.isalpha()]
    pairs = (f"{one} {other}" for one, other in pairwise(found))
    return dict.fromkeys([*found, *(pair for pair in pairs if pair in text)])


def _distinctive(mine: Sequence[Mapping[str, None]], everywhere: Mapping[str, int], total: int) -> tuple[str, ...]:
    """The terms that are commonest here and rarest elsewhere, without repeated words; pairs of words first.

    Ranked by how much each raises the likelihood of the cluster (Dunning 1993).
    """
    counts = Counter(term for found in mine for term in found)

    def gain(term: str) -> float:
        lift = math.log((counts[term] / len(mine)) / (everywhere[term] / total))
        return counts[term] * lift * (2.0 if " " in term else 1.0)

    chosen: list[str] = []
    for term in sorted(counts, key=lambda term: (-gain(term), term)):
        stems = {stem(word) for word in term.split()}
        if counts[term] > 1 and not any(stems & {stem(word) for word in other.split()} for other in chosen):
            chosen.append(term)
        if len(chosen) == TERMS:
            break
    return tuple(chosen)
