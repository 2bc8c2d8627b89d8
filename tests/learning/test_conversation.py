"""What is said of an answer counts at once for the rest of its conversation, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag import Assistant
from rag.events import EventStore
from rag.learning.signals import said_of_papers
from rag.settings import Settings
from rag.types import Turn
from tests.engine.shared import shipped

__all__ = ["shipped"]

ASKED = "clever store searching machine that listens to results"
AGAIN = "a store searching machine that listens to its results"
OTHER = "Can a model repair its own code from execution feedback?"


@pytest.fixture
def assistant(shipped: Path) -> Assistant:
    return Assistant.open(Settings(data_dir=shipped, _env_file=None))  # type: ignore[call-arg]


def test_a_paper_voted_down_gives_way_to_one_voted_up_and_other_questions_keep_their_ranking(
    assistant: Assistant,
) -> None:
    first = assistant.ask(ASKED)
    wrong, right = first.retrieved[0].paper_id, first.retrieved[2].paper_id
    said = replace(Turn.of(first), judged=((wrong, -0.6), (right, 0.7)))
    again = assistant.ask(AGAIN, [said])
    ranks = {paper.paper_id: paper.rank for paper in again.retrieved}
    assert ranks[right] == 1
    assert ranks.get(wrong, 99) > ranks[right]
    assert again.trace is not None
    assert again.trace["stages"]["recall"]["used"][0]["why"] == "said in this conversation"
    without = assistant.ask(OTHER, [replace(said, judged=())])
    assert assistant.ask(OTHER, [said]).retrieved == without.retrieved


def test_an_edit_is_honoured_in_its_conversation(assistant: Assistant) -> None:
    first = assistant.ask(AGAIN)
    paper = assistant.paper(first.citations[0].paper_id)
    assert paper is not None
    unquoted = next(
        text + "." for text in paper.abstract.split(". ")[::-1] if text not in first.text and len(text.split()) < 40
    )
    edited = replace(Turn.of(first), edit=unquoted)
    assert unquoted.rstrip(".") in assistant.ask(AGAIN, [edited]).citations[0].quote


def test_no_i_meant_takes_the_paper_that_was_quoted_first_from_the_top(assistant: Assistant) -> None:
    first = assistant.ask(ASKED)
    corrected = assistant.ask(f"No, I meant: {ASKED}", [Turn.of(first)])
    assert corrected.retrieved[0].paper_id != first.citations[0].paper_id


def test_the_record_says_what_was_said_of_papers(assistant: Assistant, tmp_path: Path) -> None:
    answer = assistant.ask(AGAIN)
    shown, missed = answer.citations[0].paper_id, "another"
    with EventStore.open(tmp_path / "events.db") as store:
        store.record(answer, user="ann", source="api", conversation="c", turn=1)
        store.feedback(answer.id, user="ann", kind="evidence", value="not_useful", paper_id=shown)
        store.feedback(answer.id, user="ann", kind="reason", value="wrong_paper", paper_id=missed)
        [episode] = store.conversation("ann", "c").turns
    said = said_of_papers(episode)
    assert said[shown] < 0 < said[missed]
