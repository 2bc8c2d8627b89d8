"""Dense and lexical search, each a Retriever, and their fusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexUnusable
from rag.index.catalog import Catalog
from rag.index.lexical import Row
from rag.index.snapshot import TRIES, Snapshot, Snapshots
from rag.index.vectors import VectorStore
from rag.ports import Embedder, Retriever
from rag.text import content_words
from rag.types import Hit, Options, Paper, Passage

ENOUGH = 30  # papers that a long ranking should hold
CANDIDATES = 100  # passages that each search contributes to the fusion


class DenseRetriever:
    """Nearest passages by cosine similarity of embeddings, over Chroma."""

    def __init__(self, snapshots: Snapshots, vectors: VectorStore, embedder: Embedder) -> None:
        """vectors: must be the store of the index that the snapshots are of."""
        self._snapshots = snapshots
        self._vectors = vectors
        self._embedder = embedder

    def retrieve(self, question: str, k: int, options: Options) -> list[Hit]:
        """Return at most k hits, best first; score is the cosine."""
        vector = self._embedder.embed([question], "query")[0]

        def search(snapshot: Snapshot) -> list[tuple[Row, float]]:
            # a little more than k, because leftovers of a replaced version may be among the nearest
            near = self._vectors.search(
                snapshot.collection, vector, k + 8, include=options.include, exclude=options.exclude
            )
            return [((one.paper_id, one.fingerprint, one.start, one.end), one.cosine) for one in near]

        found = _consistently(self._snapshots, search)
        return [Hit(passage, cosine, dense=cosine) for passage, cosine in found[:k]]


class LexicalRetriever:
    """Passages that share words with the question, or words of like meaning, by BM25."""

    def __init__(self, snapshots: Snapshots, embed: Callable[[str], NDArray[np.float32]] | None) -> None:
        """embed: the vector of one word, which says what it is like; None for BM25 on the words themselves alone."""
        self._snapshots = snapshots
        self._embed = embed

    def retrieve(self, question: str, k: int, options: Options) -> list[Hit]:
        """Return at most k hits, best first; score is BM25, with stand-ins at a discount."""
        words = dict(content_words(question))

        def search(snapshot: Snapshot) -> list[tuple[Row, float]]:
            lexical = snapshot.lexical
            alone: dict[str, dict[str, float]] = {stem: {} for stem in words}
            terms = lexical.alike(words, self._embed) if self._embed else alone
            allowed = lexical.allowed(options.include, options.exclude)
            return [(lexical.rows[row], score) for row, score in lexical.search(terms, k, allowed)]

        found = _consistently(self._snapshots, search)
        return [Hit(passage, score, lexical=score) for passage, score in found]


class HybridRetriever:
    """Convex combination of min-max normalised scores.

    Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval". A passage that one search did
    not find takes that search's lowest score. Ties are broken by paper id and place, so rankings are repeatable.
    """

    def __init__(self, dense: Retriever, lexical: Retriever, dense_weight: float) -> None:
        """dense_weight: in [0, 1]; the lexical score gets the rest."""
        self._dense = dense
        self._lexical = lexical
        self._weight = dense_weight

    def retrieve(self, question: str, k: int, options: Options) -> list[Hit]:
        """Return at most k hits, best first; score in [0, 1].

        Where k allows it they come from at least ENOUGH papers, even if one paper has more good passages than that.
        """
        hits = self._fused(question, k, options)
        papers = {hit.passage.paper_id for hit in hits}
        if len(hits) < k or len(papers) >= ENOUGH or k < CANDIDATES:
            return hits
        rest = replace(options, exclude=options.exclude | papers, include=options.include - papers)
        if options.include and not rest.include:
            return hits
        others = self._fused(question, k, rest)[: k // 2]
        kept = hits[: k - len(others)]
        floor = kept[-1].score  # the others' scores are of a list of their own
        return [*kept, *(replace(hit, score=floor * hit.score) for hit in others)]

    def _fused(self, question: str, k: int, options: Options) -> list[Hit]:
        depth = max(k, CANDIDATES)
        for _ in range(TRIES):
            dense = self._dense.retrieve(question, depth, options)
            lexical = self._lexical.retrieve(question, depth, options)
            before = {(hit.passage.paper_id, hit.passage.start): hit.passage for hit in dense}
            if all(before.get((p.paper_id, p.start), p) == p for p in (hit.passage for hit in lexical)):
                break  # else a paper was replaced between the two searches
        return fuse(dense, lexical, self._weight)[:k]


def fuse(dense: Sequence[Hit], lexical: Sequence[Hit], dense_weight: float) -> list[Hit]:
    """Merge two rankings into one, best first, keeping the raw scores of both."""
    near = {hit.passage: hit.score for hit in dense}
    sharing = {hit.passage: hit.score for hit in lexical}
    by_meaning, by_words = _min_max(near), _min_max(sharing)
    hits = [
        Hit(
            passage,
            dense_weight * by_meaning.get(passage, 0.0) + (1 - dense_weight) * by_words.get(passage, 0.0),
            dense=near.get(passage),
            lexical=sharing.get(passage),
        )
        for passage in near | sharing
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.paper_id, hit.passage.start))


def _min_max(scores: dict[Passage, float]) -> dict[Passage, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {passage: (score - low) / (high - low) for passage, score in scores.items()}


def _consistently(
    snapshots: Snapshots, search: Callable[[Snapshot], list[tuple[Row, float]]]
) -> list[tuple[Passage, float]]:
    """Search one generation and read its texts; again if the generation changed in between."""
    for attempt in range(TRIES):
        snapshot = snapshots.current()
        try:
            found = search(snapshot)
        except IndexUnusable:
            if attempt == TRIES - 1 or snapshots.catalog.generation() == snapshot.generation:
                raise
            continue  # a rebuild has just dropped what this generation searched in
        papers = _texts(snapshots.catalog, found)
        if snapshots.catalog.generation() == snapshot.generation or attempt == TRIES - 1:
            break
    return [
        (Passage(row[0], papers[row[:2]].title, row[2], papers[row[:2]].abstract[row[2] : row[3]]), score)
        for row, score in found
        if row[:2] in papers  # what the catalog no longer names is not part of the collection
    ]


def _texts(catalog: Catalog, found: Sequence[tuple[Row, float]]) -> dict[tuple[str, str], Paper]:
    papers = catalog.some(row[0] for row, _ in found)
    return {(paper.id, paper.fingerprint): paper for paper, _ in papers.values()}
