"""The cache of document vectors."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.embed.cache import BATCH, CachedEmbedder
from rag.errors import ProviderBusy, SettingsError
from rag.ports import Kind, Vectors
from tests.index import jobs
from tests.index.fakes import WordEmbedder

TEXTS = [f"text number {number} {'abcdefghij'[number % 10] * 3}" for number in range(100)]


class Failing(WordEmbedder):
    """Fails at its third call for documents."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        self.calls += 1
        if self.calls == 3:
            raise ProviderBusy("The server is busy.")
        return super().embed(texts, kind)


def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    inner = WordEmbedder()
    cached = CachedEmbedder(inner, tmp_path / "cache.sqlite3")
    assert (cached.name, cached.dimension) == (inner.name, inner.dimension)
    expected = WordEmbedder().embed(TEXTS, "document")
    assert np.array_equal(cached.embed(TEXTS, "document"), expected)
    assert inner.embedded == TEXTS
    again = CachedEmbedder(inner, tmp_path / "cache.sqlite3")  # the next process
    assert np.array_equal(again.embed(TEXTS[::-1], "document"), expected[::-1])
    assert len(inner.embedded) == len(TEXTS)
    again.embed([*TEXTS[:3], "new"], "document")
    assert inner.embedded[len(TEXTS) :] == ["new"]


def test_a_text_that_comes_twice_at_once_is_embedded_once(tmp_path: Path) -> None:
    inner = WordEmbedder()
    vectors = CachedEmbedder(inner, tmp_path / "cache.sqlite3").embed(["twin", "other", "twin"], "document")
    assert sorted(inner.embedded) == ["other", "twin"]
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])


def test_another_model_has_its_own_vectors(tmp_path: Path) -> None:
    first, second = WordEmbedder("first", 8), WordEmbedder("second", 16)
    CachedEmbedder(first, tmp_path / "cache.sqlite3").embed(["text"], "document")
    assert CachedEmbedder(second, tmp_path / "cache.sqlite3").embed(["text"], "document").shape == (1, 16)
    assert second.embedded == ["text"]


def test_texts_that_differ_by_a_space_are_different(tmp_path: Path) -> None:
    inner = WordEmbedder()
    CachedEmbedder(inner, tmp_path / "cache.sqlite3").embed(["text", "text ", "Text"], "document")
    assert len(inner.embedded) == 3


def test_what_arrived_before_a_failure_is_kept(tmp_path: Path) -> None:
    inner = Failing()
    cached = CachedEmbedder(inner, tmp_path / "cache.sqlite3")
    with pytest.raises(ProviderBusy):
        cached.embed(TEXTS, "document")
    kept = len(inner.embedded)
    assert kept == 2 * BATCH
    assert np.array_equal(cached.embed(TEXTS, "document"), WordEmbedder().embed(TEXTS, "document"))
    assert inner.embedded == TEXTS  # nothing twice


def test_questions_are_not_written_down(tmp_path: Path) -> None:
    cached = CachedEmbedder(WordEmbedder(), tmp_path / "cache.sqlite3")
    expected = WordEmbedder().embed(["a question"], "query")
    assert np.array_equal(cached.embed(["a question"], "query"), expected)
    assert np.array_equal(cached.embed(["a question", "a question"], "query"), np.concatenate([expected, expected]))
    with closing(sqlite3.connect(tmp_path / "cache.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM vector").fetchone() == (0,)


def test_nothing_gives_no_rows(tmp_path: Path) -> None:
    cached = CachedEmbedder(WordEmbedder(), tmp_path / "cache.sqlite3")
    assert cached.embed([], "document").shape == cached.embed([], "query").shape == (0, 256)


def test_two_processes_fill_one_cache(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite3"
    processes = [jobs.start(jobs.fill_cache, path, TEXTS[start:]) for start in (0, 0, 30, 60)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    inner = WordEmbedder()
    vectors = CachedEmbedder(inner, path).embed(TEXTS, "document")
    assert inner.embedded == []
    assert np.array_equal(vectors, WordEmbedder().embed(TEXTS, "document"))


@pytest.mark.parametrize("content", [b"not a database" * 1000, b""])
def test_a_damaged_cache_is_started_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache.sqlite3"
    path.write_bytes(content)
    cached = CachedEmbedder(WordEmbedder(), path)
    assert np.array_equal(cached.embed(["text"], "document"), WordEmbedder().embed(["text"], "document"))


def test_a_folder_that_cannot_be_made_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="READBACK_DATA_DIR"):
        CachedEmbedder(WordEmbedder(), tmp_path / "file" / "cache.sqlite3")
