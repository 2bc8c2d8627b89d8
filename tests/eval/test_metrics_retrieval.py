"""Measures of a ranking: against ir_measures on random data, and by their properties."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from math import log2

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, nDCG

from eval.metrics import all_gold_recall, average_precision, ndcg, precision, recall, reciprocal_rank

STEADY = settings(derandomize=True, deadline=None, max_examples=60)

Measure = Callable[[Sequence[str], Mapping[str, int]], float]
OURS_AND_THEIRS: list[tuple[Measure, ir_measures.measures.Measure]] = [
    *[(lambda ranked, gold, k=k: recall(ranked, gold, k), R @ k) for k in (1, 5, 100)],
    *[(lambda ranked, gold, k=k: precision(ranked, gold, k), P @ k) for k in (1, 5, 100)],
    *[(lambda ranked, gold, k=k: ndcg(ranked, gold, k), nDCG @ k) for k in (1, 5, 100)],
    (reciprocal_rank, RR),
    (lambda ranked, gold: reciprocal_rank(ranked, gold, 3), RR @ 3),
    (average_precision, AP),
    (lambda ranked, gold: average_precision(ranked, gold, 5), AP @ 5),
    (lambda ranked, gold: recall(ranked, gold, 5, min_grade=2), R(rel=2) @ 5),
    (lambda ranked, gold: average_precision(ranked, gold, min_grade=2), AP(rel=2)),
]
ALL: list[Measure] = [ours for ours, _ in OURS_AND_THEIRS] + [lambda ranked, gold: all_gold_recall(ranked, gold, 5)]

PAPERS = [f"p{number}" for number in range(12)]
rankings = st.lists(st.sampled_from(PAPERS), unique=True)
golds = st.dictionaries(st.sampled_from(PAPERS), st.integers(0, 2), min_size=1).filter(lambda gold: 2 in gold.values())


@pytest.mark.parametrize(("ours", "theirs"), OURS_AND_THEIRS, ids=[str(theirs) for _, theirs in OURS_AND_THEIRS])
def test_each_measure_agrees_with_ir_measures(ours: Measure, theirs: ir_measures.measures.Measure) -> None:
    draw = random.Random(7)
    qrels: dict[str, dict[str, int]] = {}
    runs: dict[str, list[str]] = {}
    for number in range(60):
        judged = draw.sample(PAPERS, draw.randint(1, 8))
        qrels[f"q{number}"] = {paper: draw.randint(0, 2) for paper in judged} | {judged[0]: 2}
        runs[f"q{number}"] = draw.sample(PAPERS, draw.randint(1, len(PAPERS)))
    scored = {
        query: {paper: float(-rank) for rank, paper in enumerate(ranked)} for query, ranked in runs.items()
    }  # higher is better, no ties
    theirs_by_query = {row.query_id: row.value for row in ir_measures.iter_calc([theirs], qrels, scored)}
    assert len(theirs_by_query) == 60
    for query, value in theirs_by_query.items():
        assert ours(runs[query], qrels[query]) == pytest.approx(value, abs=1e-9), query


@pytest.mark.parametrize("measure", ALL)
@STEADY
@given(ranked=rankings, gold=golds)
def test_every_measure_is_a_share(measure: Measure, ranked: list[str], gold: dict[str, int]) -> None:
    assert 0.0 <= measure(ranked, gold) <= 1.0 + 1e-12


@pytest.mark.parametrize("measure", ALL)
@STEADY
@given(gold=golds)
def test_silence_scores_zero(measure: Measure, gold: dict[str, int]) -> None:
    assert measure([], gold) == 0.0


@pytest.mark.parametrize("measure", ALL)
@STEADY
@given(ranked=rankings, gold=golds, order=st.randoms(use_true_random=False))
def test_the_order_of_the_gold_does_not_matter(
    measure: Measure, ranked: list[str], gold: dict[str, int], order: random.Random
) -> None:
    shuffled = list(gold.items())
    order.shuffle(shuffled)
    assert measure(ranked, dict(shuffled)) == pytest.approx(measure(ranked, gold))


@pytest.mark.parametrize("measure", ALL)
@STEADY
@given(ranked=rankings.filter(lambda ranked: len(ranked) > 1), gold=golds, data=st.data())
def test_moving_a_better_paper_up_never_hurts(
    measure: Measure, ranked: list[str], gold: dict[str, int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(ranked) - 2))
    better = ranked.copy()
    better[place : place + 2] = sorted(ranked[place : place + 2], key=lambda paper: -gold.get(paper, 0))
    assert measure(better, gold) >= measure(ranked, gold) - 1e-12


@STEADY
@given(ranked=rankings, gold=golds, k=st.integers(1, 15))
def test_looking_deeper_never_loses_a_paper(ranked: list[str], gold: dict[str, int], k: int) -> None:
    assert recall(ranked, gold, k) <= recall(ranked, gold, k + 1)
    assert all_gold_recall(ranked, gold, k) <= all_gold_recall(ranked, gold, k + 1)
    assert reciprocal_rank(ranked, gold, k) <= reciprocal_rank(ranked, gold, k + 1)
    assert all_gold_recall(ranked, gold, k) == float(recall(ranked, gold, k, min_grade=2) == 1.0)


@STEADY
@given(gold=golds)
def test_the_best_ranking_scores_one(gold: dict[str, int]) -> None:
    best = sorted((paper for paper in gold if gold[paper] > 0), key=lambda paper: -gold[paper])
    assert ndcg(best, gold, len(best)) == pytest.approx(1.0)
    assert average_precision(best, gold) == pytest.approx(1.0)
    assert recall(best, gold, len(best)) == precision(best, gold, len(best)) == reciprocal_rank(best, gold) == 1.0


def test_ndcg_by_hand() -> None:
    expected = (1 + 2 / log2(3)) / (2 + 1 / log2(3))
    assert ndcg(["useful", "central"], {"central": 2, "useful": 1}, 10) == pytest.approx(expected)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="no gold paper"):
        recall(["a"], {"a": 0}, 1)
    with pytest.raises(ValueError, match="no gold paper has grade 2"):
        all_gold_recall(["a"], {"a": 1}, 1)
    with pytest.raises(ValueError, match="k must be"):
        ndcg(["a"], {"a": 1}, 0)
    with pytest.raises(ValueError, match="twice"):
        average_precision(["a", "a"], {"a": 1})
    with pytest.raises(ValueError, match="min_grade"):
        precision(["a"], {"a": 1}, 1, min_grade=0)
