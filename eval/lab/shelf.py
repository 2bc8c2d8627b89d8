"""Papers ready to be verified against, without an index: sentences, their vectors, and the rarity of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.ports import Embedder
from rag.text import content_stems, sentences
from rag.types import Paper
from rag.verify.values import Source


class Shelf:
    """A few thousand papers; only those that are asked for are embedded."""

    def __init__(self, papers: Sequence[Paper], embedder: Embedder) -> None:
        """papers: also decide how rare a word is."""
        self.papers = {paper.id: paper for paper in papers}
        self._embedder = embedder
        self._found: dict[str, Source] = {}
        self._frequency = Counter(
            stem for paper in papers for stem in set(content_stems(f"{paper.title} {paper.abstract}"))
        )
        self.embed = lru_cache(maxsize=None)(self._embed)

    def _embed(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._embedder.embed([text], "query")[0]
        return vector

    def idf(self, stem: str) -> float:
        """Rarity as the lexical index has it: 0 in every paper, 1 in none."""
        size = len(self.papers)
        return float(np.log((size + 1) / (self._frequency[stem] + 1)) / np.log(size + 1))

    def source(self, paper_id: str) -> Source:
        """The paper with the vectors of its sentences."""
        if paper_id not in self._found:
            paper = self.papers[paper_id]
            spans = sentences(paper.abstract)
            vectors = self._embedder.embed([span.of(paper.abstract) for span in spans], "document")
            self._found[paper_id] = Source(paper, spans, vectors)
        return self._found[paper_id]
