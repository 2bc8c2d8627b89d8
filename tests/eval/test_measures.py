"""Which measure applies to which question, and that a crash is wrong in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

import pytest

from eval.gold import STANDALONE
from eval.graded import Graded
from eval.measures import BY_NAME, score
from eval.summary import summarise
from tests.eval.conftest import LINES, PAPERS, answer, question_of

ABSTRACTS = {paper.id: paper.abstract for paper in PAPERS}
GOLD = {record["id"]: question_of(record) for record in LINES}
FACT, SINGLE, MULTI, PREMISE, UNANSWERABLE = (
    GOLD[name] for name in ("fact-001", "single-001", "multi-001", "premise-001", "unans-001")
)
SILENT = answer("No. 412 linseed oil", abstained=True, confidence=0.1)
GOOD = answer("412 were filmed [1]", quotes=[("bees", "We filmed 412 waggle dances in a glass hive.")], papers=["bees"])


def test_right_means_facts_or_silence_by_what_the_question_expects() -> None:
    assert Graded(FACT, None, GOOD).right == 1.0
    assert Graded(SINGLE, None, answer("It is linseed oil.")).right == 0.5
    assert Graded(FACT, None, SILENT).right == 0.0  # the evidence that an abstention shows is no answer
    assert Graded(UNANSWERABLE, None, SILENT).right == 1.0
    assert Graded(UNANSWERABLE, None, GOOD).right == 0.0


def test_a_false_premise_may_be_corrected_or_declined_but_not_believed() -> None:
    assert Graded(PREMISE, None, answer("Listeners could not tell them apart.")).right == 1.0
    assert Graded(PREMISE, None, SILENT).right == 1.0
    assert Graded(PREMISE, None, answer("Because varnish is loud.")).right == 0.0
    values = score([Graded(PREMISE, None, SILENT)], ABSTRACTS)
    assert not {"false_answers", "false_refusals", "fact_coverage"} & set(values)


@pytest.mark.parametrize("question", [FACT, MULTI, UNANSWERABLE, PREMISE], ids=lambda one: one.kind)
def test_a_crash_is_wrong_in_every_measure(question: object) -> None:
    values = score([Graded(question, None, None)], ABSTRACTS)  # type: ignore[arg-type]
    for name, by_question in values.items():
        (value,) = by_question.values()
        worst = 1.0 if BY_NAME[name].better == "lower" else 0.0
        assert value == worst, name
    assert values["right"]


def test_measures_apply_where_they_mean_something() -> None:
    graded = [Graded(FACT, None, GOOD), Graded(MULTI, None, GOOD), Graded(UNANSWERABLE, None, SILENT)]
    values = score(graded, ABSTRACTS)
    assert values["false_answers"] == {"unans-001": 0.0}
    assert values["false_refusals"] == {"fact-001": 0.0, "multi-001": 0.0}
    assert values["all_gold@10"] == {"multi-001": 0.0}
    assert values["recall@10"] == {"fact-001": 1.0, "multi-001": 0.5}
    assert values["fact_coverage"] == {"fact-001": 1.0, "multi-001": 0.5}
    assert values["cited_precision"]["fact-001"] == values["citation_recall"]["fact-001"] == 1.0
    assert values["quote_exactness"]["fact-001"] == 1.0


def test_a_quote_that_is_not_exact_is_seen() -> None:
    bent = answer("412 [1]", quotes=[("bees", "We filmed 413 waggle dances.")])
    assert score([Graded(FACT, None, bent)], ABSTRACTS)["quote_exactness"] == {"fact-001": 0.0}


def test_follow_ups_and_phrasings_are_read_beside_the_written_question() -> None:
    conversation = GOLD["conv-001"]
    found = answer("93% of them", papers=["glaciers"])
    graded = [
        Graded(conversation, None, SILENT),
        Graded(conversation, STANDALONE, found),
        Graded(FACT, None, GOOD),
        Graded(FACT, "terse", SILENT),
    ]
    values = score(graded, ABSTRACTS)
    assert values["follow_up_loss"] == {"conv-001": 1.0}
    assert values["follow_up_loss_ndcg"] == {"conv-001": 1.0}
    assert values["phrasing_mean"] == {"fact-001": 0.5}
    assert values["phrasing_worst"] == {"fact-001": 0.0}
    assert values["phrasing_width"] == {"fact-001": 1.0}
    assert values["right"] == {"conv-001": 0.0, "fact-001": 1.0}  # phrasings are no further questions


def many() -> list[Graded]:
    replies: Sequence[tuple[str, object]] = (
        ("fact-001", answer("412", confidence=0.9)),
        ("fact-002", answer("nothing", confidence=0.4)),
        ("single-001", answer("linseed oil, pine resin", confidence=0.8)),
        ("unans-001", answer("invented", confidence=0.6)),
        ("scope-001", SILENT),
    )
    return [Graded(GOLD[name], None, reply) for name, reply in replies]  # type: ignore[arg-type]


def test_overall_measures_look_at_all_questions() -> None:
    figures = summarise(score(many(), ABSTRACTS), many())
    assert isclose(figures["abstention_f1"].value, 2 / 3)
    # by confidence: right, right, wrong, wrong, and the silent one last
    assert isclose(figures["aurc"].value, (0 + 0 + 1 / 3 + 2 / 4 + 3 / 5) / 5)
    assert figures["excess_aurc"].value == 0.0
    assert figures["aurc"].low <= figures["aurc"].value <= figures["aurc"].high
    assert 0 < figures["calibration_error"].value < 1


def test_figures_do_not_depend_on_the_order_of_the_questions() -> None:
    graded = many()
    again = list(reversed(graded))
    assert summarise(score(graded, ABSTRACTS), graded) == summarise(score(again, ABSTRACTS), again)


def test_a_search_score_is_not_taken_for_a_probability() -> None:
    graded = [Graded(FACT, None, answer("412", confidence=17.3))]
    assert "calibration_error" not in summarise(score(graded, ABSTRACTS), graded)


def test_nothing_measured_is_no_figure() -> None:
    assert summarise({}, []) == {}
