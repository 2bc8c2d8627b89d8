"""Asking a turn again loses nothing: every version stays, with what followed it, until somebody deletes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.events import EventStore, EventUnknown
from rag.types import Options

from .samples import an_answer


def said(store: EventStore, id: str, parent: str | None = None, turn: int = 1, options: Options = Options()) -> str:
    answer = an_answer(id, f"{id}?")
    store.record(answer, user="ada", source="page", conversation="c", turn=turn, parent=parent, options=options)
    return id


def shown(store: EventStore) -> list[str]:
    return [one.interaction.id for one in store.conversation("ada", "c").turns]


def test_every_version_is_kept_with_what_followed_it(store: EventStore) -> None:
    said(store, "one")
    said(store, "two", "one", 2)
    said(store, "three", "two", 3)
    said(store, "two-again", "one", 2)
    assert shown(store) == ["one", "two-again"]
    assert store.conversation("ada", "c").versions["two"] == ("two", "two-again")
    store.choose_version("ada", "c", "two")
    assert shown(store) == ["one", "two", "three"]
    said(store, "four", "three", 4)
    assert shown(store) == ["one", "two", "three", "four"]
    said(store, "one-again")
    assert shown(store) == ["one-again"]
    assert store.conversation("ada", "c").versions == {
        "one": ("one", "one-again"),
        "one-again": ("one", "one-again"),
        "two": ("two", "two-again"),
        "two-again": ("two", "two-again"),
        "three": ("three",),
        "four": ("four",),
    }


def test_two_tabs_that_go_on_from_the_same_turn_both_keep_their_answers(store: EventStore) -> None:
    said(store, "one")
    before = store.conversation("ada", "c").revision
    said(store, "left", "one", 2)
    said(store, "right", "one", 2)
    found = store.conversation("ada", "c")
    assert found.versions["left"] == ("left", "right")
    assert found.revision == before + 2


def test_turns_of_older_records_follow_the_newest_before_them(store: EventStore) -> None:
    for turn, id in ((1, "a"), (2, "b"), (1, "a2"), (2, "b2"), (2, "b3")):
        said(store, id, None, turn)
    assert shown(store) == ["a2", "b3"]
    assert store.conversation("ada", "c").versions["b2"] == ("b2", "b3")
    assert store.conversation("ada", "c").versions["b"] == ("b",)


def test_only_ones_own_versions_can_be_chosen(store: EventStore) -> None:
    said(store, "one")
    store.record(an_answer("bobs"), user="bob", source="page", conversation="c")
    for id in ("bobs", "nothing", "\0"):
        with pytest.raises(EventUnknown):
            store.choose_version("ada", "c", id)
    with pytest.raises(EventUnknown):
        store.choose_version("eve", "c", "one")


def test_how_a_turn_was_steered_is_kept(store: EventStore) -> None:
    steered = Options("extractive", None, 3, frozenset({"p1"}), frozenset({"p2", "p3"}), "What is PRF?")
    said(store, "one", options=steered)
    (episode,) = store.conversation("ada", "c").turns
    assert episode.interaction.options == steered
    assert '"exclude": ["p2", "p3"]' in next(store.export_lines())


def test_no_words_are_kept_of_steering_either(tmp_path: Path) -> None:
    with EventStore.open(tmp_path / "events.db", keep_questions=False) as store:
        said(store, "one", options=Options(papers=2, standalone_question="Private?"))
        store.flush()
        (episode,) = store.episodes()
    assert episode.interaction.options == Options(papers=2)


def test_a_deleted_conversation_can_be_restored_for_a_while(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with EventStore.open(tmp_path / "events.db", clock=lambda: now) as store:
        said(store, "one")
        store.hide_conversation("ada", "c")
        assert store.conversations("ada") == []
        for touch in (
            lambda: store.conversation("ada", "c"),
            lambda: store.hide_conversation("ada", "c"),
            lambda: store.restore_conversation("bob", "c"),
        ):
            with pytest.raises(EventUnknown):
                touch()
        assert store.delete_hidden() == 0
        store.restore_conversation("ada", "c")
        assert shown(store) == ["one"]
        store.hide_conversation("ada", "c")
        now += timedelta(seconds=61)
        assert store.delete_hidden() == 1
        with pytest.raises(EventUnknown):
            store.restore_conversation("ada", "c")
        (episode,) = store.episodes()
        assert (episode.interaction.user, episode.interaction.question) == (None, None)


def test_what_was_hidden_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with EventStore.open(tmp_path / "events.db", clock=lambda: now) as store:
        said(store, "one")
        store.hide_conversation("ada", "c")
    now += timedelta(minutes=5)
    with EventStore.open(tmp_path / "events.db", clock=lambda: now) as store:
        said(store, "two")
        store.flush()  # the writer's thread has tidied before it writes
        assert next(one.interaction.question for one in store.episodes()) is None
