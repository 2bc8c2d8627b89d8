"""Measures: pure functions whose docstrings give range, definition and source."""

from eval.metrics.abstention import (
    abstention_f1,
    aurc,
    calibration_error,
    excess_aurc,
    false_answer_rate,
    false_refusal_rate,
    risk_coverage,
)
from eval.metrics.answer import answer_length, fact_coverage, quote_exactness
from eval.metrics.citation import (
    CitationScores,
    CitedSentence,
    Supports,
    citation_scores,
    cited_precision,
    cited_recall,
    shares_words,
)
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
from eval.metrics.robustness import Spread, follow_up_loss, mean_spread, spread

__all__ = [
    "CENTRAL",
    "CitationScores",
    "CitedSentence",
    "Spread",
    "Supports",
    "abstention_f1",
    "all_gold_recall",
    "answer_length",
    "aurc",
    "average_precision",
    "calibration_error",
    "citation_scores",
    "cited_precision",
    "cited_recall",
    "excess_aurc",
    "fact_coverage",
    "false_answer_rate",
    "false_refusal_rate",
    "follow_up_loss",
    "holds_fact",
    "mean_spread",
    "ndcg",
    "normalise",
    "precision",
    "quote_exactness",
    "recall",
    "reciprocal_rank",
    "risk_coverage",
    "shares_words",
    "spread",
]
