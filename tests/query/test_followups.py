"""What a conversation means for its next question, asked of the collection."""

from __future__ import annotations

import pytest

from rag import Assistant
from rag.types import Options
from tests.engine.shared import CTRL, TPRF, check

PRF = "Which papers use pseudo relevance feedback?"


@pytest.mark.parametrize(
    "turns",
    [
        (PRF, "And which of them run on small devices?"),
        ("What is TPRF?", "how much memory does it save?"),
        ("What is TPRF?", "What is RAPL?"),
        ("wich papers use relevance feedbak",),
    ],
)
def test_asking_again_for_what_was_understood_changes_nothing(assistant: Assistant, turns: tuple[str, ...]) -> None:
    chat = assistant.conversation()
    for turn in turns[:-1]:
        chat.ask(turn)
    first = assistant.ask(turns[-1], chat.turns)
    again = assistant.ask(turns[-1], chat.turns, Options(standalone_question=first.standalone_question))
    assert (again.verdict, again.confidence, again.text) == (first.verdict, first.confidence, first.text)


def test_which_of_them_stays_within_the_set(assistant: Assistant) -> None:
    chat = assistant.conversation()
    listed = {one.paper_id for one in chat.ask(PRF).citations}
    assert len(listed) > 1
    answer = chat.ask("Which of them is meant for devices without a GPU?")
    check(answer, assistant)
    assert {one.paper_id for one in answer.retrieved[: len(listed)]} == listed
    assert answer.retrieved[0].paper_id == TPRF


def test_the_one_about_something_is_looked_for_within_the_set(assistant: Assistant) -> None:
    chat = assistant.conversation()
    listed = {one.paper_id for one in chat.ask(PRF).citations}
    answer = chat.ask("What does the one about small devices propose?")
    assert answer.retrieved[0].paper_id == TPRF
    assert answer.retrieved[0].paper_id in listed


def test_a_name_that_the_collection_knows_starts_afresh(assistant: Assistant) -> None:
    chat = assistant.conversation()
    chat.ask("What is TPRF?")
    answer = chat.ask("How does CTRL work?")
    assert answer.standalone_question == "How does CTRL work?"
    assert answer.retrieved[0].paper_id == CTRL


def test_the_first_one_may_be_a_thing_that_was_named(assistant: Assistant) -> None:
    chat = assistant.conversation()
    chat.ask("I found CTRL and TPRF.")
    assert chat.ask("Does the second one need a GPU?").retrieved[0].paper_id == TPRF


def test_a_correction_leaves_the_last_answer_behind(assistant: Assistant) -> None:
    chat = assistant.conversation()
    wrong = chat.ask("How well does imitation learning from language feedback work?").citations[0].paper_id
    answer = chat.ask("No, I meant the paper about code, not summaries. By how much did it improve?")
    assert answer.retrieved[0].paper_id != wrong
    assert "Code" in answer.retrieved[0].title


def test_an_opening_is_not_part_of_the_question(assistant: Assistant) -> None:
    chat = assistant.conversation()
    chat.ask("What is TPRF?")
    question = "Is there a theory of learning from language feedback?"
    switched = chat.ask(f"OK. Unrelated: {question}")
    assert [one.paper_id for one in switched.retrieved] == [one.paper_id for one in assistant.ask(question).retrieved]
