"""What the measures of a ranking mean; the formulas are ir_measures' own."""

from __future__ import annotations

from math import log2

import pytest

from eval.metrics.retrieval import all_gold_recall, ndcg, recall, reciprocal_rank

GOLD = {"central": 2, "other": 2, "useful": 1, "judged": 0}


def test_ndcg_has_linear_gain() -> None:
    expected = (1 + 2 / log2(3)) / (2 + 1 / log2(3))
    assert ndcg(["useful", "central"], {"central": 2, "useful": 1}, 10) == pytest.approx(expected)
    assert ndcg(["central", "other", "useful"], GOLD, 10) == 1.0


def test_what_is_ranked_counts_up_to_the_cut() -> None:
    ranked = ["judged", "useful", "unknown", "central", "other"]
    assert recall(ranked, GOLD, 2) == pytest.approx(1 / 3)
    assert recall(ranked, GOLD, 4, min_grade=2) == 0.5
    assert reciprocal_rank(ranked, GOLD, 10) == 0.5
    assert reciprocal_rank(ranked, GOLD, 1) == 0.0
    assert [all_gold_recall(ranked, GOLD, k) for k in (4, 5)] == [0.0, 1.0]


def test_silence_scores_zero() -> None:
    assert recall([], GOLD, 5) == ndcg([], GOLD, 5) == reciprocal_rank([], GOLD, 5) == all_gold_recall([], GOLD, 5) == 0


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="no gold paper has grade 1"):
        recall(["a"], {"a": 0}, 1)
    with pytest.raises(ValueError, match="no gold paper has grade 2"):
        all_gold_recall(["a"], {"a": 1}, 1)
    with pytest.raises(ValueError, match="twice"):
        ndcg(["a", "a"], {"a": 1}, 5)
