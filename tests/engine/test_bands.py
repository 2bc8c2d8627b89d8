"""Answered, closest or refused: by what is asked for, and by what the collection is about."""

from __future__ import annotations

import pytest

from rag import Assistant
from rag.types import Verdict
from tests.engine.shared import ABOUT_CTRL


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        (ABOUT_CTRL, "answered"),
        ("How does pseudo relevance feedback come to dense retrieval?", "answered"),
        ("How many years did it take to build UltraFeedback?", "closest"),  # many numbers, none of years
        ("How does Flumbert-9 come to dense retrieval?", "closest"),  # a name that no paper holds
        ("How long should I simmer a tomato sauce?", "refused"),
        ("Which striker scored most goals for Brazil?", "refused"),
    ],
)
def test_the_band(assistant: Assistant, question: str, verdict: Verdict) -> None:
    assert assistant.ask(question).verdict == verdict


def test_a_paper_that_is_named_is_neither_refused_nor_said_to_be_lacking(assistant: Assistant) -> None:
    answer = assistant.ask("Which striker of Brazil simmered tomato sauce with UltraFeedback?")
    assert answer.verdict == "closest"
    assert "UltraFeedback" not in (answer.caveat or "")
