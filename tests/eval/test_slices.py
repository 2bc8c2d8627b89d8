"""Decisions in three bands, answers against words, lists and follow-ups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eval.graded import Graded
from eval.measures import BY_NAME, score
from eval.metrics.answer import coverage_within
from eval.metrics.decision import decision_cost
from eval.slices import VERDICTS, slices
from rag.types import Answer
from tests.eval.conftest import LINES, PAPERS, answer, question_of

ABSTRACTS = {paper.id: paper.abstract for paper in PAPERS}
GOLD = {record["id"]: question_of(record) for record in LINES}
DANCES = ("bees", "We filmed 412 waggle dances in a glass hive.")
SILENT = answer("No.", abstained=True)
GOOD = answer("412 were filmed [1]", quotes=[DANCES], papers=["bees"])


def closest(found: Answer) -> Answer:
    """The same evidence with a caveat."""
    return replace(found, verdict="closest")


def measured(name: str, question: str, reply: Answer | None) -> float | None:
    measure = BY_NAME[name]
    assert measure.score
    return measure.score(Graded(GOLD[question], None, reply))


@pytest.mark.parametrize("verdict", ["answered", "closest"])
def test_no_single_decision_is_cheap_for_every_class(verdict: str) -> None:
    classes = ("answerable", "in the field", "off topic")
    costs = [decision_cost(kind, verdict, right_paper=True) for kind in classes]  # type: ignore[arg-type]
    best = [min(decision_cost(kind, one, right_paper=True) for one in VERDICTS) for kind in classes]  # type: ignore[arg-type]
    assert best == [0.0, 0.0, 0.0]
    assert sum(costs) >= 0.8


def test_the_cost_of_a_reply_depends_on_its_band_and_its_paper() -> None:
    wrong = answer("They hum.", quotes=[("owls", "Barn owls fly without a sound.")])
    assert measured("decision_cost", "fact-001", GOOD) == 0.0
    assert measured("decision_cost", "fact-001", closest(GOOD)) == 0.3
    assert measured("decision_cost", "fact-001", closest(wrong)) == 0.7
    assert measured("decision_cost", "fact-001", wrong) == 1.0
    assert measured("decision_cost", "fact-001", SILENT) == 1.0
    assert measured("decision_cost", "unans-001", closest(GOOD)) == 0.0
    assert measured("decision_cost", "unans-001", SILENT) == 0.3
    assert measured("decision_cost", "scope-001", SILENT) == 0.0
    assert measured("decision_cost", "scope-001", None) == 1.0
    assert measured("decision_cost", "premise-001", GOOD) is None


def test_the_closest_evidence_is_neither_an_answer_nor_a_refusal() -> None:
    graded = [Graded(GOLD[name], None, closest(GOOD)) for name in ("fact-001", "unans-001", "scope-001")]
    values = score(graded, ABSTRACTS)
    assert values["false_refusals"] == {"fact-001": 0.0}
    assert values["false_answers"] == {"unans-001": 0.0, "scope-001": 0.0}
    assert values["closest_is_right"] == {"fact-001": 1.0}
    assert values["right"] == {"fact-001": 0.7, "unans-001": 1.0, "scope-001": 0.0}


def test_facts_count_within_the_words_that_are_read() -> None:
    text = "It was filmed [1] in a hive. " + "Much else is known. " * 20 + "They counted 412 dances."
    assert coverage_within(text, [["hive"], ["412"]], 6) == 0.5  # the marker is no word
    assert coverage_within(text, [["hive"], ["412"]], 200) == 1.0
    found = answer(text, quotes=[DANCES])
    assert measured("coverage@60", "fact-001", found) == 0.0
    assert measured("coverage@90", "fact-001", found) == 1.0
    assert measured("answer_score", "fact-001", found) == 0.5
    assert measured("answer_score", "fact-001", SILENT) == 0.0
    assert measured("first_sentence", "fact-001", replace(found, sentences=())) == 0.0
    assert measured("first_sentence", "fact-001", GOOD) == 1.0


def test_lists_are_scored_by_what_they_list() -> None:
    both = answer("412, megawatts", quotes=[DANCES, ("owls", "Barn owls fly without a sound.")])
    assert measured("list_precision", "multi-001", both) == 0.5
    assert measured("list_recall", "multi-001", both) == 0.5
    assert measured("list_f1", "multi-001", both) == 0.5
    assert measured("list_f1", "multi-001", SILENT) == 0.0
    assert measured("list_f1", "fact-001", GOOD) is None


def test_the_tables_of_a_run() -> None:
    switch = replace(GOLD["conv-001"], note="topic switch: owls")
    graded = [
        Graded(GOLD["fact-001"], None, GOOD),
        Graded(GOLD["fact-002"], None, SILENT),
        Graded(replace(GOLD["unans-001"], style="terse"), None, closest(GOOD)),
        Graded(GOLD["scope-001"], None, SILENT),
        Graded(GOLD["conv-001"], None, SILENT),
        Graded(switch, None, answer("93%", papers=["glaciers"])),
        Graded(GOLD["fact-001"], "terse", SILENT),  # other phrasings are no further questions
    ]
    tables = slices(graded)
    by_class = {row[0]: row for row in tables["Decisions"]}
    assert list(by_class["answerable"][1:5]) == ["4", "0.500", "0.000", "0.500"]
    assert by_class["in the field"][-3:] == ["0.000", "1.000", "0.000"]  # as it was, always answer, always closest
    assert by_class["mean of the classes"][-3:] == ["0.250", "0.833", "0.333"]
    assert [row[:3] for row in tables["Follow-ups"][1:]] == [
        ["topic kept", "1", "0.000"],
        ["topic switch", "1", "1.000"],
    ]
    assert [row[0] for row in tables["By kind"][1:]] == [
        "conversation",
        "fact",
        "out_of_scope",
        "unanswerable",
        "style terse",
    ]
