"""Measures: pure functions whose docstrings give range, definition and source."""

from eval.metrics.answer import answer_length, coverage_within, fact_coverage, quote_exactness
from eval.metrics.answerability import (
    abstention_f1,
    aurc,
    calibration_error,
    excess_aurc,
    risk_coverage,
)
from eval.metrics.citation import (
    CitationScores,
    CitedSentence,
    citation_scores,
    cited_precision,
    cited_recall,
    shares_words,
)
from eval.metrics.decision import CAVEAT, Class, Verdict, decision_cost
from eval.metrics.facts import holds_fact
from eval.metrics.retrieval import (
    CENTRAL,
    all_gold_recall,
    ndcg,
    recall,
    reciprocal_rank,
)

__all__ = [
    "CAVEAT",
    "CENTRAL",
    "CitationScores",
    "CitedSentence",
    "Class",
    "Verdict",
    "abstention_f1",
    "all_gold_recall",
    "answer_length",
    "aurc",
    "calibration_error",
    "citation_scores",
    "cited_precision",
    "cited_recall",
    "coverage_within",
    "decision_cost",
    "excess_aurc",
    "fact_coverage",
    "holds_fact",
    "ndcg",
    "quote_exactness",
    "recall",
    "reciprocal_rank",
    "risk_coverage",
    "shares_words",
]
