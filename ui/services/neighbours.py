"""Which papers say similar things: the mean of a paper's sentence vectors stands for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.types import Paper

if TYPE_CHECKING:
    from rag.engine import Assistant

MOST = 10_000  # papers compared one by one; of a larger collection, those that search finds for the title
STEP = 500


class Neighbours:
    """Compares the papers of the collection, read again only when it has changed."""

    def __init__(self, assistant: Assistant) -> None:
        """assistant: over the collection."""
        self._assistant, self._lock = assistant, threading.Lock()
        self._generation = -1
        self._ids: list[str] = []
        self._means = np.zeros((0, 1), dtype=np.float32)

    def similar(self, paper: Paper, count: int) -> list[tuple[Paper, float]]:
        """The papers most like this one, best first, each with its cosine."""
        catalog = self._assistant.index.catalog
        if len(catalog.fingerprints()) <= MOST:
            ids, means = self._all()
        else:
            found = self._assistant.search(paper.title, 30)
            ids, means = self._read(list(dict.fromkeys([paper.id, *(one.paper.id for one in found)])))
        if paper.id not in ids:
            return []
        cosines = means @ means[ids.index(paper.id)]
        best = [int(row) for row in np.argsort(-cosines, kind="stable") if ids[int(row)] != paper.id][:count]
        papers = catalog.some(ids[row] for row in best)
        return [(papers[ids[row]][0], float(cosines[row])) for row in best if ids[row] in papers]

    def sample(self, most: int) -> tuple[list[Paper], NDArray[np.float32]]:
        """Papers spread evenly over the collection, and a row of unit length for each. most: their maximum number."""
        catalog = self._assistant.index.catalog
        ids = list(catalog.fingerprints())
        step = max(1, -(-len(ids) // most))
        kept, means = self._read(list(islice(ids, 0, None, step)))
        papers = catalog.some(kept)
        there = [row for row, paper_id in enumerate(kept) if paper_id in papers]
        return [papers[kept[row]][0] for row in there], means[there]

    def _all(self) -> tuple[list[str], NDArray[np.float32]]:
        catalog = self._assistant.index.catalog
        generation = catalog.generation()
        with self._lock:
            if generation != self._generation:
                self._ids, self._means = self._read(list(catalog.fingerprints()))
                self._generation = generation
            return self._ids, self._means

    def _read(self, ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        kept: list[str] = []
        rows = []
        for start in range(0, len(ids), STEP):
            for paper_id, (_, vectors) in self._assistant.index.catalog.some(ids[start : start + STEP]).items():
                if len(vectors):
                    kept.append(paper_id)
                    rows.append(vectors.mean(axis=0))
        if not rows:
            return [], np.zeros((0, 1), dtype=np.float32)
        means = np.asarray(rows, dtype=np.float32)
        return kept, means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
