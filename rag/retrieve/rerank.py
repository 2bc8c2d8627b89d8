"""A second look at the best papers: at their single sentences, or at each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index.catalog import Catalog
from rag.types import Hit

DEPTH = 50  # papers that get the second look
WEIGHT = 0.3  # share of the sentences' say in the new score
EXAMPLES = 5  # best papers that a list is thought to be made of
RESEMBLANCE = 0.35  # share of the likeness to them in the new score


class SentenceReranker:
    """Orders papers by fused score and by how close their two closest sentences come to the question.

    A passage's vector is an average over everything the abstract says; one sentence that answers may drown in it.
    The sentences' vectors were stored with the paper, so this costs one matrix product a paper.
    """

    def __init__(self, catalog: Catalog, embed: Callable[[str], NDArray[np.float32]]) -> None:
        """embed: a question's vector, by the model that the catalog's vectors were made with."""
        self._catalog = catalog
        self._embed = embed

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """One hit a paper, its best passage, best paper first; score in [0, 1]."""
        best: dict[str, Hit] = {}
        for hit in hits:
            best.setdefault(hit.passage.paper_id, hit)
        papers = list(best.values())
        head, tail = papers[:DEPTH], papers[DEPTH:]
        closeness = self._closeness(question, [hit.passage.paper_id for hit in head])
        low, high = min(closeness, default=0.0), max(closeness, default=0.0)
        spread = (high - low) or 1.0
        scored = [
            Hit(hit.passage, (1 - WEIGHT) * hit.score + WEIGHT * (close - low) / spread, hit.dense, hit.lexical)
            for hit, close in zip(head, closeness, strict=True)
        ]
        rest = [Hit(hit.passage, (1 - WEIGHT) * hit.score, hit.dense, hit.lexical) for hit in tail]
        return sorted([*scored, *rest], key=lambda hit: (-hit.score, hit.passage.paper_id))

    def _closeness(self, question: str, paper_ids: Sequence[str]) -> list[float]:
        vector = self._embed(question)
        known = self._catalog.some(paper_ids)
        found = []
        for paper_id in paper_ids:
            cosines = np.sort(known[paper_id][1] @ vector) if paper_id in known else np.zeros(1)
            found.append(float(cosines[-2:].mean()) if cosines.size else 0.0)
        return found


class NeighbourReranker:
    """Orders papers by fused score and by how much they resemble the best ones, for questions that ask for several.

    Papers that belong on one list resemble each other, also where they do not use the question's words. Rocchio 1971,
    "Relevance Feedback in Information Retrieval", with the first results taken as relevant.
    """

    def __init__(self, catalog: Catalog) -> None:
        """catalog: holds the sentences' vectors, whose mean stands for a paper."""
        self._catalog = catalog

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:  # noqa: ARG002 - the papers alone decide
        """One hit a paper, its best passage, best paper first; score in [0, 1]."""
        best: dict[str, Hit] = {}
        for hit in hits:
            best.setdefault(hit.passage.paper_id, hit)
        known = self._catalog.some(best)
        papers = [hit for paper_id, hit in best.items() if paper_id in known and len(known[paper_id][1])]
        if not papers:
            return []
        vectors = np.stack([known[hit.passage.paper_id][1].mean(axis=0) for hit in papers])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        centre = np.average(vectors[:EXAMPLES], axis=0, weights=[hit.score + 1e-6 for hit in papers[:EXAMPLES]])
        likeness = vectors @ centre
        likeness = (likeness - likeness.min()) / (float(np.ptp(likeness)) or 1.0)
        scored = [
            Hit(hit.passage, (1 - RESEMBLANCE) * hit.score + RESEMBLANCE * float(like), hit.dense, hit.lexical)
            for hit, like in zip(papers, likeness, strict=True)
        ]
        return sorted(scored, key=lambda hit: (-hit.score, hit.passage.paper_id))
