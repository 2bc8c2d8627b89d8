"""The memory of vectors."""

from __future__ import annotations

import numpy as np

from rag.embed.cache import FEW, CachedEmbedder
from tests.index.fakes import WordEmbedder

TEXTS = [f"text number {number}" for number in range(2 * FEW)]


def test_a_text_is_embedded_once() -> None:
    inner = WordEmbedder()
    cached = CachedEmbedder(inner)
    assert (cached.name, cached.dimension) == (inner.name, inner.dimension)
    expected = WordEmbedder().embed(TEXTS[:10], "document")
    assert np.array_equal(cached.embed(TEXTS[:10], "document"), expected)
    assert np.array_equal(cached.embed(TEXTS[9::-1], "document"), expected[::-1])
    cached.embed([*TEXTS[:3], "new"], "document")
    assert inner.embedded == [*TEXTS[:10], "new"]


def test_a_text_that_comes_twice_at_once_is_embedded_once() -> None:
    inner = WordEmbedder()
    vectors = CachedEmbedder(inner).embed(["twin", "other", "twin"], "document")
    assert sorted(inner.embedded) == ["other", "twin"]
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])


def test_a_question_and_a_document_of_the_same_words_are_different() -> None:
    inner = WordEmbedder()
    cached = CachedEmbedder(inner)
    cached.embed(["text"], "query")
    cached.embed(["text"], "document")
    assert inner.embedded == ["text"]


def test_it_is_bounded() -> None:
    inner = WordEmbedder()
    cached = CachedEmbedder(inner, most=10 * 256 * 4)
    for text in TEXTS:
        cached.embed([text], "document")
    cached.embed(TEXTS[:1], "document")
    assert len(inner.embedded) == len(TEXTS) + 1  # the first was forgotten
    cached.embed(TEXTS[-1:], "document")
    assert len(inner.embedded) == len(TEXTS) + 1  # the last was not


def test_an_indexers_batches_are_handed_through() -> None:
    inner = WordEmbedder()
    cached = CachedEmbedder(inner)
    for _ in range(2):
        assert cached.embed(TEXTS, "document").shape == (len(TEXTS), 256)
    assert len(inner.embedded) == 2 * len(TEXTS)


def test_nothing_gives_no_rows() -> None:
    cached = CachedEmbedder(WordEmbedder())
    assert cached.embed([], "document").shape == cached.embed([], "query").shape == (0, 256)
