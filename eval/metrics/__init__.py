"""Measures: pure functions whose docstrings give range, definition and source."""

from eval.metrics.answer import answer_length, fact_coverage, quote_exactness
from eval.metrics.facts import holds_fact, normalise
from eval.metrics.retrieval import (
    CENTRAL,
    all_gold_recall,
    average_precision,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)

__all__ = [
    "CENTRAL",
    "all_gold_recall",
    "answer_length",
    "average_precision",
    "fact_coverage",
    "holds_fact",
    "ndcg",
    "normalise",
    "precision",
    "quote_exactness",
    "recall",
    "reciprocal_rank",
]
