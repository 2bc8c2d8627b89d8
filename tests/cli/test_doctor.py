"""``readback doctor``: says what works, and by its exit code whether all of it does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import rag.embed
from rag.settings import Settings
from tests.index.fakes import WordEmbedder, make_papers, open_index
from ui.cli import main


@pytest.fixture(autouse=True)
def fake_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedding takes no time."""
    monkeypatch.setattr(rag.embed, "open_embedder", lambda settings: WordEmbedder(settings.embed_model))


def doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, dict[str, str]]:
    """Exit code and lines by their names."""
    monkeypatch.setattr(sys, "argv", ["readback", "doctor", *options])
    with pytest.raises(SystemExit) as exit_:
        main()
    lines = [line.partition(":") for line in capsys.readouterr().out.splitlines()]
    return int(exit_.value.code or 0), {name: text.strip() for name, _, text in lines}


def fill(count: int = 3) -> None:
    settings = Settings.load()
    open_index(settings.data_dir, WordEmbedder(settings.embed_model)).update(make_papers(count))


def test_before_anything_is_indexed_it_is_healthy_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = doctor(monkeypatch, capsys)
    assert code == 0
    assert lines["index"].startswith("nothing is indexed yet")
    assert lines["data folder"] == str(Settings.load().data_dir)
    assert "no language model is configured" in lines["answers"]


def test_an_index_that_works(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    code, lines = doctor(monkeypatch, capsys)
    assert code == 0
    assert lines["index"] == "3 papers, 3 passages: works"
    assert lines["embedder"].endswith("256 dimensions: works")
    assert "embedded" in lines["vectors"]


def test_another_embedder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    monkeypatch.setenv("READBACK_EMBED_MODEL", "other")
    code, lines = doctor(monkeypatch, capsys)
    assert code == 1
    assert lines["index"].startswith("DOES NOT WORK: ")
    assert "readback index --rebuild" in lines["index"]


def test_vectors_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill()
    settings = Settings.load()
    index = open_index(settings.data_dir)
    index.vectors.drop(index.catalog.meta()["collection"])
    index.vectors.close()
    code, lines = doctor(monkeypatch, capsys)
    assert code == 1
    assert "readback index" in lines["index"]


def test_a_damaged_catalog_does_not_keep_the_other_checks_from_running(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill()
    (Settings.load().data_dir / "catalog.sqlite3").write_bytes(b"no database" * 1000)
    code, lines = doctor(monkeypatch, capsys)
    assert code == 1
    assert lines["index"].startswith("DOES NOT WORK: ")
    assert "answers" in lines


def test_a_chroma_server_that_is_down(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fill()
    monkeypatch.setenv("READBACK_CHROMA_URL", "http://127.0.0.1:9")  # the port of "discard", where nothing listens
    code, lines = doctor(monkeypatch, capsys)
    assert code == 1
    assert "READBACK_CHROMA_URL" in lines["index"]


def test_a_model_server_that_is_down(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("READBACK_RETRIES", "0")
    code, lines = doctor(monkeypatch, capsys)
    assert code == 1
    assert lines["language model"].startswith("DOES NOT WORK: ")
    assert "http://127.0.0.1:9/v1" in lines["answers"]
    code, lines = doctor(monkeypatch, capsys, "--offline")
    assert code == 0
    assert "language model" not in lines


def test_no_key_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret-key-of-a-person")
    _, lines = doctor(monkeypatch, capsys, "--offline")
    assert "OpenAI" in lines["answers"]
    assert "s3cret" not in str(lines)
