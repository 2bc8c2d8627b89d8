"""Papers and a fake embedder for tests of the index: small, deterministic, and it remembers its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from rag.collection import Collection, View, consistently
from rag.engine import DEFAULT
from rag.index import Index
from rag.policy import Policy
from rag.ports import ChatModel, Kind, Vectors
from rag.query.followup import Resolved
from rag.query.understand import make_query
from rag.retrieve.fuse import ConvexFuser
from rag.retrieve.search import HybridRetriever
from rag.settings import Settings
from rag.stages import Context
from rag.text import content_stems
from rag.types import Hit, Options, Paper

TOPICS = "whales volcanoes bridges violins glaciers beetles satellites pottery chess orchids tunnels comets".split()


class WordEmbedder:
    """A vector is the sum of random directions, one for each content word."""

    def __init__(self, name: str = "words", dimension: int = 256) -> None:
        self.name, self.dimension = name, dimension
        self.embedded: list[str] = []  # so that a test can assert what was, and was not, embedded

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        if kind == "document":
            self.embedded.extend(texts)
        rows = [np.sum([self._direction(stem) for stem in content_stems(text) or [""]], axis=0) for text in texts]
        vectors = np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def _direction(self, stem: str) -> Vectors:
        seed = int.from_bytes(sha256(f"{self.name}:{stem}".encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=self.dimension).astype(np.float32)


def make_paper(number: int, version: str = "first") -> Paper:
    """One of many papers; each has a codeword of its own, and the version's word in every sentence."""
    topic = TOPICS[number % len(TOPICS)]
    return Paper(
        f"paper-{number}",
        f"On {topic} {codeword(number)} {version}",
        f"This {version} text studies {topic} named {codeword(number)}. The {version} result is {number} units.",
    )


def codeword(number: int) -> str:
    """A word that only paper ``number`` holds."""
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:04d}") + "x"


def make_papers(count: int, version: str = "first") -> list[Paper]:
    """The first so many papers."""
    return [make_paper(number, version) for number in range(count)]


def open_index(data_dir: Path, embedder: WordEmbedder | None = None, chroma_url: str | None = None) -> Index:
    """An index with a fake embedder."""
    return Index(Settings(data_dir=data_dir, chroma_url=chroma_url), embedder or WordEmbedder())


class Finder:
    """The searches of one index, each a ranking of chunks with their texts."""

    def __init__(self, index: Index) -> None:
        """index: follows what other processes do to it."""
        self.collection = Collection(index, index.embedder)
        self.dense = Searching(self.collection, ("dense",))
        self.lexical = Searching(self.collection, ("lexical",))
        self.hybrid = Searching(self.collection, ("dense", "lexical"))

    def close(self) -> None:
        """Let go of the files."""
        self.collection.close()


class Searching:
    """Dense or lexical search, or both fused."""

    def __init__(self, collection: Collection, methods: tuple[str, ...]) -> None:
        self._collection, self._methods = collection, methods

    def retrieve(self, question: str, k: int, options: Options) -> list[Hit]:
        """At most k chunks, best first."""
        _, hits = consistently(self._collection, lambda view: self._hits(view, question, options))
        raw = self._methods[0] if len(self._methods) == 1 else None
        return [replace(hit, score=getattr(hit, raw)) if raw else hit for hit in hits][:k]

    def _hits(self, view: View, question: str, options: Options) -> list[Hit]:
        context = context_of(view, options)
        query = make_query(question, Resolved(question, question), context)
        rankings = [one for one in HybridRetriever().retrieve(query, context) if one.method in self._methods]
        return ConvexFuser().fuse(query, rankings, context)


def context_of(view: View, options: Options = DEFAULT) -> Context:
    """What stages share, with no model."""

    def no_model() -> ChatModel:
        raise AssertionError("no stage here needs a model")

    return Context(Policy.default(), view, options, "extractive", no_model, lambda _: None)


def open_finder(index: Index) -> Finder:
    """The searches of that index."""
    return Finder(index)


def found(finder: Finder, question: str, k: int = 10) -> list[str]:
    """Ids of the papers found, best first, by both searches."""
    hits = finder.hybrid.retrieve(question, k, Options())
    return list(dict.fromkeys(hit.passage.paper_id for hit in hits))


def leave_uncommitted(index: Index, text: str, count: int) -> None:
    """Vectors of a text that are stored but not part of the collection, as a killed indexer leaves them."""
    index.vectors.collection(index.collection_name).add(
        ids=[f"left-{number}" for number in range(count)],
        embeddings=index.embedder.embed([text] * count, "document"),
        metadatas=[{"paper_id": f"left-{number}"} for number in range(count)],
    )


def assert_sound(index: Index) -> None:
    """Nothing is lost and nothing doubled: one vector for every passage, and every paper is found by its words."""
    passages = sum(1 for _ in index.catalog.passages())
    assert index.vectors.count(index.collection_name) == passages
    finder = open_finder(index)
    for paper in index.catalog.papers():
        hits = finder.dense.retrieve(f"{paper.title} {paper.abstract}", 3, Options())
        assert paper.id in {hit.passage.paper_id for hit in hits}
        words = finder.lexical.retrieve(paper.title, 3, Options())
        assert paper.id in {hit.passage.paper_id for hit in words}
