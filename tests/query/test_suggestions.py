"""Suggestions are about the asker's subject, and are answered from the paper that they are about."""

from __future__ import annotations

import pytest

from rag import Answer, Assistant
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, CTRL, UNKNOWN, check


def about(assistant: Assistant, answer: Answer) -> list[str]:
    """The papers that the suggestions are about, each checked to be found first and to answer."""
    found = []
    for suggestion in answer.suggestions:
        asked = assistant.ask(suggestion)
        check(asked, assistant)
        assert asked.verdict == "answered"
        assert asked.retrieved[0].title.rstrip(".?!") in suggestion
        found.append(asked.retrieved[0].paper_id)
    return found


@pytest.mark.parametrize("question", [ABOUT_CTRL, ABOUT_TPRF, "How many GPU hours did training CTRL take?"])
def test_suggestions_stay_with_the_subject_and_are_answered(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    papers = about(assistant, answer)
    assert papers
    assert len(papers) <= 3
    assert set(papers) <= {one.paper_id for one in answer.retrieved[:3]}
    assert question not in answer.suggestions


def test_what_was_just_asked_is_not_suggested(assistant: Assistant) -> None:
    first = assistant.ask(ABOUT_CTRL).suggestions[0]
    assert first not in assistant.ask(first).suggestions


def test_a_question_about_nothing_here_gets_questions_to_begin_with(assistant: Assistant) -> None:
    answer = assistant.ask(UNKNOWN)
    assert answer.abstained
    assert len(about(assistant, answer)) == 3
    assert CTRL not in {one.paper_id for one in answer.closest}
