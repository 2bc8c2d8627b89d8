"""Comparisons: both sides are found and quoted, and a missing one is named."""

from __future__ import annotations

import pytest

from rag import Assistant
from rag.query.sides import sides
from tests.engine.shared import CTRL, check

DEEP = "deepcritic-deliberate-cri"


@pytest.mark.parametrize(
    ("question", "compared"),
    [
        ("How does coffee differ from tea?", ("coffee", "tea")),
        ("How is X-ray data different from MRI?", ("X-ray data", "MRI")),
        ("What's the difference between a fox and a wolf?", ("fox", "wolf")),
        ("BM25 vs. dense retrieval", ("BM25", "dense retrieval")),
        ("Compare DPO with PPO.", ("DPO", "PPO")),
        ("LoRA or full fine-tuning?", ("LoRA", "full fine-tuning")),
        ("Is RAG better than fine-tuning?", ("RAG", "fine-tuning")),
        ("What does ReFeed use and what does CRITIC use?", ("ReFeed", "CRITIC")),
        ("Does it run on a phone or a watch?", ()),
        ("Can models correct themselves or do they need tools?", ()),
        ("Are there surveys on feedback or self-correction?", ()),
        ("What is RAPL?", ()),
    ],
)
def test_what_is_compared(question: str, compared: tuple[str, ...]) -> None:
    assert sides(question) == compared


def test_both_sides_are_quoted_under_each_other(assistant: Assistant) -> None:
    answer = assistant.ask("CTRL vs DeepCritic: how is each critic trained?")
    check(answer, assistant)
    cited = list(dict.fromkeys(one.paper_id for one in answer.citations))
    assert cited[0] == CTRL
    assert cited[1].startswith(DEEP)
    assert len(cited) == 2
    assert len([line for line in answer.text.splitlines() if line.startswith("- ")]) == 2


def test_a_side_that_is_not_here_is_named(assistant: Assistant) -> None:
    answer = assistant.ask("How does CTRL differ from Zarquon-9?")
    check(answer, assistant)
    assert answer.verdict != "refused"
    assert "Nothing here about “Zarquon-9”." in answer.text
    assert {one.paper_id for one in answer.citations} == {CTRL}


def test_two_unknown_things_are_not_compared(assistant: Assistant) -> None:
    answer = assistant.ask("How does Zarquon-9 differ from Vogon-7?")
    check(answer, assistant)
    assert "Nothing here about" not in answer.text
