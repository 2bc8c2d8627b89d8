"""The open collection, and views of it: one generation of the index for the length of one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.embed import open_embedder
from rag.embed.cross_encoder import UNREAD, embedded
from rag.errors import IndexUnusable
from rag.index import Index
from rag.index.catalog import Catalog
from rag.index.ports import Row
from rag.index.snapshot import Snapshot, Snapshots
from rag.policy import BM25
from rag.ports import CrossEncoder, Embedder, Excerpt, Kind, PieceEmbedder, Read, Vectors
from rag.settings import Settings
from rag.text import sentences
from rag.types import Options, Paper

T = TypeVar("T")
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StoredPaper:
    """A paper as it is indexed."""

    paper: Paper
    vectors: Vectors  # [sentences, dimension], rows of unit length


class Collection:
    """The papers that can be asked about, with the embedder that they were indexed by. Safe to share between threads.

    It follows the index as other processes change it.
    """

    def __init__(self, index: Index, embedder: Embedder, cross_encoder: CrossEncoder | None = None) -> None:
        """embedder: the one that the index was made with. cross_encoder: None for the one that comes with Readback."""
        self.index = index
        self.cross_encoder = cross_encoder or embedded()
        self._snapshots = Snapshots(index)
        self._embedder = embedder

    @classmethod
    def open(cls, settings: Settings) -> Collection:
        """The collection that the settings name. Loads the embedder; the index is opened at the first search."""
        embedder = open_embedder(settings)
        return cls(Index(settings, embedder), embedder)

    @property
    def catalog(self) -> Catalog:
        """The papers."""
        return self.index.catalog

    @property
    def embedder(self) -> str:
        """Name of the embedder, which holds a hash of all that decides its vectors."""
        return self._embedder.name

    def view(self) -> View:
        """The newest generation. Raises IndexMissing, IndexMismatch or IndexUnusable."""
        return View(self._snapshots.current(), self)

    def vector(self, text: str, kind: Kind) -> Vector:
        """The unit vector of one text. Raises ProviderError."""
        vector: Vector = self._embedder.embed([text], kind)[0]
        return vector

    def pieces(self, text: str, kind: Kind) -> Vectors | None:
        """A unit vector for each word piece of one text; None if the embedder does not show them."""
        return self._embedder.pieces(text, kind) if isinstance(self._embedder, PieceEmbedder) else None

    def close(self) -> None:
        """Let go of the vector store's files or connection."""
        self.index.vectors.close()


@dataclass(frozen=True, slots=True)
class View:
    """One generation of the collection, as all stages of one answer see it."""

    snapshot: Snapshot
    collection: Collection
    _papers: dict[str, StoredPaper] = field(default_factory=dict)  # what this answer has fetched so far
    _read: dict[tuple[str, str], Read] = field(default_factory=dict)  # ... and read: by question and paper

    @property
    def current(self) -> bool:
        """Whether the collection has not changed since."""
        return self.collection.catalog.generation() == self.snapshot.generation

    def embed(self, text: str) -> Vector:
        """The unit vector of a question, to be compared with what is stored."""
        return self.collection.vector(text, "query")

    def embed_document(self, text: str) -> Vector:
        """The unit vector of a word or a statement, made as the stored words and sentences were: like with like."""
        return self.collection.vector(text, "document")

    def idf(self, stem: str) -> float:
        """Rarity of a stem in the collection, in [0, 1]."""
        return self.snapshot.lexical.idf(stem)

    def nearest(self, vector: Vector, k: int, options: Options) -> list[tuple[Row, float]]:
        """(chunk, cosine) of at most k chunks, nearest first. Raises IndexUnusable."""
        snapshot = self.snapshot
        return self.collection.index.vectors.search(
            snapshot.collection,
            vector,
            k,
            snapshot.lexical.committed,
            include=options.include,
            exclude=options.exclude,
        )

    def matching(
        self,
        words: Mapping[str, int],
        expansions: Mapping[str, Mapping[str, float]],
        k: int,
        options: Options,
        weighting: BM25,
    ) -> list[tuple[Row, float]]:
        """(chunk, BM25) of at most k chunks that share words with a text, best first.

        words: stem → how often it is asked for. expansions: stem → stems that expand it → their weights.
        """
        lexical = self.snapshot.lexical
        allowed = lexical.allowed(options.include, options.exclude)
        terms = {stem: expansions.get(stem, {}) for stem in words}
        return [(lexical.rows[row], score) for row, score in lexical.search(terms, k, weighting, allowed)]

    def papers(self, paper_ids: Iterable[str]) -> Mapping[str, StoredPaper]:
        """The papers of these ids that the collection holds. What was read for this answer is not read again."""
        missing = [one for one in dict.fromkeys(paper_ids) if one not in self._papers]
        if missing:
            for paper_id, (paper, vectors) in self.collection.catalog.some(missing).items():
                self._papers[paper_id] = StoredPaper(paper, vectors)
        return self._papers

    def read(self, question: str, vector: Vector, paper_ids: Sequence[str], most: int) -> Mapping[str, Read]:
        """What the cross-encoder makes of these papers' titles and sentences, those closest to the question alone.

        vector: the question's. most: sentences of each paper that it is shown. A paper without an abstract is left
        out. What was read for this answer is not read again.
        """
        stored = self.papers(paper_ids)
        missing = [one for one in paper_ids if (question, one) not in self._read and len(stored[one].vectors)]
        places = {one: np.sort(np.argsort(-(stored[one].vectors @ vector), kind="stable")[:most]) for one in missing}
        excerpts = []
        for one in missing:
            paper = stored[one].paper
            spans = sentences(paper.abstract)
            excerpts.append(Excerpt(paper.title, tuple(spans[place].of(paper.abstract) for place in places[one])))
        for one, found in zip(missing, self.collection.cross_encoder.read(question, excerpts), strict=True):
            logits = np.full(len(stored[one].vectors), UNREAD, dtype=np.float32)
            logits[places[one]] = found.sentences
            self._read[question, one] = Read(found.answer, logits)
        return {one: self._read[question, one] for one in paper_ids if (question, one) in self._read}


def consistently(collection: Collection, work: Callable[[View], T], tries: int = 5) -> tuple[View, T]:
    """Do something with a view of one generation; again if the collection changed in between."""
    for attempt in range(tries):
        view = collection.view()
        last = attempt == tries - 1
        try:
            done = work(view)
        except IndexUnusable:
            if last or view.current:
                raise
            continue  # a rebuild has just dropped what this generation searched in
        if last or view.current:
            return view, done
    raise AssertionError("the last try returns or raises")
