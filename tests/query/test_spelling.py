"""Typing errors are put right, and nothing else is."""

from __future__ import annotations

import pytest

from eval.gold import expand, load_gold, load_natural
from rag import Assistant
from tests.engine.shared import check

MEANT = (
    ("trainig a small critic modle", "training a small critic model"),
    ("pasages from a fast retreival", "passages from a fast retrieval"),
    ("psuedo relevance feedbak", "pseudo relevance feedback"),
    ("wich papers use reinforcement lerning", "which papers use reinforcement learning"),
)
LEFT_ALONE = (
    "a smartwatch wrapper with tabular lookups",  # English, though no paper has the words
    "personalised summarisation, optimised",  # as spelt in Britain
    "reflexion and webgpt agents",  # names, in small letters
    "Retreival",  # a capital may begin a name
    "qwertzuiop asdfghjk",  # nothing is near
)


def searched(assistant: Assistant, question: str) -> str:
    answer = assistant.ask(question)
    check(answer, assistant)
    return answer.understood_as or question


@pytest.mark.parametrize(("typed", "meant"), MEANT)
def test_typing_errors_are_put_right_and_told(assistant: Assistant, typed: str, meant: str) -> None:
    answer = assistant.ask(typed)
    check(answer, assistant)
    assert answer.question == typed
    assert answer.understood_as == answer.standalone_question == meant


@pytest.mark.parametrize("question", LEFT_ALONE)
def test_what_may_be_a_word_is_left_alone(assistant: Assistant, question: str) -> None:
    assert searched(assistant, question) == question


@pytest.mark.slow
def test_clean_questions_are_left_alone(assistant: Assistant) -> None:
    asked = [item for one in load_gold("dev") if one.style in (None, "plain") for item in expand(one)]
    texts = [item.turns[0] for item in asked if item.asker != "typos"] + [one.question for one in load_natural("fit")]
    texts = texts[::5]  # asking takes its time
    assert len(texts) > 60
    assert [text for text in texts if searched(assistant, text) != text] == []


def test_a_question_with_errors_is_answered_like_one_without(assistant: Assistant) -> None:
    wrong = assistant.ask("how many verilgo problems did they curate the 53k datset from")
    right = assistant.ask("how many verilog problems did they curate the 53k dataset from")
    assert (wrong.verdict, wrong.text) == (right.verdict, right.text)


def test_another_language_is_not_taken_for_errors(assistant: Assistant) -> None:
    question = "Wie werden die Modelle mit dem Feedback trainiert?"
    assert searched(assistant, question) == question
