"""Lexical search: BM25 over stemmed titles and passages, kept on disk and loaded once per generation.

Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", in the variant that Lucene uses;
computed by bm25s. A question's word also matches words of like meaning, at a discount, as in Berger and Lafferty 1999,
"Information Retrieval as Statistical Translation"; likeness is how much closer their embeddings
are than those of any two words.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexUnusable
from rag.ports import Vectors
from rag.text import content_words
from rag.types import Passage

K1, B = 1.2, 0.75
TITLE = 2  # times that a title counts: its words say what a paper is about
MAX_WORDS = 30_000  # of the vocabulary, commonest first, get a vector and so can stand in for a question's word
NEAREST = 8  # words that may stand in for one word of a question ...
MIN_LIKENESS = 0.3  # ... if they are at least so much alike: 0 as any two words, 1 the same
DISCOUNT = 0.7  # what a perfect stand-in would be worth; less alike, less worth: DISCOUNT * likeness²
_ROWS, _WORDS, _VECTORS = "passages.json", "words.json", "words.npy"

Row = tuple[str, str, int, int]  # paper id, fingerprint of the paper, start, end


class LexicalIndex:
    """One generation's BM25 index. Immutable once loaded, so threads may share it."""

    def __init__(self, bm25: Any, rows: Sequence[Row], words: Sequence[str], vectors: Vectors) -> None:
        """rows: of each passage, in the index's order. words: stems, with their vectors in the same order."""
        self.rows = rows
        self._papers = np.asarray([row[0] for row in rows], dtype=object)
        self._vocabulary: Mapping[str, int] = bm25.vocab_dict if bm25 is not None else {}
        self._scores: Mapping[str, Any] = bm25.scores if bm25 is not None else {}
        self._words = words
        self._vectors = vectors
        self._place = {word: place for place, word in enumerate(words)}
        # what was worked out before; by word too, since a stem that is new to the collection takes the word's vector
        self._alike: dict[tuple[str, str], dict[str, float]] = {}

    @classmethod
    def write(
        cls, folder: Path, passages: Sequence[tuple[str, Passage]], embed_words: Callable[[Sequence[str]], Vectors]
    ) -> None:
        """Build the index of (fingerprint, passage) pairs in a folder that appears all at once."""
        bm25s = _bm25s()
        fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        pairs = [content_words(" ".join([passage.title] * TITLE + [passage.text])) for _, passage in passages]
        if any(pairs):
            bm25 = bm25s.BM25(k1=K1, b=B, method="lucene")
            bm25.index([[stem for stem, _ in found] for found in pairs], show_progress=False)
            bm25.save(str(fresh))
        stems, surfaces = _commonest(pairs)
        vectors = embed_words(surfaces)
        np.save(fresh / _VECTORS, vectors.astype(np.float16))
        (fresh / _WORDS).write_text(json.dumps(stems), encoding="utf-8")
        rows = [(passage.paper_id, fingerprint, passage.start, passage.end) for fingerprint, passage in passages]
        (fresh / _ROWS).write_text(json.dumps(rows), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read what ``write`` wrote. Raises FileNotFoundError if the folder is gone, IndexUnusable if it is damaged."""
        try:
            rows = [(str(p), str(f), int(s), int(e)) for p, f, s, e in json.loads((folder / _ROWS).read_text("utf-8"))]
            words = json.loads((folder / _WORDS).read_text("utf-8"))
            vectors = np.load(folder / _VECTORS).astype(np.float32)
            return cls(_load_bm25(folder, bool(words)), rows, words, vectors)
        except FileNotFoundError:
            raise
        except Exception as error:  # numpy and bm25s raise what the damage happens to trip over
            raise IndexUnusable(f"The lexical index {folder} is damaged. Run: readback index --rebuild") from error

    def search(
        self,
        terms: Mapping[str, Mapping[str, float]],
        k: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> list[tuple[int, float]]:
        """(row, score) of the k best rows, best first, ties by row.

        terms: the stems of the question's words, each with the stems that may stand in for it and their weights.
        """
        scores = np.zeros(len(self.rows))
        for stem, alike in terms.items():
            best = np.zeros(len(self.rows))  # a word counts once: as itself, or as the best that stands in for it
            for like, weight in [(stem, 1.0), *alike.items()]:
                rows, values = self._column(like)
                best[rows] = np.maximum(best[rows], weight * values)
            scores += best
        if allowed is not None:
            scores = np.where(allowed, scores, 0.0)
        order = np.argsort(-scores, kind="stable")[:k]
        return [(int(row), float(scores[row])) for row in order if scores[row] > 0.0]

    def alike(
        self, words: Mapping[str, str], embed: Callable[[str], NDArray[np.float32]]
    ) -> dict[str, dict[str, float]]:
        """Stem → the stems that may stand in for it → their weights, best first.

        words: stem → word as asked. embed: called only for words that the vocabulary has no vector of.
        """
        if not len(self._words):
            return {stem: {} for stem in words}
        new = {stem: word for stem, word in words.items() if (stem, word) not in self._alike}
        fresh = self._work_out(new, embed) if new else {}
        if len(self._alike) < MAX_WORDS:
            self._alike |= {(stem, new[stem]): found for stem, found in fresh.items()}
        return {stem: fresh[stem] if stem in fresh else self._alike[stem, word] for stem, word in words.items()}

    def _work_out(
        self, words: Mapping[str, str], embed: Callable[[str], NDArray[np.float32]]
    ) -> dict[str, dict[str, float]]:
        vectors = np.stack(
            [self._vectors[self._place[stem]] if stem in self._place else embed(word) for stem, word in words.items()]
        )
        cosines = vectors @ self._vectors.T
        usual = cosines.mean(axis=1, keepdims=True)  # models differ in how alike they find any two words
        likeness = (cosines - usual) / np.maximum(1.0 - usual, 1e-6)
        return {stem: self._nearest(stem, row) for stem, row in zip(words, likeness, strict=True)}

    def _nearest(self, stem: str, likeness: NDArray[np.float32]) -> dict[str, float]:
        order = np.argsort(-likeness, kind="stable")[: NEAREST + 1]
        found = [(self._words[i], DISCOUNT * float(likeness[i]) ** 2) for i in order if likeness[i] >= MIN_LIKENESS]
        return dict([(word, weight) for word, weight in found if word != stem][:NEAREST])

    def allowed(self, include: frozenset[str], exclude: frozenset[str]) -> NDArray[np.bool_] | None:
        """A mask of the rows whose papers the filters allow; None if they allow all."""
        if not include and not exclude:
            return None
        mask = np.isin(self._papers, list(include)) if include else np.ones(len(self.rows), dtype=bool)
        return np.asarray(mask & ~np.isin(self._papers, list(exclude)), dtype=bool)

    def idf(self, stem: str) -> float:
        """Rarity of a word in [0, 1]: 0 in every passage, 1 in none of them."""
        size = max(len(self.rows), 1)
        df = len(self._column(stem)[0])
        return float(np.log((size + 1) / (df + 1)) / np.log(size + 1))

    def _column(self, stem: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows that hold a stem, and its BM25 score in each."""
        column = self._vocabulary.get(stem)
        if column is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        start, end = self._scores["indptr"][column : column + 2]
        return self._scores["indices"][start:end], self._scores["data"][start:end]


def _load_bm25(folder: Path, has_words: bool) -> Any:
    if not has_words and not any(path.name.startswith("data.csc") for path in folder.iterdir()):
        return None  # nothing indexable, such as an empty collection
    return _bm25s().BM25.load(str(folder), load_vocab=True)


def _bm25s() -> Any:
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets its own level to DEBUG when it is imported
    return bm25s


def _commonest(pairs: Sequence[Sequence[tuple[str, str]]]) -> tuple[list[str], list[str]]:
    """Stems that a question's word may be likened to, each with the form in which it stands most often."""
    spread = Counter(stem for found in pairs for stem in {stem for stem, _ in found})
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for found in pairs:
        for stem, word in found:
            forms[stem][word] += 1
    ranked = sorted(spread, key=lambda stem: (-spread[stem], stem))
    stems = [stem for stem in ranked if len(stem) > 2 and stem.isalpha()][:MAX_WORDS]
    return stems, [min(forms[stem], key=lambda word: (-forms[stem][word], word)) for stem in stems]
