"""Measures of a ranking of papers against graded gold papers, by ir_measures. All in [0, 1]; higher is better.

Everywhere: ``ranked`` holds distinct paper ids, best first; ``gold`` maps paper id → grade, an unlisted id counts as
0; a paper is relevant from ``min_grade`` on; an empty ranking scores 0. All raise ValueError if a paper is ranked
twice or no gold paper is relevant: a question without relevant papers has no retrieval score, leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ir_measures

CENTRAL = 2  # grade of a paper that a complete answer must use; 1 is merely useful


def recall(ranked: Sequence[str], gold: Mapping[str, int], k: int, *, min_grade: int = 1) -> float:
    """Share of the relevant papers among the first k.

    Source: Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, section 8.3.
    """
    return _value(ir_measures.R(rel=min_grade) @ k, ranked, gold, min_grade)


def ndcg(ranked: Sequence[str], gold: Mapping[str, int], k: int) -> float:
    """Normalised discounted cumulative gain of the first k, with linear gain and a log2 discount.

    Source: Järvelin and Kekäläinen 2002, Cumulated Gain-Based Evaluation of IR Techniques.
    """
    return _value(ir_measures.nDCG @ k, ranked, gold)


def reciprocal_rank(ranked: Sequence[str], gold: Mapping[str, int], k: int) -> float:
    """1 / rank of the first relevant paper, 0 if none is among the first k; its mean over questions is the MRR.

    Source: Voorhees 1999, The TREC-8 Question Answering Track Report.
    """
    return _value(ir_measures.RR @ k, ranked, gold)


def all_gold_recall(ranked: Sequence[str], gold: Mapping[str, int], k: int) -> float:
    """1.0 if every central paper is among the first k, else 0.0: what a question for a complete list needs.

    Source: the "all evidence retrieved" criterion of multi-hop retrieval, e.g. Xiong et al. 2021, arXiv:2009.12756.
    """
    return float(recall(ranked, gold, k, min_grade=CENTRAL) == 1.0)


def _value(measure: Any, ranked: Sequence[str], gold: Mapping[str, int], min_grade: int = 1) -> float:
    if len(set(ranked)) < len(ranked):
        raise ValueError("a paper is ranked twice")
    if not any(grade >= min_grade for grade in gold.values()):
        raise ValueError(f"no gold paper has grade {min_grade} or more")
    run = {paper: 1 / rank for rank, paper in enumerate(ranked, start=1)}
    (found,) = ir_measures.iter_calc([measure], {"q": dict(gold)}, {"q": run})
    return float(found.value)
