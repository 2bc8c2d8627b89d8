"""readback why: how an answer was found, from the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.errors import ReadbackError
from rag.events import EventStore
from rag.types import Answer
from ui.cli.why import why

TRACE = {
    "stages": {"retrieve": {"chunks": 3}},
    "papers": {"p1": {"dense": 0.5}},
    "left_out": [{"what": "A sentence.", "why": "no abstract says so"}],
    "milliseconds": {"retrieve": 1.5},
}


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an answer in the record that the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READBACK_DATA_DIR", str(tmp_path))
    answer = Answer("a1", "Asked?", "Searched?", "Said.", False, None, (), (), (), "extractive", None, trace=TRACE)
    with EventStore.open(tmp_path / "events.db") as store:
        store.record(answer, user="ada", source="page")
    return answer.id


def test_every_stage_says_what_it_gave(recorded: str) -> None:
    result = CliRunner().invoke(why, [recorded])
    assert result.exit_code == 0, result.output
    for words in ("Asked?", "Searched?", "retrieve (1.5 ms)", "chunks: 3", "p1  dense 0.500", "no abstract says so"):
        assert words in result.output


def test_programs_get_all_of_it(recorded: str) -> None:
    assert json.loads(CliRunner().invoke(why, [recorded, "--json"]).output) == TRACE


def test_an_answer_that_nobody_got(recorded: str) -> None:
    assert isinstance(CliRunner().invoke(why, ["nothing"]).exception, ReadbackError)
