"""Papers to begin with, for people who do not know what the collection is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def central(matrix: NDArray[np.float32], count: int) -> list[int]:
    """Rows of papers that are central to the collection and unlike each other; at most count, at least one.

    matrix: [papers, dimension], rows of unit length. The first is the row nearest to the middle; each further one is,
    among the more central half, the least like those taken before.
    """
    centrality = matrix @ matrix.mean(axis=0)
    taken = [int(np.argmax(centrality))]
    inner = centrality >= np.median(centrality)
    while len(taken) < min(count, len(matrix)):
        similarity = (matrix @ matrix[taken].T).max(axis=1)
        similarity[taken] = np.inf
        taken.append(
            int(np.argmin(np.where(inner, similarity, similarity + 2.0)))
        )  # the others only when these run out
    return taken
