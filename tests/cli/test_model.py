"""``readback model``: what runs on this machine, and a server for a file that the user names."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rag import local_model
from rag.errors import SettingsError
from rag.local_model import GIB, Speed, Weights, measured, serving
from tests.local_model import weights
from ui.cli.model import model


def sparse(path: Path, size: int) -> None:
    """A file of a size that takes no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_files_that_run_here_are_told_from_those_that_are_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_model, "memory", lambda: 16 * GIB)
    sparse(tmp_path / "large.gguf", 20 * GIB)
    sparse(tmp_path / "below" / "small.gguf", 2 * GIB)
    sparse(tmp_path / "middle.gguf", 8 * GIB)
    (tmp_path / "notes.txt").write_text("no model")
    shown = CliRunner().invoke(model, ["--folder", str(tmp_path)]).output.splitlines()
    assert shown[0] == "memory      16.0 GB"
    files = [line for line in shown if ".gguf:" in line]
    assert [line.rpartition("/")[2] for line in files] == [
        "small.gguf: runs here; with the short rules",
        "middle.gguf: runs here",
        "large.gguf: too large",
    ]


def test_without_a_folder_or_files_it_says_what_to_do(tmp_path: Path) -> None:
    assert "name a folder" in CliRunner().invoke(model, []).output
    assert "no GGUF file" in CliRunner().invoke(model, ["--folder", str(tmp_path)]).output


def test_seconds_of_an_answer_come_from_both_speeds() -> None:
    assert Speed(reading=120.0, writing=15.0).seconds == pytest.approx(20.0)


def test_without_llama_cpp_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "installed", lambda: False)
    with (
        pytest.raises(SettingsError, match=r"pip install .\.\[local\]"),
        serving(Weights(Path("x"), 1), context_tokens=9),
    ):
        pass


def test_a_file_of_weights_is_served_and_measured() -> None:
    file = weights()
    with serving(Weights(file, file.stat().st_size), context_tokens=1024) as address:
        assert address.startswith("http://127.0.0.1:")
        speed = measured(address)
    assert speed.reading > 0
    assert speed.writing > 0
