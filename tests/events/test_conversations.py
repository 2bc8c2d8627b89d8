"""Conversations: everybody finds their own, as they left it, and nothing of anybody else's."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.events import Counts, EventRefused, EventStore, EventUnknown
from rag.types import Turn

from .samples import an_answer


def talk(store: EventStore, user: str, conversation: str, *questions: str, first_turn: int = 1) -> None:
    for turn, question in enumerate(questions, start=first_turn):
        answer = an_answer(f"{user}-{conversation}-{turn}-{question}", question, text=f"On {question}: see [1].")
        store.record(answer, user=user, source="page", conversation=conversation, turn=turn)


def titles(store: EventStore, user: str, search: str = "") -> list[str | None]:
    return [summary.title for summary in store.conversations(user, search)]


def test_a_conversation_is_read_back_in_full(store: EventStore) -> None:
    talk(store, "ada", "c1", "What is PRF?", "Does it need training?")
    store.feedback("ada-c1-1-What is PRF?", user="ada", kind="answered", value="yes")
    found = store.conversation("ada", "c1")
    assert [episode.interaction.turn for episode in found.turns] == [1, 2]
    answers = [episode.interaction.answer for episode in found.turns]
    assert [Turn.of(answer).question for answer in answers if answer] == ["What is PRF?", "Does it need training?"]
    assert [feedback.value for feedback in found.turns[0].feedback] == ["yes"]
    assert found.summary.title == "What is PRF?"
    assert found.summary.started == found.turns[0].interaction.at
    assert found.summary.updated == found.turns[1].interaction.at


def test_the_list_begins_with_what_was_used_last(store: EventStore) -> None:
    talk(store, "ada", "c1", "First?")
    talk(store, "ada", "c2", "Second?")
    assert titles(store, "ada") == ["Second?", "First?"]
    talk(store, "ada", "c1", "And then?", first_turn=2)
    assert titles(store, "ada") == ["First?", "Second?"]
    assert [one.id for one in store.conversations("ada", limit=1, offset=1)] == ["c2"]


def test_questions_outside_a_conversation_are_not_listed(store: EventStore) -> None:
    store.record(an_answer(), user="ada", source="cli")
    assert titles(store, "ada") == []


def test_asking_a_turn_again_replaces_it_and_what_followed(store: EventStore) -> None:
    talk(store, "ada", "c1", "One?", "Two?", "Three?")
    talk(store, "ada", "c1", "Two, better?", first_turn=2)
    talk(store, "ada", "c1", "Three again?", first_turn=3)
    talk(store, "ada", "c2", "Typo?")
    talk(store, "ada", "c2", "No typo?")
    turns = store.conversation("ada", "c1").turns
    assert [episode.interaction.question for episode in turns] == ["One?", "Two, better?", "Three again?"]
    assert titles(store, "ada") == ["No typo?", "One?"]


def test_two_people_never_see_each_others(store: EventStore) -> None:
    talk(store, "ada", "same-id", "Secret of Ada?")
    talk(store, "bob", "same-id", "Secret of Bob?")
    talk(store, "bob", "only-bob", "Secret plan?")
    assert titles(store, "ada") == ["Secret of Ada?"]
    assert titles(store, "ada", "secret") == ["Secret of Ada?"]
    for touch in (
        lambda: store.conversation("ada", "only-bob"),
        lambda: store.rename_conversation("ada", "only-bob", "Mine"),
        lambda: store.delete_conversation("ada", "only-bob"),
    ):
        with pytest.raises(EventUnknown, match="no such conversation"):
            touch()
    assert store.interaction("bob-same-id-1-Secret of Bob?", user="ada") is None
    assert store.interaction("bob-same-id-1-Secret of Bob?", user="bob") is not None
    store.delete_conversation("ada", "same-id")
    assert titles(store, "bob") == ["Secret plan?", "Secret of Bob?"]
    assert store.conversation("bob", "same-id").turns[0].interaction.question == "Secret of Bob?"


def test_search_finds_words_anywhere_in_any_case_and_script(store: EventStore) -> None:
    talk(store, "ada", "c1", "What is pseudo relevance feedback?", "Ist ÄHNLICHKEIT wichtig?")
    talk(store, "ada", "c2", "100% of_what?")
    store.rename_conversation("ada", "c2", "Numbers")
    assert titles(store, "ada", "FEEDBACK pseudo") == ["What is pseudo relevance feedback?"]
    assert titles(store, "ada", "ähnlichkeit feedback") == ["What is pseudo relevance feedback?"]
    assert titles(store, "ada", "on 100% see") == ["Numbers"], "answers are searched too"
    assert titles(store, "ada", "numbers") == ["Numbers"]
    assert titles(store, "ada", "%") == ["Numbers"], "no character is a wildcard"
    assert titles(store, "ada", "f_w") == ["Numbers"]
    assert titles(store, "ada", "numbers feedback") == []
    assert titles(store, "ada", "\0 x") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.text(max_size=600))
def test_no_search_text_is_an_error(store: EventStore, search: str) -> None:
    assert isinstance(store.conversations("ada", search), list)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.text(st.characters(categories=["Cs", "Cc", "L"]), max_size=20))
def test_no_id_is_an_error_of_ours(store: EventStore, id: str) -> None:
    for touch in (
        lambda: store.conversation("ada", id),
        lambda: store.rename_conversation("ada", id, "Title"),
        lambda: store.delete_conversation("ada", id),
        lambda: store.feedback(id, user="ada", kind="stop"),
    ):
        with pytest.raises(EventUnknown):
            touch()
    assert store.interaction(id) is None


def test_a_title_can_be_changed(store: EventStore) -> None:
    talk(store, "ada", "c1", "What is PRF?")
    store.rename_conversation("ada", "c1", "  Notes on\nPRF ")
    talk(store, "ada", "c1", "More?", first_turn=2)
    assert titles(store, "ada") == ["Notes on PRF"]
    for bad in ("", " \n", "x" * 201):
        with pytest.raises(EventRefused, match="1 to 200 characters"):
            store.rename_conversation("ada", "c1", bad)
    with pytest.raises(EventUnknown):
        store.rename_conversation("ada", "elsewhere", "Title")


def test_deleting_removes_the_words_and_the_person_and_keeps_the_signals(store: EventStore) -> None:
    talk(store, "ada", "c1", "Private question?")
    id = "ada-c1-1-Private question?"
    store.rename_conversation("ada", "c1", "Private title")
    said: list[tuple[str, str | float | None, str | None]] = [
        ("answered", "no", None),
        ("comment", "Private comment", None),
        ("edit", "Private edit", None),
        ("rephrase", "Private again?", None),
        ("dwell", 4.0, None),
        ("evidence", "useful", "p2"),
    ]
    for kind, value, paper in said:
        store.feedback(id, user="ada", kind=kind, value=value, paper_id=paper)
    assert store.delete_conversation("ada", "c1") == Counts(interactions=1, feedback=6, conversations=1)

    assert titles(store, "ada") == []
    for touch in (
        lambda: store.conversation("ada", "c1"),
        lambda: store.delete_conversation("ada", "c1"),
        lambda: store.rename_conversation("ada", "c1", "Back"),
        lambda: store.feedback(id, user="ada", kind="answered", value="yes"),
    ):
        with pytest.raises(EventUnknown):
            touch()
    (episode,) = store.episodes()
    left = episode.interaction
    assert (left.user, left.conversation, left.turn) == (None, None, None)
    assert (left.question, left.standalone_question, left.answer) == (None, None, None)
    assert [paper.position for paper in left.papers] == [2, 1, None, None]
    assert [(feedback.kind, feedback.value, feedback.user) for feedback in episode.feedback] == [
        ("answered", "no", None),
        ("comment", None, None),
        ("edit", None, None),
        ("rephrase", None, None),
        ("dwell", 4.0, None),
        ("evidence", "useful", None),
    ]
    assert "Private" not in "".join(line.replace(id, "") for line in store.export_lines())


def test_a_late_answer_does_not_bring_a_deleted_conversation_back(store: EventStore) -> None:
    talk(store, "ada", "c1", "One?")
    store.delete_conversation("ada", "c1")
    talk(store, "ada", "c1", "Two?", first_turn=2)
    assert store.flush()
    assert store.health().ok
    assert titles(store, "ada") == []
    late = list(store.episodes())[-1].interaction
    assert (late.user, late.question, late.answer) == (None, None, None)
    assert len(late.papers) == 4


def test_a_turn_handed_over_before_deleting_is_deleted_too(store: EventStore) -> None:
    talk(store, "ada", "c1", *(f"Question {number}?" for number in range(50)))
    assert store.delete_conversation("ada", "c1").interactions == 50
    assert all(episode.interaction.question is None for episode in store.episodes())
