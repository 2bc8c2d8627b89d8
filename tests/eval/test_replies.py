"""Stored replies are served where they still fit, renumbered where passages moved, and never once the rules changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from eval.gold import load_gold
from eval.lab.replay import requests
from eval.lab.replies import Prompt, ReplayModel, Reply, read_replies
from rag.chat_model import complete
from rag.errors import ProviderBusy
from rag.ports import Message
from rag.prompts import Shown, answer_messages, plan_messages
from rag.types import Turn

BEES, TIDES, OWLS = (Shown(name, f"An abstract on {name}.") for name in ("Bees", "Tides", "Owls"))


def prompt(passages: Sequence[Shown], question: str = "Who dances?") -> list[Message]:
    return answer_messages(question, passages)


def reply(text: str, messages: Sequence[Message]) -> Reply:
    record = Prompt.of(messages).record()
    return Reply("q", **{**record, "passages": tuple(record["passages"])}, reply=text, author_kind="person", date="")


def test_a_reply_is_served_for_the_prompt_it_was_written_for() -> None:
    messages = prompt([BEES, TIDES])
    model = ReplayModel([reply("Bees dance [1].", messages)])
    assert complete(model, messages, 100)[0] == "Bees dance [1]."
    assert [match for _, match, _ in model.served] == ["exact"]


def test_markers_follow_the_passages_that_they_cite() -> None:
    model = ReplayModel([reply("Bees dance [1], owls fly [2].", prompt([BEES, OWLS]))])
    assert complete(model, prompt([OWLS, TIDES, BEES]), 100)[0] == "Bees dance [3], owls fly [1]."
    assert [match for _, match, _ in model.served] == ["moved"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (prompt([TIDES, OWLS]), "stale"),  # what it cites is gone
        (prompt([BEES, TIDES], "Who flies?"), "none"),
        (answer_messages("Who dances?", [BEES, TIDES], rules=["Be brief."]), "stale"),
    ],
)
def test_a_reply_to_another_prompt_is_not_served_and_the_prompt_is_kept(asked: list[Message], why: str) -> None:
    model = ReplayModel([reply("Bees dance [1].", prompt([BEES, TIDES]))])
    with pytest.raises(ProviderBusy, match="answer"):
        complete(model, asked, 100)
    assert [(one.hash, match) for one, match in model.pending] == [(Prompt.of(asked).hash, why)]


def test_a_reply_without_markers_needs_all_its_passages() -> None:
    written = reply("ANSWER: none", prompt([BEES, TIDES]))
    assert written.fits(Prompt.of(prompt([TIDES, OWLS, BEES])))[0] == "moved"
    assert written.fits(Prompt.of(prompt([TIDES, OWLS])))[0] == "stale"
    assert replace(written, rules="other").fits(Prompt.of(prompt([TIDES, BEES])))[0] == "stale"


@pytest.mark.parametrize(("first", "match"), [("What is TPRF?", "moved"), ("What is LoL?", "none")])
def test_a_plan_follows_what_was_asked_and_not_what_was_answered(first: str, match: str) -> None:
    def planned(question: str, answer: str) -> list[Message]:
        return plan_messages("Is it fast?", [Turn(question, question, answer)])

    written = reply("{}", planned("What is TPRF?", "A model [1]."))
    assert written.fits(Prompt.of(planned(first, "A feedback method [1]. It is small.")))[0] == match


def test_a_prompt_of_somebody_else_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with"):
        Prompt.of([Message(role="system", content="Be nice."), Message(role="user", content="Hello")])


def test_the_stored_replies_are_of_the_development_split() -> None:
    known = {question.id for question in load_gold("dev")} | {name for name, *_ in requests()}
    replies = read_replies()
    assert {one.question for one in replies} <= known
    assert len({one.prompt_hash for one in replies}) == len(replies)
