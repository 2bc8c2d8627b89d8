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

USED = {
    "id": "n7",
    "weight": 0.93,
    "why": "4 people: 1 paper found right",
    "people": 4,
    "since": "2026-01-02",
    "until": "2026-03-04",
}
TRACE = {
    "stages": {"retrieve": {"chunks": 3}, "recall": {"used": [USED]}},
    "papers": {"p1": {"dense": 0.5, "learned": 0.25}, "p2": {"learned": -0.5}},
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
    for words in (
        "Asked?",
        "Searched?",
        "retrieve (1.5 ms)",
        "chunks: 3",
        "p1  dense 0.500  learned 0.250",
        "no abstract says so",
    ):
        assert words in result.output


def test_what_was_learned_is_said_in_words(recorded: str) -> None:
    said = [line for line in CliRunner().invoke(why, [recorded]).output.splitlines() if line.startswith("learned:")]
    assert "from 4 people: 1 paper found right; what they did from 2026-01-02 to 2026-03-04" in said[0]
    assert "93%" in said[0]
    assert "“p2” lost 0.50" in said[1]
    assert "“p1” gained 0.25" in said[2]


def test_programs_get_all_of_it(recorded: str) -> None:
    assert json.loads(CliRunner().invoke(why, [recorded, "--json"]).output) == TRACE


def test_an_answer_that_nobody_got(recorded: str) -> None:
    assert isinstance(CliRunner().invoke(why, ["nothing"]).exception, ReadbackError)
