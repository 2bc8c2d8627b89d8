"""Short questions: the shortest way to ask must work, and must not open the door to what no abstract says."""

from __future__ import annotations

import pytest

from rag import Assistant


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is RAPL?", "rapl"),
        ("what is ultrafeedback", "ultrafeedback"),
        ("memory networks", "networks"),
        ("Tell me about TPRF", "tprf"),
    ],
)
def test_every_word_stands_in_one_paper(assistant: Assistant, question: str, name: str) -> None:
    answer = assistant.ask(question)
    assert not answer.abstained
    assert name in answer.citations[0].title.casefold() or name in answer.citations[0].quote.casefold()


def test_one_word_that_its_abstract_lacks(assistant: Assistant) -> None:
    answer = assistant.ask("How many GPUs trained HY-Motion?")
    assert answer.verdict == "closest"
    assert "HY-Motion" in answer.citations[0].title


def test_a_short_question_about_something_else(assistant: Assistant) -> None:
    answer = assistant.ask("What is the capital of Australia?")
    assert answer.abstained
    assert not answer.citations
    assert answer.suggestions
