"""The command line over a data folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.engine.shared import shipped
from ui.cli import group

__all__ = ["shipped"]  # a fixture


def run(*arguments: str) -> str:
    """What a command prints. It must succeed."""
    result = CliRunner().invoke(group, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def home(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the shipped papers, in the environment."""
    shutil.copytree(shipped, tmp_path / "data")
    monkeypatch.setenv("READBACK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"
