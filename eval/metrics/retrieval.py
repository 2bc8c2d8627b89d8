"""Measures of a ranking of papers against graded gold papers. Pure; higher is better; silence scores zero.

Everywhere: ``ranked`` holds distinct paper ids, best first; ``gold`` maps paper id -> grade, an unlisted id counts as
0; a paper is relevant from ``min_grade`` on. All raise ValueError if a paper is ranked twice, if k < 1, or if no gold
paper is relevant: a question without relevant papers has no retrieval score, leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

CENTRAL = 2  # grade of a paper that a complete answer must use; 1 is merely useful


def recall(ranked: Sequence[str], gold: Mapping[str, int], k: int, *, min_grade: int = 1) -> float:
    """Share of the relevant papers that are among the first k, in [0, 1].

    Source: Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, section 8.3; ir_measures R@k.
    """
    relevant = _relevant(ranked, gold, k, min_grade)
    return len(relevant.intersection(ranked[:k])) / len(relevant)


def precision(ranked: Sequence[str], gold: Mapping[str, int], k: int, *, min_grade: int = 1) -> float:
    """Share of the first k places that hold a relevant paper, in [0, 1]; a place left empty counts as wrong.

    Source: Manning, Raghavan and Schütze 2008, section 8.4; ir_measures P@k.
    """
    relevant = _relevant(ranked, gold, k, min_grade)
    return len(relevant.intersection(ranked[:k])) / k


def ndcg(ranked: Sequence[str], gold: Mapping[str, int], k: int) -> float:
    """Normalised discounted cumulative gain of the first k, in [0, 1]: sum of grade / log2(1 + rank), over the best.

    Source: Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418 (linear gain, log2 discount); ir_measures nDCG@k.
    """
    _relevant(ranked, gold, k, 1)
    best = _dcg(sorted((grade for grade in gold.values() if grade > 0), reverse=True)[:k])
    return _dcg([max(0, gold.get(paper, 0)) for paper in ranked[:k]]) / best


def reciprocal_rank(
    ranked: Sequence[str], gold: Mapping[str, int], k: int | None = None, *, min_grade: int = 1
) -> float:
    """1 / rank of the first relevant paper, in [0, 1]; 0 if none is among the first k (None: anywhere).

    Its mean over questions is the MRR. Source: Voorhees 1999, The TREC-8 Question Answering
    Track Report; ir_measures RR.
    """
    relevant = _relevant(ranked, gold, k, min_grade)
    return next((1 / rank for rank, paper in enumerate(ranked[:k], start=1) if paper in relevant), 0.0)


def average_precision(
    ranked: Sequence[str], gold: Mapping[str, int], k: int | None = None, *, min_grade: int = 1
) -> float:
    """Mean, over the relevant papers, of the precision at each one's rank, in [0, 1]; a paper not found adds 0.

    Only the first k places count (None: all). Source: Buckley and Voorhees 2000, doi:10.1145/345508.345543;
    ir_measures AP.
    """
    relevant = _relevant(ranked, gold, k, min_grade)
    found, total = 0, 0.0
    for rank, paper in enumerate(ranked[:k], start=1):
        if paper in relevant:
            found += 1
            total += found / rank
    return total / len(relevant)


def all_gold_recall(ranked: Sequence[str], gold: Mapping[str, int], k: int, *, min_grade: int = CENTRAL) -> float:
    """1.0 if every central paper is among the first k, else 0.0: what a question for a complete list needs.

    Source: the "all evidence retrieved" criterion of multi-hop retrieval, e.g. Xiong et al. 2021, arXiv:2009.12756.
    """
    relevant = _relevant(ranked, gold, k, min_grade)
    return float(relevant.issubset(ranked[:k]))


def _relevant(ranked: Sequence[str], gold: Mapping[str, int], k: int | None, min_grade: int) -> set[str]:
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if min_grade < 1:
        raise ValueError(f"min_grade must be at least 1, not {min_grade}")
    if len(set(ranked)) < len(ranked):
        raise ValueError("a paper is ranked twice")
    relevant = {paper for paper, grade in gold.items() if grade >= min_grade}
    if not relevant:
        raise ValueError(f"no gold paper has grade {min_grade} or more")
    return relevant


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / log2(1 + rank) for rank, gain in enumerate(gains, start=1))
