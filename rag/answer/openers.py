"""Questions to begin with, for people who do not know what the collection is about."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rag.ports import Vectors
from rag.types import Paper

CONSIDERED = 2000  # papers; a look at so many tells what a collection is about


def openers(papers: Mapping[str, tuple[Paper, Vectors]], count: int = 3) -> tuple[str, ...]:
    """One question each for papers that are central to the collection and unlike each other.

    papers: paper and sentence vectors by id. The first is the paper nearest to the middle; each further one is, among
    the more central half, the least like those taken before.
    """
    held = [(paper, vectors.mean(axis=0)) for paper, vectors in papers.values() if len(vectors)]
    if not held:
        return ()
    matrix = np.stack([vector / (np.linalg.norm(vector) or 1.0) for _, vector in held])
    centrality = matrix @ matrix.mean(axis=0)
    taken = [int(np.argmax(centrality))]
    central = centrality >= np.median(centrality)
    while len(taken) < min(count, len(held)):
        likeness = (matrix @ matrix[taken].T).max(axis=1)
        likeness[taken] = np.inf
        candidates = np.where(central, likeness, likeness + 2.0)  # the others only when these run out
        taken.append(int(np.argmin(candidates)))
    return tuple(f"What does “{held[place][0].title.rstrip('.?!')}” propose?" for place in taken)
