"""``events …`` on the command line: what it prints, what it asks, and where it gets the record from."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from rag.events import EventStore
from rag.events.commands import events

from .conftest import Clock
from .samples import an_answer

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite: EventStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    sqlite.record(an_answer(), user="ada", source="page", conversation="c1")
    sqlite.record(an_answer("b1"), user="bob", source="api")
    sqlite.feedback("a1", user="ada", kind="answered", value="partly")

    monkeypatch.setattr("rag.events.commands.opened", lambda: nullcontext(sqlite))

    def invoke(*arguments: str, input: str | None = None) -> Result:
        return CliRunner().invoke(events, arguments, input=input)

    return invoke


def test_export_prints_json_lines(run: Run) -> None:
    result = run("export", "--user", "ada")
    assert result.exit_code == 0
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == [
        "interactions", "feedback", "conversations",
    ]  # fmt: skip


def test_export_writes_files_and_prints_their_names(run: Run, tmp_path: Path) -> None:
    result = run("export", "--format", "parquet", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert [Path(line).name for line in result.stdout.splitlines()] == [
        "interactions.parquet", "feedback.parquet", "conversations.parquet",
    ]  # fmt: skip
    assert all(Path(line).is_file() for line in result.stdout.splitlines())
    assert run("export", "--format", "parquet").exit_code == 2


def test_forget_asks_first_and_can_hand_over(run: Run, sqlite: EventStore, tmp_path: Path) -> None:
    assert run("forget", "--user", "ada", input="n\n").exit_code == 1
    assert sqlite.stats().interactions == 2
    result = run("forget", "--user", "ada", "--export", str(tmp_path / "ada"), input="y\n")
    assert result.exit_code == 0
    assert result.stdout == "deleted: 1 interactions, 1 feedback, 1 conversations\n"
    assert '"ada"' in (tmp_path / "ada" / "interactions.jsonl").read_text()
    assert run("forget", "--user", "ada", "--yes").stdout == "deleted: 0 interactions, 0 feedback, 0 conversations\n"
    assert sqlite.stats().interactions == 1


def test_nothing_is_forgotten_that_could_not_be_handed_over(run: Run, sqlite: EventStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("forget", "--user", "ada", "--yes", "--export", str(tmp_path / "file" / "in"))
    assert "cannot be written" in str(result.exception)
    assert sqlite.stats().interactions == 2


def test_purge_needs_to_know_how_old(run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.events.commands.Settings.load", lambda: SimpleNamespace(retention_days=None))
    assert "--older-than-days" in run("purge").stderr
    clock.now = clock.now.replace(year=clock.now.year + 1)
    assert run("purge", "--older-than-days", "400").stdout.startswith("deleted: 0")
    assert run("purge", "--older-than-days", "0").exit_code == 2
    monkeypatch.setattr("rag.events.commands.Settings.load", lambda: SimpleNamespace(retention_days=300))
    assert run("purge").stdout == "deleted: 2 interactions, 1 feedback, 1 conversations\n"


def test_stats_for_people_and_programs(run: Run) -> None:
    lines = dict(line.rsplit(maxsplit=1) for line in run("stats").stdout.splitlines())
    assert (lines["interactions"], lines["users"], lines["feedback answered:partly"]) == ("2", "2", "1")
    stats = json.loads(run("stats", "--json").stdout)
    assert (stats["interactions"], stats["feedback"]) == (2, {"answered:partly": 1})


def test_the_settings_say_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READBACK_DATA_DIR", str(tmp_path))
    with EventStore.open(tmp_path / "events.db") as store:
        store.record(an_answer(), user="ada", source="page")
    assert json.loads(CliRunner().invoke(events, ["stats", "--json"]).stdout)["interactions"] == 1
    monkeypatch.setenv("READBACK_EVENTS_URL", "mysql://nowhere")
    result = CliRunner().invoke(events, ["stats"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "postgresql://" in str(result.exception)
