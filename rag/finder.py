"""Question → ranked papers: the searches, their fusion and the second look, wired to one index."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.embed import open_embedder
from rag.index import Index
from rag.index.catalog import Catalog
from rag.index.snapshot import Snapshots
from rag.ports import Embedder, Reranker, Retriever
from rag.question import Question, analyse
from rag.retrieve.hybrid import DenseRetriever, HybridRetriever, LexicalRetriever
from rag.retrieve.rerank import NeighbourReranker, SentenceReranker
from rag.settings import Settings
from rag.types import Hit, Options

CANDIDATES = 200  # passages that go into the second look


class Finder:
    """Finds papers. Safe to share between threads; it follows the index as other processes change it."""

    def __init__(self, index: Index, embedder: Embedder, dense_weight: float) -> None:
        """dense_weight: share of dense search in the fused score, in [0, 1]."""
        self.index = index
        self._snapshots = Snapshots(index)

        @lru_cache(maxsize=20_000)
        def embed(text: str) -> NDArray[np.float32]:
            vector: NDArray[np.float32] = embedder.embed([text], "query")[0]
            return vector

        self._embed = embed
        self.dense: Retriever = DenseRetriever(self._snapshots, index.vectors, embedder)
        self.lexical: Retriever = LexicalRetriever(self._snapshots, self._embed)
        self.bm25: Retriever = LexicalRetriever(self._snapshots, None)  # to compare with
        self.hybrid: Retriever = HybridRetriever(self.dense, self.lexical, dense_weight)
        self.reranker: Reranker = SentenceReranker(index.catalog, self._embed)
        self.list_reranker: Reranker = NeighbourReranker(index.catalog)

    @classmethod
    def open(cls, settings: Settings) -> Finder:
        """The finder that the settings describe. Loads the embedder; the index is opened at the first search."""
        embedder = open_embedder(settings)
        return cls(Index(settings, embedder), embedder, settings.dense_weight)

    @property
    def catalog(self) -> Catalog:
        """The papers that can be found."""
        return self.index.catalog

    def analyse(self, asked: str, searched: str) -> Question:
        """Take a question apart, against the vocabulary of the collection."""
        return analyse(asked, searched, self._snapshots.current().lexical, self.vector)

    def vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a question or word, from memory where it was asked for before."""
        return self._embed(text)

    def idf(self, stem: str) -> float:
        """Rarity of a stem in the collection, in [0, 1]."""
        return self._snapshots.current().lexical.idf(stem)

    def find(self, question: Question, papers: int, options: Options) -> list[Hit]:
        """At most so many papers, best first: the best passage of each."""
        return self.rerank(question, self.retrieve(question, options))[:papers]

    def retrieve(self, question: Question, options: Options) -> list[Hit]:
        """Candidate passages, best first."""
        return self.hybrid.retrieve(question.text, CANDIDATES, options)

    def rerank(self, question: Question, hits: list[Hit]) -> list[Hit]:
        """One hit a paper, best paper first."""
        reranker = self.list_reranker if question.wants_many else self.reranker
        return reranker.rerank(question.text, hits)

    def close(self) -> None:
        """Let go of the vector store's files or connection."""
        self.index.vectors.close()
