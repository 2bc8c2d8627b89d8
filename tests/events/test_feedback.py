"""Feedback: what makes sense is stored before it is acknowledged, everything else is refused in words."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import ReadbackError
from rag.events import EventError, EventRefused, EventStore, EventsUnavailable, EventUnknown, Kind
from rag.events.feedback import RULES

from .conftest import Clock
from .samples import an_abstention, an_answer

SENSIBLE: list[tuple[Kind, str | float | None, str | None]] = [
    ("answered", "yes", None),
    ("answered", "partly", None),
    ("answered", "no", None),
    ("reason", "wrong_paper", "p1"),
    ("reason", "wrong_refusal", "the-paper-that-was-missed"),
    ("reason", "not_supported", None),
    ("reason", "incomplete", None),
    ("reason", "too_long", None),
    ("withdraw", "incomplete", None),
    ("comment", "It is the other way round.", None),
    ("comment", "This one is off topic.", "p2"),
    ("edit", "A better answer [1].", None),
    ("evidence", "useful", "p2"),
    ("evidence", "not_useful", "p1"),
    ("open", None, "p1"),
    ("copy", None, None),
    ("copy", None, "p2"),
    ("dwell", 12.5, None),
    ("dwell", 0.0, "p2"),
    ("stop", None, None),
    ("rephrase", "How does relevance feedback help?", None),
]
SENSELESS: list[tuple[str, Any, str | None, str]] = [
    ("applause", None, None, "answered, reason, withdraw, comment"),
    ("answered", "perhaps", None, "yes, partly, no"),
    ("answered", None, None, "yes, partly, no"),
    ("answered", True, None, "yes, partly, no"),
    ("answered", "yes", "p1", "whole answer"),
    ("reason", "bad", None, "wrong_paper, not_supported, incomplete, wrong_refusal, too_long"),
    ("comment", "   ", None, "1 to 4000 characters"),
    ("comment", "x" * 4001, None, "1 to 4000 characters"),
    ("comment", 5, None, "1 to 4000 characters"),
    ("edit", "", None, "1 to 20000 characters"),
    ("evidence", "useful", None, "needs the id of a paper"),
    ("evidence", "useful", "p99", "not one of this answer's"),
    ("evidence", "useful", "p\n1", "printable"),
    ("evidence", 1, "p1", "useful, not_useful"),
    ("open", None, None, "needs the id of a paper"),
    ("open", "wide", "p1", "takes no value"),
    ("copy", "text", None, "takes no value"),
    ("dwell", -1, None, "seconds"),
    ("dwell", float("nan"), None, "seconds"),
    ("dwell", float("inf"), None, "seconds"),
    ("dwell", 90_000, None, "seconds"),
    ("dwell", True, None, "seconds"),
    ("dwell", "5", None, "seconds"),
    ("stop", 3, None, "takes no value"),
    ("rephrase", "\n", None, "1 to 4000 characters"),
]


@pytest.mark.parametrize(("kind", "value", "paper"), SENSIBLE)
def test_sensible_feedback_is_kept(
    sqlite: EventStore, clock: Clock, kind: Kind, value: str | float | None, paper: str | None
) -> None:
    sqlite.record(an_answer(), user="ada", source="page")
    given_back = sqlite.feedback("a1", user="ada", kind=kind, value=value, paper_id=paper)
    assert (given_back.kind, given_back.value, given_back.paper_id) == (kind, value, paper)
    assert (given_back.interaction_id, given_back.user, given_back.at) == ("a1", "ada", clock.now)
    assert stored(sqlite, "a1") == [given_back]


@pytest.mark.parametrize(("kind", "value", "paper", "says"), SENSELESS)
def test_senseless_feedback_is_refused(sqlite: EventStore, kind: str, value: Any, paper: str | None, says: str) -> None:
    sqlite.record(an_answer(), user="ada", source="page")
    with pytest.raises(EventRefused, match=says):
        sqlite.feedback("a1", user="ada", kind=kind, value=value, paper_id=paper)
    assert stored(sqlite, "a1") == []


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _, _ in SENSIBLE} == set(RULES)


def test_all_kinds_reach_both_databases(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="page")
    sent = [store.feedback("a1", user="ada", kind=kind, value=value, paper_id=paper) for kind, value, paper in SENSIBLE]
    assert stored(store, "a1") == sent


def test_only_its_owner_may_judge_an_answer(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="page")
    complaints = []
    for id, user in (("a1", "bob"), ("unknown", "ada")):
        with pytest.raises(EventUnknown) as caught:
            store.feedback(id, user=user, kind="answered", value="no")
        complaints.append(str(caught.value))
    assert complaints[0] == complaints[1], "nobody learns which answers exist"
    assert stored(store, "a1") == []
    assert issubclass(EventUnknown, EventError)
    assert issubclass(EventError, ReadbackError)


def test_evidence_may_be_what_an_abstention_showed(store: EventStore) -> None:
    store.record(an_abstention(), user="ada", source="page")
    assert store.feedback("a0", user="ada", kind="evidence", value="useful", paper_id="p3").paper_id == "p3"


def test_a_change_of_mind_is_kept_beside_what_was_said_before(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="page")
    for value in ("yes", "no"):
        store.feedback("a1", user="ada", kind="answered", value=value)
    store.feedback("a1", user="ada", kind="evidence", value="useful", paper_id="p1")
    store.feedback("a1", user="ada", kind="evidence", value="not_useful", paper_id="p2")
    found = store.interaction("a1")
    assert found is not None
    assert [feedback.value for feedback in found.feedback if feedback.kind == "answered"] == ["yes", "no"]
    last, on_p1 = found.latest("answered"), found.latest("evidence", "p1")
    assert last is not None
    assert on_p1 is not None
    assert (last.value, on_p1.value, found.latest("edit")) == ("no", "useful", None)


def test_a_reason_that_was_taken_back_no_longer_stands(store: EventStore) -> None:
    answer = an_answer()
    store.record(answer, user="ada", source="page")
    said: list[tuple[Kind, str]] = [
        ("reason", "incomplete"),
        ("reason", "too_long"),
        ("withdraw", "incomplete"),
        ("answered", "no"),
    ]
    for kind, value in said:
        store.feedback(answer.id, user="ada", kind=kind, value=value)
    (episode,) = store.episodes()
    assert [(one.kind, one.value) for one in episode.standing] == [("reason", "too_long"), ("answered", "no")]
    store.feedback(answer.id, user="ada", kind="answered", value="yes")
    (episode,) = store.episodes()
    assert [one.value for one in episode.standing] == ["no", "yes"]
    assert len(episode.feedback) == len(said) + 1, "the record keeps everything"


def test_sending_twice_stores_once(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="page")
    store.record(an_answer("a2"), user="bob", source="page")
    first = store.feedback("a1", user="ada", kind="comment", value="Hm.", id="click-1")
    assert store.feedback("a1", user="ada", kind="comment", value="Hm.", id="click-1") == first
    assert stored(store, "a1") == [first]
    with pytest.raises(EventRefused, match="other feedback"):
        store.feedback("a2", user="bob", kind="comment", value="Hm.", id="click-1")
    with pytest.raises(EventRefused, match="printable"):
        store.feedback("a1", user="ada", kind="stop", id="")


def test_feedback_waits_for_its_interaction(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    with (
        EventStore.open(file) as store,
        closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        store.record(an_answer(), user="ada", source="page")
        release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()
        assert store.health().queued == 1
        store.feedback("a1", user="ada", kind="answered", value="yes")
        release.join()
        assert len(stored(store, "a1")) == 1


def test_feedback_that_cannot_be_stored_is_not_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    with EventStore.open(file, busy_timeout_s=0.05) as store:
        store.record(an_answer(), user="ada", source="page")
        assert store.flush()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(EventsUnavailable, match="try again"):
                store.feedback("a1", user="ada", kind="answered", value="yes")
            other.execute("ROLLBACK")
        assert stored(store, "a1") == []
        store.feedback("a1", user="ada", kind="answered", value="yes")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.text(st.characters(categories=["Cs", "Cc", "L", "P", "S"]), max_size=60))
def test_any_comment_is_stored_or_refused(store: EventStore, text: str) -> None:
    if store.interaction("a1") is None:
        store.record(an_answer(), user="ada", source="page")
    try:
        sent = store.feedback("a1", user="ada", kind="comment", value=text)
    except EventRefused:
        assert not text.strip()
    else:
        assert stored(store, "a1")[-1] == sent


def stored(store: EventStore, id: str) -> list[object]:
    found = store.interaction(id)
    assert found is not None
    return list(found.feedback)
