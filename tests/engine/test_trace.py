"""What an answer's trace says, and that the abstracts of one answer are read once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag import Assistant
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, UNKNOWN, Scripted, writing


def test_it_says_what_each_stage_gave(assistant: Assistant) -> None:
    answer = assistant.ask(ABOUT_CTRL)
    trace = answer.trace
    assert json.loads(json.dumps(trace)) == trace
    assert trace["policy"] == answer.policy_version
    assert {"understand", "retrieve", "read", "answer"} <= set(trace["stages"])
    assert trace["stages"]["read"]["verdict"] == answer.verdict
    best = trace["papers"][answer.retrieved[0].paper_id]
    assert {"dense", "lexical", "fused", "reranked", "read"} <= set(best)
    assert best["reranked"] == pytest.approx(answer.retrieved[0].score, abs=1e-3)


def test_a_refusal_and_a_follow_up_have_one_too(assistant: Assistant) -> None:
    assert assistant.ask(UNKNOWN).trace["stages"]["read"]["verdict"] == "refused"
    chat = assistant.conversation()
    chat.ask(ABOUT_TPRF)
    searches = chat.ask("And how much memory does it need?").trace["stages"]["understand"]["searches"]
    assert len(searches) == 2
    assert sum(one["weight"] for one in searches) == pytest.approx(1.0)


def test_what_verification_dropped_is_in_it_with_the_reason(assistant: Assistant) -> None:
    answer = writing(assistant, Scripted("The weather in Paris was sunny and warm on that holiday [1].")).ask(
        ABOUT_CTRL
    )
    assert any("weather" in one["what"] and one["why"] for one in answer.trace["left_out"])


def test_it_is_not_part_of_the_printed_answer(assistant: Assistant) -> None:
    assert "trace" not in assistant.ask(ABOUT_CTRL).to_dict()


@pytest.mark.parametrize("question", [ABOUT_CTRL, UNKNOWN, "Which papers use pseudo relevance feedback?"])
def test_the_abstracts_of_one_answer_are_read_once(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    assistant.ask(question)  # the collection's questions to begin with are made once
    catalog = assistant.collection.catalog
    reads: list[Any] = []
    some = catalog.some

    def counted(ids: Any) -> Any:
        reads.append(ids)
        return some(ids)

    monkeypatch.setattr(catalog, "some", counted)
    assistant.ask(question)
    assert len(reads) == 1
