"""Walking over the record: what learners see, in which order, and that nothing is missed or seen too early."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rag.events.reading
from rag.events import EventStore

from .samples import an_abstention, an_answer


def ids(store: EventStore, since: int = 0, until: int | None = None) -> list[str]:
    return [episode.interaction.id for episode in store.episodes(since, until)]


def test_an_empty_record_has_no_episodes(store: EventStore) -> None:
    assert (store.position(), ids(store)) == (0, [])


def test_what_came_after_a_position(store: EventStore) -> None:
    for number in (1, 2, 3):
        store.record(an_answer(f"a{number}"), user="ada", source="page")
    assert store.flush()
    before = store.position()
    store.feedback("a2", user="ada", kind="answered", value="yes")
    store.record(an_answer("a4"), user="ada", source="page")
    assert store.flush()
    assert ids(store) == ["a1", "a2", "a3", "a4"]
    assert ids(store, before) == ["a2", "a4"], "an old interaction comes again when more is said about it"
    assert ids(store, store.position()) == []
    assert ids(store, 0, before) == ["a1", "a2", "a3"]
    assert all(not episode.feedback for episode in store.episodes(0, before)), "the past stays as it was"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=12))
def test_reading_in_pieces_sees_every_event_exactly_once(
    store: EventStore, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[bool, int]]
) -> None:
    monkeypatch.setattr(rag.events.reading, "PAGE", 2)
    store.forget("ada")
    run = f"run{store.position()}"
    made: list[str] = []
    seen_interactions: list[str] = []
    seen_feedback: list[str] = []
    sent: list[str] = []
    since = store.position()
    for ask, number in steps:
        if ask or not made:
            made.append(f"{run}-{len(made)}")
            store.record(an_answer(made[-1]), user="ada", source="page")
        else:
            sent.append(store.feedback(made[number % len(made)], user="ada", kind="stop").id)
        if number % 2:
            assert store.flush()
            until = store.position()
            for episode in store.episodes(since, until):
                if episode.interaction.position > since:
                    seen_interactions.append(episode.interaction.id)
                seen_feedback += [one.id for one in episode.feedback if one.position > since]
            since = until
    assert store.flush()
    for episode in store.episodes(since):
        if episode.interaction.position > since:
            seen_interactions.append(episode.interaction.id)
        seen_feedback += [one.id for one in episode.feedback if one.position > since]
    assert seen_interactions == made
    assert sorted(seen_feedback) == sorted(sent)


def test_numbers(store: EventStore) -> None:
    assert store.stats().interactions == 0
    store.record(an_answer(), user="ada", source="page", conversation="c1")
    store.record(an_abstention(), user="bob", source="api")
    store.feedback("a1", user="ada", kind="answered", value="yes")
    store.feedback("a1", user="ada", kind="comment", value="Words that are nobody's business")
    store.feedback("a0", user="bob", kind="answered", value="no")
    store.feedback("a0", user="bob", kind="dwell", value=3)
    stats = store.stats()
    assert (stats.interactions, stats.users, stats.conversations, stats.abstained) == (2, 2, 1, 1)
    assert (stats.prompt_tokens, stats.completion_tokens, stats.cost_usd) == (240, 60, 0.004)
    assert stats.feedback == {"answered:no": 1, "answered:yes": 1, "comment": 1, "dwell": 1}
    assert stats.first is not None
    assert stats.last is not None
    assert (stats.last - stats.first).total_seconds() == 1
    assert stats.first.tzinfo is not None
