"""Handing over, forgetting, ageing out, and keeping people's words out of the record altogether."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest

from rag.events import Counts, EventRefused, EventStore, EventsUnavailable

from .conftest import Clock
from .samples import an_answer

pq = import_module("pyarrow.parquet")  # it has no types
WORDS = ("zebra question", "zebra answer", "zebra comment", "zebra edit", "zebra title")


def use(store: EventStore, user: str, prefix: str = "a") -> None:
    """One conversation of two turns with feedback, full of words that can be looked for."""
    for turn in (1, 2):
        answer = an_answer(f"{user}-{prefix}{turn}", "zebra question", text="zebra answer [1]")
        store.record(answer, user=user, source="page", conversation=f"{user}-{prefix}", turn=turn)
    store.feedback(f"{user}-{prefix}1", user=user, kind="comment", value="zebra comment")
    store.feedback(f"{user}-{prefix}1", user=user, kind="edit", value="zebra edit")
    store.feedback(f"{user}-{prefix}2", user=user, kind="evidence", value="useful", paper_id="p1")
    store.feedback(f"{user}-{prefix}2", user=user, kind="dwell", value=2.5)


def test_json_lines_hold_everything(store: EventStore) -> None:
    use(store, "ada")
    rows = [json.loads(line) for line in store.export_lines()]
    assert [row["type"] for row in rows] == [
        "interactions", "feedback", "feedback", "interactions", "feedback", "feedback", "conversations",
    ]  # fmt: skip
    first, comment = rows[0], rows[1]
    assert first["at"] == "2026-03-01T12:00:01+00:00"
    said = replace(an_answer("ada-a1", "zebra question", text="zebra answer [1]"), recorded=True)
    assert first["answer"] == json.loads(json.dumps({**said.to_dict(), "trace": {}}))
    assert first["papers"][0] == {
        "paper_id": "p1", "rank": 1, "score": 1.0, "position": 2, "cited": True, "scores": {}, "shown": True,
    }  # fmt: skip
    assert (comment["interaction_id"], comment["kind"], comment["value"]) == ("ada-a1", "comment", "zebra comment")
    assert rows[5]["value"] == 2.5


def test_json_files_say_the_same(store: EventStore, tmp_path: Path) -> None:
    use(store, "ada")
    paths = store.export(tmp_path / "out")
    assert [path.name for path in paths] == ["interactions.jsonl", "feedback.jsonl", "conversations.jsonl"]
    in_files = [
        {"type": path.stem, **json.loads(line)} for path in paths for line in path.read_text("utf-8").splitlines()
    ]
    in_stream = [json.loads(line) for line in store.export_lines()]
    assert sorted(in_files, key=str) == sorted(in_stream, key=str)
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths), "what people asked is not for everybody"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)


def test_parquet_says_the_same(store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.events.export.ROWS", 2)  # several row groups
    use(store, "ada")
    store.record(an_answer("b"), user="bob", source="api", scores={"p1": {"dense": 0.25}})
    tables = {path.stem: pq.read_table(path) for path in store.export(tmp_path, "parquet")}
    lines = [json.loads(line) for line in store.export_lines()]
    asked = tables["interactions"].to_pylist()
    expected = [row for row in lines if row["type"] == "interactions"]
    assert [row["id"] for row in asked] == [row["id"] for row in expected]
    assert [json.loads(row["answer"]) for row in asked] == [row["answer"] for row in expected]
    assert [row["at"].isoformat() for row in asked] == [row["at"] for row in expected]
    assert asked[2]["papers"][0]["scores"] == [("dense", 0.25)]
    assert [paper["position"] for paper in asked[2]["papers"]] == [2, 1, None, None]
    said = tables["feedback"].to_pylist()
    assert [(row["value"], row["seconds"]) for row in said] == [
        ("zebra comment", None), ("zebra edit", None), ("useful", None), (None, 2.5),
    ]  # fmt: skip
    assert [row["id"] for row in tables["conversations"].to_pylist()] == ["ada-a"]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_an_empty_record_is_exported_as_empty_files(sqlite: EventStore, tmp_path: Path, format: str) -> None:
    for path in sqlite.export(tmp_path / "out", format):
        assert (pq.read_table(path).num_rows if format == "parquet" else len(path.read_text())) == 0


def test_export_says_what_is_wrong(sqlite: EventStore, tmp_path: Path) -> None:
    with pytest.raises(EventRefused, match="jsonl, parquet"):
        sqlite.export(tmp_path, "xlsx")
    (tmp_path / "file").write_text("")
    with pytest.raises(EventsUnavailable, match="cannot be written"):
        sqlite.export(tmp_path / "file")


def test_handing_over_holds_one_person_only(store: EventStore, tmp_path: Path) -> None:
    use(store, "ada")
    use(store, "bob")
    text = "".join(path.read_text() for path in store.export(tmp_path, user="ada"))
    assert "ada" in text
    assert "bob" not in text
    assert "bob" not in "".join(store.export_lines(user="ada"))


def test_forgetting_deletes_every_row_of_one_person(store: EventStore) -> None:
    use(store, "ada")
    use(store, "bob")
    assert store.forget("ada") == Counts(interactions=2, feedback=4, conversations=1)
    assert '"ada"' not in "".join(store.export_lines())  # in quotes: an id made at random may hold its letters
    assert store.conversations("ada") == []
    assert (store.stats().interactions, store.stats().users) == (2, 1)
    assert len(store.conversation("bob", "bob-a").turns) == 2
    assert store.forget("ada") == Counts()
    use(store, "ada", "new")
    assert len(store.conversations("ada")) == 1, "who was forgotten may come back"


def test_deleted_words_are_gone_from_the_disk(tmp_path: Path, clock: Clock) -> None:
    with EventStore.open(tmp_path / "events.db", clock=clock) as store:
        deletions: tuple[Callable[[], object], ...] = (
            lambda: store.delete_conversation("ada", "ada-a"),
            lambda: store.forget("ada"),
            lambda: store.purge(1),
        )
        for delete in deletions:
            use(store, "ada")
            store.rename_conversation("ada", "ada-a", "zebra title")
            assert all(word.encode() in on_disk(tmp_path) for word in WORDS)
            clock.now += timedelta(days=2)
            delete()
            assert not any(word.encode() in on_disk(tmp_path) for word in WORDS)
            store.purge(0.0001)


def test_purging_takes_what_is_old_and_what_hangs_on_it(store: EventStore, clock: Clock) -> None:
    use(store, "ada")
    clock.now += timedelta(days=10)
    store.feedback("ada-a1", user="ada", kind="stop")  # late feedback does not make the question younger
    use(store, "ada", "b")
    assert store.purge(30) == Counts()
    assert store.purge(5) == Counts(interactions=2, feedback=5, conversations=1)
    assert [summary.id for summary in store.conversations("ada")] == ["ada-b"]
    assert len(list(store.episodes())) == 2


def test_a_conversation_that_goes_on_loses_its_old_turns_only(store: EventStore, clock: Clock) -> None:
    store.record(an_answer("a1", "Old?"), user="ada", source="page", conversation="c", turn=1)
    assert store.flush()
    clock.now += timedelta(days=10)
    store.record(an_answer("a2", "New?"), user="ada", source="page", conversation="c", turn=2)
    assert store.flush()
    assert store.purge(5) == Counts(interactions=1)
    assert [(one.id, one.title) for one in store.conversations("ada")] == [("c", "New?")]


def test_retention_is_kept_at_the_start(where: str, clock: Clock) -> None:
    with EventStore.open(where, clock=clock) as store:
        use(store, "ada")
    clock.now += timedelta(days=40)
    with EventStore.open(where, clock=clock, retention_days=30) as store:
        store.record(an_answer("new"), user="ada", source="page")
        assert store.flush()  # the chore comes before the first write
        assert [episode.interaction.id for episode in store.episodes()] == ["new"]


def test_retention_is_kept_while_running(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.events.store.TIDY_EVERY_S", 0.01)
    with EventStore.open(tmp_path / "events.db", clock=clock, retention_days=30) as store:
        use(store, "ada")
        clock.now += timedelta(days=40)
        deadline = time.monotonic() + 10
        while store.conversations("ada") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert store.conversations("ada") == []


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), 1e9])
def test_days_must_make_sense(sqlite: EventStore, tmp_path: Path, days: float) -> None:
    with pytest.raises(EventRefused, match="positive"):
        sqlite.purge(days)
    with pytest.raises(EventRefused, match="positive"):
        EventStore.open(tmp_path / "other.db", retention_days=days)


def test_without_words_the_signals_stay(where: str, clock: Clock, tmp_path: Path) -> None:
    with EventStore.open(where, clock=clock, keep_questions=False) as store:
        use(store, "ada")
        acknowledged = store.feedback("ada-a1", user="ada", kind="rephrase", value="zebra again")
        assert acknowledged.value is None
        assert "zebra" not in "".join(store.export_lines())
        assert b"zebra" not in on_disk(tmp_path)
        first, second = store.episodes()
        assert (first.interaction.question, first.interaction.answer) == (None, None)
        assert (first.interaction.user, first.interaction.conversation, first.interaction.turn) == ("ada", "ada-a", 1)
        assert [paper.paper_id for paper in first.interaction.papers] == ["p1", "p2", "p3", "p4"]
        assert [one.kind for one in first.feedback] == ["comment", "edit", "rephrase"]
        assert [one.value for one in second.feedback] == ["useful", 2.5]
        assert [summary.title for summary in store.conversations("ada")] == [None]
        assert store.conversations("ada", "zebra") == []
        with pytest.raises(EventRefused, match="keeps no words"):
            store.rename_conversation("ada", "ada-a", "zebra title")


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("events.db*")))
