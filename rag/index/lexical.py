"""Lexical search: BM25 over stemmed titles and passages, in memory, read off the catalog.

Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", in the variant that Lucene uses.
Query expansion: a question's word also matches words close to it in meaning, at a discount, as in Berger and Lafferty
1999, "Information Retrieval as Statistical Translation"; similarity is how much closer their embeddings are than those
of any two words.

The index of a new generation shares with the one before it what has not changed: a base segment. Beside it stands a
small segment of the entries that came since, and over both a mask of the passages that are still there. Scores are
worked out when they are asked for, so they are those of an index read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from rag.index.ports import CatalogStore, Row, State, passage_id
from rag.lru import Lru
from rag.policy import BM25
from rag.ports import Vectors

MAX_WORDS = 30_000  # of the vocabulary, commonest first, can expand a question's word
NEAREST = 16  # maximum number of expansions of one word that are remembered; the policy chooses among them
MIN_SIMILARITY = 0.2  # ... and their least similarity to it: 0 as any two words, 1 the same
REMEMBERED = 4 << 20  # bytes of expansions kept in memory
SMALL, SHARE = 64, 8  # the base is read anew when so many entries, and one in so many, have come or gone


@dataclass(frozen=True, slots=True)
class Segment:
    """Some entries: which passage holds which word how often, ordered by word."""

    rows: list[Row]
    ids: list[str]  # of the passages' vectors
    entries: NDArray[np.int64]  # of each passage: the number of its entry
    lengths: NDArray[np.float64]  # of each passage: how many words it has
    words: NDArray[np.int32]  # of each posting, ascending: the number of its word
    passages: NDArray[np.int32]
    counts: NDArray[np.int32]
    numbers: Mapping[str, int]  # of stems that no earlier segment has
    stems: list[str]  # those of them that can expand others, ...
    places: Mapping[str, int]  # ... their places among them, ...
    vectors: Vectors  # ... and their vectors, rows of unit length

    @classmethod
    def read(cls, catalog: CatalogStore, numbers: NDArray[np.int64], dimension: int, base: Segment | None) -> Segment:
        """Read entries off the catalog. base: whose words are known already."""
        listed = catalog.listed(numbers.tolist())
        sizes = [len(one.rows) for one in listed]
        table = np.concatenate([np.zeros((0, 3), dtype=np.int32), *(one.counts for one in listed)])
        firsts = np.repeat(np.cumsum([0, *sizes])[:-1], [len(one.counts) for one in listed]).astype(np.int32)
        order = np.argsort(table[:, 1], kind="stable")
        words, passages, counts = table[order, 1], (table[:, 0] + firsts)[order], table[order, 2]
        new, spread = np.unique(words, return_counts=True)
        if base is not None:
            unknown = ~np.isin(new, base.words)
            new, spread = new[unknown], spread[unknown]
        found = catalog.words(new[np.argsort(-spread, kind="stable")].tolist())
        expanding = [(word.stem, word.vector) for word in found if word.vector is not None][:MAX_WORDS]
        rows = [row for one in listed for row in one.rows]
        return cls(
            rows=rows,
            ids=[passage_id(row) for row in rows],
            entries=np.repeat(np.asarray([one.number for one in listed], dtype=np.int64), sizes),
            lengths=np.bincount(passages, counts, sum(sizes)).astype(np.float64),
            words=words,
            passages=passages,
            counts=counts,
            numbers={word.stem: word.number for word in found},
            stems=[stem for stem, _ in expanding],
            places={stem: place for place, (stem, _) in enumerate(expanding)},
            vectors=np.asarray([vector for _, vector in expanding], dtype=np.float32).reshape(-1, dimension),
        )


class LexicalIndex:
    """One generation's BM25 index. Immutable, so threads may share it."""

    def __init__(self, edition: str, base: Segment, fresh: Segment, live: NDArray[np.int64]) -> None:
        """live: the numbers of the entries that are part of the collection."""
        self._edition, self._base, self._fresh = edition, base, fresh
        self.rows = [*base.rows, *fresh.rows]  # also those that are no longer there: no search returns them
        self._alive = np.isin(np.concatenate([base.entries, fresh.entries]), live)
        lengths = np.concatenate([base.lengths, fresh.lengths])
        self.size = int(self._alive.sum())  # passages
        usual = float(lengths[self._alive].mean()) if self.size else 1.0
        self._lengths = lengths / max(usual, 1.0)
        self._stems = [*base.stems, *fresh.stems]
        # what was worked out before; by word too, since a stem that is new to the collection takes the word's vector
        self._expansions: Lru[tuple[str, str], dict[str, float]] = Lru(REMEMBERED)

    @classmethod
    def read(cls, catalog: CatalogStore, state: State, dimension: int, previous: LexicalIndex | None) -> LexicalIndex:
        """The index of a generation. previous: of an earlier one, to read only what has changed.

        Raises GenerationGone if the catalog has moved on meanwhile.
        """
        if previous is not None and previous._edition == state.edition:
            held = np.unique(previous._base.entries)
            come, gone = np.setdiff1d(state.entries, held), np.setdiff1d(held, state.entries)
            if len(come) + len(gone) <= max(SMALL, len(held) // SHARE):
                fresh = Segment.read(catalog, come, dimension, previous._base)
                return cls(state.edition, previous._base, fresh, state.entries)
        base = Segment.read(catalog, state.entries, dimension, None)
        return cls(state.edition, base, Segment.read(catalog, state.entries[:0], dimension, base), state.entries)

    @cached_property
    def committed(self) -> dict[str, Row]:
        """The passages of the collection by the ids of their vectors."""
        ids = [*self._base.ids, *self._fresh.ids]
        return dict(compress(zip(ids, self.rows, strict=True), self._alive.tolist()))

    def search(
        self,
        terms: Mapping[str, Mapping[str, float]],
        k: int,
        weighting: BM25,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[tuple[int, float]]:
        """(row, score) of the k best rows, best first, ties by row.

        terms: the stems of the question's words, each with the stems that expand it and their weights.
        """
        scores, norms = np.zeros(len(self.rows)), weighting.k1 * (1 - weighting.b + weighting.b * self._lengths)
        for stem, expansions in terms.items():
            best = np.zeros(len(self.rows))  # a word counts once: as itself, or as its best expansion
            for one, weight in [(stem, 1.0), *expansions.items()]:
                rows, counts, idf = self._column(one)
                values = idf * counts / (counts + norms[rows])
                best[rows] = np.maximum(best[rows], weight * values)
            scores += best
        if allowed is not None:
            scores = np.where(allowed, scores, 0.0)
        order = np.argsort(-scores, kind="stable")[:k]
        return [(int(row), float(scores[row])) for row in order if scores[row] > 0.0]

    def expansions(
        self, words: Mapping[str, str], embed: Callable[[str], NDArray[np.float32]]
    ) -> dict[str, dict[str, float]]:
        """Stem → the stems that expand it → their similarities in (0, 1], best first.

        words: stem → word as asked. embed: the vector of a word, made as a document's is; called only for words that
        the vocabulary has no vector of.
        """
        if not self._stems:
            return {stem: {} for stem in words}
        found = {stem: self._expansions.get((stem, word)) for stem, word in words.items()}
        new = {stem: words[stem] for stem, held in found.items() if held is None}
        for stem, fresh in (self._work_out(new, embed) if new else {}).items():
            self._expansions.put((stem, words[stem]), fresh, 200 * (1 + len(fresh)))
            found[stem] = fresh
        return {stem: held or {} for stem, held in found.items()}

    def _work_out(
        self, words: Mapping[str, str], embed: Callable[[str], NDArray[np.float32]]
    ) -> dict[str, dict[str, float]]:
        known = {stem: self._vector(stem) for stem in words}
        vectors = np.stack([embed(words[stem]) if vector is None else vector for stem, vector in known.items()])
        cosines = np.concatenate([vectors @ self._base.vectors.T, vectors @ self._fresh.vectors.T], axis=1)
        usual = cosines.mean(axis=1, keepdims=True)  # models differ in how similar they find any two words
        similarities = (cosines - usual) / np.maximum(1.0 - usual, 1e-6)
        return {stem: self._nearest(stem, row) for stem, row in zip(words, similarities, strict=True)}

    def _vector(self, stem: str) -> NDArray[np.float32] | None:
        for segment in (self._base, self._fresh):
            if stem in segment.places:
                vector: NDArray[np.float32] = segment.vectors[segment.places[stem]]
                return vector
        return None

    def _nearest(self, stem: str, similarities: NDArray[np.float32]) -> dict[str, float]:
        found: dict[str, float] = {}
        near = np.flatnonzero(similarities >= MIN_SIMILARITY)
        for place in near[np.argsort(-similarities[near], kind="stable")]:
            one = self._stems[place]
            if one != stem and len(self._column(one)[0]):  # the papers that held a word may have been removed
                found[one] = float(similarities[place])
            if len(found) == NEAREST:
                break
        return found

    def allowed(self, include: frozenset[str], exclude: frozenset[str]) -> NDArray[np.bool_] | None:
        """A mask of the rows whose papers the filters allow; None if they allow all."""
        if not include and not exclude:
            return None
        papers = [row[0] for row in self.rows]
        return np.asarray([(not include or one in include) and one not in exclude for one in papers], dtype=bool)

    def idf(self, stem: str) -> float:
        """Rarity of a word in [0, 1]: 0 in every passage, 1 in none of them."""
        size = max(self.size, 1)
        df = len(self._column(stem)[0])
        return float(np.log((size + 1) / (df + 1)) / np.log(size + 1))

    def _column(self, stem: str) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
        """Rows that hold a stem, how often each does, and the weight of its rarity."""
        known = self._base.numbers.get(stem, -1)  # a word that went and came again has another number
        found = []
        for segment, offset in ((self._base, 0), (self._fresh, len(self._base.rows))):
            number = segment.numbers.get(stem, known)
            start, end = np.searchsorted(segment.words, [number, number + 1])
            found.append((segment.passages[start:end].astype(np.int64) + offset, segment.counts[start:end]))
        rows, counts = (np.concatenate(parts) for parts in zip(*found, strict=True))
        alive = self._alive[rows]
        rows, counts = rows[alive], counts[alive].astype(np.float64)
        return rows, counts, float(np.log1p((self.size - len(rows) + 0.5) / (len(rows) + 0.5)))
