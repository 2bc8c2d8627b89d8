"""Interactions: what is kept of an answer, and that keeping it never gets in the way of anybody."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
import subprocess
import sys
import threading
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.events import EventStore, Exposure
from rag.events.codec import answer_from_json, answer_json
from rag.types import Answer, Citation, RetrievedPaper, Sentence, Usage

from .conftest import Clock
from .samples import an_abstention, an_answer


def test_an_interaction_comes_back_as_it_was(store: EventStore, clock: Clock) -> None:
    answer = an_answer()
    store.record(answer, user="ada", source="page", conversation="c1", turn=3)
    asked_at = clock.now
    found = store.interaction("a1")
    assert found is not None
    stored = found.interaction
    assert (stored.id, stored.user, stored.conversation, stored.turn) == ("a1", "ada", "c1", 3)
    assert (stored.question, stored.standalone_question) == (answer.question, answer.standalone_question)
    assert (stored.source, stored.mode, stored.model, stored.policy_version) == ("page", "extractive", None, "7")
    assert (stored.latency_ms, stored.prompt_tokens, stored.completion_tokens, stored.cost_usd) == (
        45.5,
        120,
        30,
        0.002,
    )
    assert (stored.at, stored.at.utcoffset()) == (asked_at, UTC.utcoffset(None))
    assert stored.answer == answer
    assert found.feedback == ()


def test_exposure_says_which_papers_were_seen_where(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="page", scores={"p2": {"dense": 0.5, "lexical": math.nan}})
    assert exposures(store, "a1") == (
        Exposure("p1", 1, 1.0, 2, cited=True),
        Exposure("p2", 2, 0.5, 1, cited=True, scores={"dense": 0.5}),
        Exposure("p3", 3, 1 / 3, None),
        Exposure("p4", 4, 0.25, None),
    )


def test_a_face_may_say_what_it_showed(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="api", shown=["p4", "elsewhere", "p4"])
    positions = {paper.paper_id: (paper.rank, paper.position) for paper in exposures(store, "a1") if paper.shown}
    assert positions == {"p4": (4, 1), "elsewhere": (None, 2)}
    store.record(an_answer("a2"), user="ada", source="api", shown=[])
    assert not any(paper.shown for paper in exposures(store, "a2"))


def test_an_abstention_shows_the_closest_evidence(store: EventStore) -> None:
    store.record(an_abstention(), user="ada", source="page")
    assert [paper.paper_id for paper in exposures(store, "a0") if paper.shown] == ["p3"]
    found = store.interaction("a0")
    assert found is not None
    assert found.interaction.abstained
    assert found.interaction.answer == an_abstention()


def test_recording_does_not_wait_for_a_database_that_is_busy(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    with EventStore.open(file) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(200):
            store.record(an_answer(f"a{number}"), user="ada", source="page")
        assert store.health().written == 0
        other.execute("ROLLBACK")
        assert store.flush()
        assert (store.health().written, store.health().queued, store.health().ok) == (200, 0, True)


def test_what_cannot_be_written_is_counted_and_logged_without_the_question(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "events.db"
    with EventStore.open(file, retry_s=0, clock=Clock()) as store:
        with closing(sqlite3.connect(file)) as other:
            other.execute("ALTER TABLE exposures RENAME TO elsewhere")
        with caplog.at_level(logging.WARNING, "rag.events"):
            store.record(an_answer(question="SECRET"), user="ada", source="page")
            store.record(an_answer("a2", question="SECRET"), user="ada", source="page")
            assert store.flush()
        health = store.health()
        assert (health.ok, health.failed, health.written) == (False, 2, 0)
        assert "no such table: exposures" in (health.last_error or "")
        assert len(caplog.records) == 1, "losses are logged, but do not flood the log"
        assert "SECRET" not in caplog.text + str(health)
        with closing(sqlite3.connect(file)) as other:
            other.execute("ALTER TABLE elsewhere RENAME TO exposures")
        store.record(an_answer("a3"), user="ada", source="page")
        assert store.flush()
        assert store.health().written == 1


def test_a_database_that_comes_back_in_time_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    with EventStore.open(file, busy_timeout_s=0.01, retry_s=20) as store:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.record(an_answer(), user="ada", source="page")
            assert not store.flush(0.2)
            other.execute("ROLLBACK")
        assert store.flush()
        assert store.health().ok


@pytest.mark.parametrize(
    "fault",
    [
        {"user": ""},
        {"user": "a\nb"},
        {"user": 5},
        {"source": "fax"},
        {"turn": 0},
        {"conversation": "x" * 201},
        {"at": datetime(2026, 1, 1)},
    ],
)
def test_a_bad_record_is_lost_alone_and_raises_nothing(store: EventStore, fault: dict[str, object]) -> None:
    store.record(an_answer("good1"), user="ada", source="page")
    store.record(an_answer("bad"), **{"user": "ada", "source": "page", **fault})  # type: ignore[arg-type]
    store.record(an_answer("good2"), user="ada", source="page")
    assert store.flush()
    assert (store.health().written, store.health().failed) == (2, 1)
    assert store.interaction("bad") is None


def test_the_same_answer_is_recorded_once(store: EventStore) -> None:
    for user in ("ada", "ada", "bob"):
        store.record(an_answer(), user=user, source="page")
    assert store.flush()
    assert (store.health().written, store.health().failed) == (1, 2)
    found = store.interaction("a1")
    assert found is not None
    assert found.interaction.user == "ada"


def test_a_full_queue_drops_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    with EventStore.open(file, queue_size=5) as store, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(150):
            store.record(an_answer(f"a{number}"), user="ada", source="page")
        other.execute("ROLLBACK")
        assert store.flush()
        health = store.health()
        assert not health.ok
        assert health.dropped > 0
        assert health.written + health.dropped == 150


def test_closing_writes_what_waits_and_then_refuses(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    store = EventStore.open(file)
    for number in range(300):
        store.record(an_answer(f"a{number}"), user="ada", source="page")
    store.close()
    store.close()
    store.record(an_answer("late"), user="ada", source="page")
    assert store.health().dropped == 1
    with EventStore.open(file) as again:
        assert again.stats().interactions == 300


@pytest.mark.timeout(100)
def test_closing_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.events.writer.Writer.close.__defaults__", (0.2,))
    file = tmp_path / "events.db"
    store = EventStore.open(file, busy_timeout_s=0.01, retry_s=1000)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.record(an_answer(), user="ada", source="page")
        store.close()
    assert store.health().failed == 1


def test_a_program_that_forgets_to_close_loses_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from rag.events import EventStore; from tests.events.samples import an_answer\n"
        "store = EventStore.open(sys.argv[1])\n"
        "for n in range(50): store.record(an_answer(f'a{n}'), user='ada', source='cli')\n"
    )
    file = tmp_path / "events.db"
    subprocess.run([sys.executable, "-W", "error", "-c", program, file], check=True, timeout=60, cwd=ROOT)
    with EventStore.open(file) as store:
        assert store.stats().interactions == 50


def test_many_threads_record_and_judge_at_once(store: EventStore) -> None:
    errors: list[Exception] = []

    def chat(person: int) -> None:
        try:
            for turn in range(1, 6):
                id = f"{person}-{turn}"
                store.record(an_answer(id), user=f"u{person}", source="page", conversation="c", turn=turn)
                store.feedback(id, user=f"u{person}", kind="answered", value="yes")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=chat, args=(person,)) for person in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (store.stats().interactions, store.stats().feedback) == (60, {"answered:yes": 60})
    assert all(len(store.conversation(f"u{person}", "c").turns) == 5 for person in range(12))


# Whatever an answer holds comes back, or becomes what a database can hold


TEXT = st.text(max_size=40)
SCORE = st.floats(0, 1)
CITATION = st.builds(Citation, st.integers(1, 9), TEXT, TEXT, TEXT, st.integers(0, 99), st.integers(0, 99), SCORE)
ANSWERS = st.builds(
    Answer,
    id=st.uuids().map(str),
    question=TEXT,
    standalone_question=TEXT,
    text=TEXT,
    abstained=st.booleans(),
    abstain_reason=st.none() | TEXT,
    sentences=st.lists(
        st.builds(Sentence, TEXT, st.lists(st.integers(1, 9)).map(tuple), st.booleans(), SCORE), max_size=3
    ).map(tuple),
    citations=st.lists(CITATION, max_size=3).map(tuple),
    retrieved=st.lists(st.builds(RetrievedPaper, st.integers(1, 20), TEXT, TEXT, SCORE), max_size=3).map(tuple),
    mode=st.sampled_from(["extractive", "generative"]),
    model=st.none() | TEXT,
    policy_version=TEXT,
    usage=st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6), st.none() | SCORE),
    timings_ms=st.dictionaries(st.sampled_from(["rewrite", "total"]), SCORE),
    notice=st.none() | TEXT,
    closest=st.lists(CITATION, max_size=2).map(tuple),
    suggestions=st.lists(TEXT, max_size=2).map(tuple),
)


@given(ANSWERS)
def test_any_answer_survives_json(answer: Answer) -> None:
    assert answer_from_json(answer_json(answer)) == answer


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(answer=ANSWERS, wild=st.text(st.characters(categories=["Cs", "Cc", "L"]), max_size=20))
def test_any_answer_is_stored(store: EventStore, answer: Answer, wild: str) -> None:
    answer = replace(answer, id=uuid.uuid4().hex)  # an example may come twice, an id may not
    before = store.health().written
    store.record(answer, user="ada", source="page", shown=[wild])
    assert store.flush()
    assert (store.health().written, store.health().last_error) == (before + 1, None)
    found = store.interaction(answer.id)
    assert found is not None
    assert found.interaction.answer == answer


def test_numbers_that_json_lacks_do_not_lose_the_answer(store: EventStore) -> None:
    store.record(an_answer(timings_ms={"total": math.inf}, usage=Usage(1, 1, math.nan)), user="ada", source="page")
    found = store.interaction("a1")
    assert found is not None
    assert (found.interaction.latency_ms, found.interaction.cost_usd) == (None, None)
    assert found.interaction.answer is not None
    assert found.interaction.answer.text == an_answer().text


def test_answers_of_other_versions_are_read() -> None:
    fields = json.loads(answer_json(an_answer())) | {"mood": "sunny"}
    del fields["suggestions"], fields["notice"]
    assert answer_from_json(json.dumps(fields)) == an_answer()
    for broken in ("[]", "{}", "nonsense", '{"citations": 5}'):
        with pytest.raises(ValueError, match=r"Answer|Expecting"):
            answer_from_json(broken)


def test_an_unreadable_answer_does_not_hide_the_rest(sqlite: EventStore, tmp_path: Path) -> None:
    sqlite.record(an_answer(), user="ada", source="page")
    assert sqlite.flush()
    with closing(sqlite3.connect(tmp_path / "events.db")) as other:
        other.execute("UPDATE interactions SET answer = 'broken'")
        other.commit()
    found = sqlite.interaction("a1")
    assert found is not None
    assert (found.interaction.answer, found.interaction.question) == (None, "How does feedback help?")


ROOT = Path(__file__).parents[2]


def exposures(store: EventStore, id: str) -> tuple[Exposure, ...]:
    found = store.interaction(id)
    assert found is not None
    return found.interaction.papers
