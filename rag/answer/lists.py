"""Which papers belong on a list. Learned from questions that several papers answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.policy import Answering
from rag.text import Names
from rag.values.evidence import PaperEvidence
from rag.values.query import Query

FEATURES = (
    "score",  # share of the best paper's score
    "closeness",  # of its closest sentence to the question, as a share of the closest one's of all
    "coverage",  # share of the question's weight in the sentence that holds most of it
    "named",  # holds all names in the question, if there are any
    "length",  # of the question, in content words
)


def features_of(query: Query, evidence: Sequence[PaperEvidence]) -> list[list[float]]:
    """[papers, FEATURES]. evidence: the papers that were read, best first; at least one."""
    closest = [max(one.cosine for one in paper.sentences) for paper in evidence]
    return [
        [
            paper.hit.score / (evidence[0].hit.score or 1.0),
            close / (max(closest) or 1.0),
            max(query.coverage(one.stems) for one in paper.sentences),
            float(bool(query.names) and _holds(query.names, paper)),
            float(len(query.terms)),
        ]
        for paper, close in zip(evidence, closest, strict=True)
    ]


def listed(query: Query, evidence: Sequence[PaperEvidence], policy: Answering) -> list[PaperEvidence]:
    """The papers that belong on a list, likeliest first, at least one."""
    probabilities = policy.membership.of(FEATURES).probabilities(features_of(query, evidence))
    return [evidence[place] for place in likeliest(probabilities, policy.list_papers)]


def likeliest(probabilities: NDArray[np.float64], most: int) -> list[int]:
    """Places of the likeliest, so many that the expected F1 is greatest; at least one.

    It is estimated as 2·(expected right ones among them) / (their number + expected right ones of all). Ye, Chai, Lee
    and Chieu 2012, "Optimizing F-Measure: A Tale of Two Approaches".
    """
    order = np.argsort(-probabilities, kind="stable")[:most]
    expected = 2 * np.cumsum(probabilities[order]) / (np.arange(1, len(order) + 1) + probabilities.sum())
    return [int(place) for place in order[: int(np.argmax(expected)) + 1]]


def _holds(names: Sequence[str], paper: PaperEvidence) -> bool:
    text = Names(f"{paper.paper.title}. {paper.paper.abstract}")
    return all(map(text.holds, names))
