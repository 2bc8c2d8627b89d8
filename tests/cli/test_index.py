"""``readback index``: exit codes, counts, and one clear line for each thing that can go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

import rag.embed
from rag.settings import Settings
from tests.index.fakes import WordEmbedder, make_paper, make_papers, open_index
from ui.cli import main

OTHER = WordEmbedder("other-model", 192)


@pytest.fixture(autouse=True)
def fake_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedding takes no time, and READBACK_EMBED_MODEL=other chooses another one."""
    monkeypatch.setattr(
        rag.embed, "open_embedder", lambda settings: OTHER if settings.embed_model == "other" else WordEmbedder()
    )


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The console script in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["readback", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)


def write(path: Path, count: int, version: str = "first") -> Path:
    """A JSONL file of papers."""
    lines = [
        json.dumps({"id": paper.id, "title": paper.title, "abstract": paper.abstract})
        for paper in make_papers(count, version)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def indexed() -> list[str]:
    return sorted(open_index(Settings.load().data_dir).catalog.fingerprints())


def test_counts_of_every_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "index", write(tmp_path / "a.jsonl", 3)) == 0
    first = capsys.readouterr()
    assert first.out == "3 added, 0 changed, 0 unchanged, 0 removed. The collection holds 3 papers.\n"
    assert "Indexing" in first.err
    assert "DEBUG" not in first.err

    both = [*make_papers(1), make_paper(1, "second"), make_paper(5)]
    lines = [json.dumps({"id": one.id, "title": one.title, "abstract": one.abstract}) for one in both]
    (tmp_path / "b.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert run(monkeypatch, "index", tmp_path / "b.jsonl") == 0
    assert capsys.readouterr().out == "1 added, 1 changed, 1 unchanged, 0 removed. The collection holds 4 papers.\n"
    assert run(monkeypatch, "index", "--prune", tmp_path / "b.jsonl") == 0
    assert capsys.readouterr().out == "0 added, 0 changed, 3 unchanged, 1 removed. The collection holds 3 papers.\n"


def test_without_files_the_last_ones_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "index", write(tmp_path / "a.jsonl", 2))
    write(tmp_path / "a.jsonl", 4)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    capsys.readouterr()
    assert run(monkeypatch, "index") == 0
    assert capsys.readouterr().out.startswith("2 added, 0 changed, 2 unchanged")


def test_a_bad_file_loses_nothing_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "index", write(tmp_path / "good.jsonl", 3))
    before = indexed()
    bad = write(tmp_path / "bad.jsonl", 6)
    bad.write_text(bad.read_text() + '{"id": "x", "title": "No abstract"}\n{"broken\n')
    for options in ([], ["--prune"], ["--rebuild"]):
        capsys.readouterr()
        assert run(monkeypatch, "index", *options, bad) == 1
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert "bad.jsonl, line 7" in line
        assert indexed() == before


def test_skip_bad_goes_on_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write(tmp_path / "bad.jsonl", 6)
    bad.write_text(bad.read_text() + '{"id": "x", "title": "No abstract"}\n{"broken\n')
    assert run(monkeypatch, "index", "--skip-bad", bad) == 0
    out, err = capsys.readouterr()
    assert out == "6 added, 0 changed, 0 unchanged, 0 removed, 2 records skipped. The collection holds 6 papers.\n"
    skipped = [line for line in err.splitlines() if line.startswith("Skipped: ")]
    assert ["line 7" in skipped[0], "line 8" in skipped[1]] == [True, True]


def test_prune_does_not_remove_everything_because_a_file_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "index", write(tmp_path / "good.jsonl", 3))
    (tmp_path / "bad.jsonl").write_text('{"broken\n{"broken too\n')
    assert run(monkeypatch, "index", "--prune", "--skip-bad", tmp_path / "bad.jsonl") == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert len(indexed()) == 3


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "index", tmp_path / "nowhere.bib") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("readback: ")
    assert "nowhere.bib" in line


def test_another_embedder_needs_a_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.jsonl", 3)
    run(monkeypatch, "index", file)
    monkeypatch.setenv("READBACK_EMBED_MODEL", "other")
    capsys.readouterr()
    assert run(monkeypatch, "index", file) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert all(part in line for part in ("'words'", "'other-model'", "readback index --rebuild"))
    assert run(monkeypatch, "index", "--rebuild") == 0
    assert "The collection holds 3 papers." in capsys.readouterr().out
    assert run(monkeypatch, "index", file) == 0


def test_a_second_indexer_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.jsonl", 3)
    data = Settings.load().data_dir
    data.mkdir(parents=True)
    with FileLock(data / "index.lock"):
        assert run(monkeypatch, "index", file) == 1
    assert "Another indexer is at work" in capsys.readouterr().err


def test_a_damaged_catalog_needs_the_files_to_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.jsonl", 3)
    run(monkeypatch, "index", file)
    (Settings.load().data_dir / "catalog.sqlite3").write_bytes(b"no database" * 1000)
    capsys.readouterr()
    for arguments in (["index"], ["index", file], ["index", "--rebuild"]):
        assert run(monkeypatch, *arguments) == 1
        assert "readback index --rebuild FILES" in capsys.readouterr().err
    assert run(monkeypatch, "index", "--rebuild", file) == 0
    assert len(indexed()) == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("READBACK_CHROMA_URL", "localhost:8000", "READBACK_CHROMA_URL: "),
        ("READBACK_COLECTION", "x", "Did you mean READBACK_COLLECTION?"),
    ],
)
def test_a_wrong_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    assert run(monkeypatch, "index") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_data_folder_that_cannot_be_made_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = readback("index", READBACK_DATA_DIR=str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "READBACK_DATA_DIR" in line


def test_a_wrong_log_level_is_a_wrong_setting() -> None:
    done = readback("index", READBACK_LOG_LEVEL="LOUD")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("readback: READBACK_LOG_LEVEL: ")


def test_the_shipped_papers_are_indexed_when_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "index") == 0
    assert len(indexed()) == 119


def readback(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The console script in a process of its own."""
    command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False)
