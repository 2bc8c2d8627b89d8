"""What a follow-up carries over by rule, and that nothing else is dragged along."""

from __future__ import annotations

import pytest

from eval.gold import expand, load_gold
from rag import Assistant, Turn
from rag.query.followup import resolve_by_rule

LISTED = Turn(
    "Which papers use pseudo relevance feedback?",
    "Which papers use pseudo relevance feedback?",
    "…",
    ("TPRF: A", "LoL: B", "GRF: C"),
)
SINGLE = Turn("How does TPRF save memory?", "How does TPRF save memory?", "…", ("TPRF: A",))
ABSTAINED = Turn("What is the capital of Australia?", "What is the capital of Australia?", "…")

CARRIED = (
    ("how much did it improve?", SINGLE, "TPRF: A"),
    ("And on what data?", SINGLE, "TPRF: A"),
    ("Is the code available?", SINGLE, "TPRF: A"),
    ("Why?", SINGLE, "TPRF: A"),
    ("Does this method need a GPU?", SINGLE, "TPRF: A"),
    ("what about for robots?", SINGLE, "How does TPRF save memory?"),
    ("and the second one?", LISTED, "LoL: B"),
    ("What does the third paper report?", LISTED, "GRF: C"),
    ("the latter?", LISTED, "GRF: C"),
    ("Is the first one fast?", LISTED, "TPRF: A"),
    ("And the last of them?", LISTED, "GRF: C"),
    ("which of them needs no training?", LISTED, "Which papers use pseudo relevance feedback?"),
    ("Do they share a dataset?", LISTED, "Which papers use pseudo relevance feedback?"),
    ("And the fifth one?", LISTED, "Which papers use pseudo relevance feedback?"),
    ("and why not?", ABSTAINED, "What is the capital of Australia?"),
)
LEFT_ALONE = (
    "What is the capital of Australia?",
    "How do critics trained by reinforcement learning help code generation?",
    "Which datasets are used for counter misinformation?",
    "taking more of the first results to improve my search made it worse, how do you teach it not to",
    "How much does MAP rise over RM3 when the terms come from a model instead of from the first results?",
    "Does query expansion with a language model work better for short queries if it is given examples?",
    "What did robots learn in the last year from human preferences?",
)


@pytest.mark.parametrize(("question", "last", "topic"), CARRIED)
def test_a_follow_up_carries_its_topic(question: str, last: Turn, topic: str) -> None:
    found = resolve_by_rule(question, [LISTED, last])
    assert found.standalone.startswith(f"{question} (about: ")
    assert topic in found.standalone
    assert found.own == question


@pytest.mark.parametrize("question", LEFT_ALONE)
@pytest.mark.parametrize("last", [LISTED, SINGLE, ABSTAINED])
def test_a_change_of_topic_is_not_dragged_along(question: str, last: Turn) -> None:
    assert resolve_by_rule(question, [last]).standalone == question


@pytest.mark.parametrize("question", [question for question, _, _ in CARRIED])
def test_a_first_turn_is_left_alone(question: str) -> None:
    assert resolve_by_rule(question, []).standalone == question


@pytest.mark.parametrize(("question", "last", "topic"), CARRIED)
def test_rewriting_again_changes_nothing(question: str, last: Turn, topic: str) -> None:
    once = resolve_by_rule(question, [last]).standalone
    assert resolve_by_rule(once, [last]).standalone == once


def test_a_second_follow_up_keeps_the_topic() -> None:
    first = resolve_by_rule("how much did it improve?", [SINGLE]).standalone
    turn = Turn("how much did it improve?", first, "…", ())
    assert "TPRF: A" in resolve_by_rule("and on which data?", [SINGLE, turn]).standalone


def test_gold_questions_are_hardly_ever_dragged_along() -> None:
    questions = [item.turns[0] for one in load_gold("dev") for item in expand(one) if len(item.turns) == 1]
    dragged = [text for text in questions if resolve_by_rule(text, [LISTED]).standalone != text]
    assert len(questions) > 150
    assert len(dragged) / len(questions) <= 0.02, dragged


@pytest.mark.slow
def test_conversations_find_their_papers(assistant: Assistant) -> None:
    """Share of the right papers within five: by rule, and for the stand-alone form that a person wrote."""
    by_rule, by_hand, papers = 0, 0, 0
    for one in load_gold("dev", ["conversation"]):
        chat = assistant.conversation()
        for turn in one.turns:
            answer = chat.ask(turn)
        best = [paper.paper_id for paper in answer.retrieved[:5]]
        ideal = [paper.paper_id for paper in assistant.ask(one.standalone).retrieved[:5]]
        by_rule += sum(paper in best for paper in one.gold)
        by_hand += sum(paper in ideal for paper in one.gold)
        papers += len(one.gold)
    assert papers >= 10
    assert by_rule >= 0.85 * by_hand, (by_rule, by_hand, papers)
