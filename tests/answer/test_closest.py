"""The middle band: what is closest, with what it does not cover, and refusals for what is far off."""

from __future__ import annotations

from rag import Assistant
from rag.answer.decline import CLOSEST
from tests.engine.shared import UNKNOWN, check


def test_the_closest_comes_with_a_caveat_in_a_paragraph_of_its_own(assistant: Assistant) -> None:
    answer = assistant.ask("How many GPUs trained HY-Motion?")
    check(answer, assistant)
    assert answer.verdict == "closest"
    assert not answer.abstained
    assert answer.caveat
    assert answer.caveat.startswith(CLOSEST)
    assert answer.caveat == f"{CLOSEST} Not covered: “how many GPUs”."  # as it was typed
    assert answer.text.startswith(f"{answer.caveat}\n\n“")
    assert "HY-Motion" in answer.citations[0].title


def test_what_the_collection_is_not_about_is_refused(assistant: Assistant) -> None:
    answer = assistant.ask(UNKNOWN)
    check(answer, assistant)
    assert (answer.verdict, answer.caveat, answer.citations) == ("refused", None, ())
    assert "“Australia”" in answer.text


def test_a_refusal_names_the_subject_not_the_quantity_alone(assistant: Assistant) -> None:
    answer = assistant.ask("What is the boiling point of tungsten?")
    assert answer.verdict == "refused"
    assert answer.abstain_reason
    assert answer.abstain_reason.startswith("Even the nearest abstract says nothing about")  # others were not looked at
    assert "“tungsten”" in answer.text
