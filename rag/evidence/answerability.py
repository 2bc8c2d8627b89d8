"""Does the collection hold the answer? A calibrated probability, from many weak signs rather than one cut-off.

A raw cosine does not tell: unrelated questions reach high values, and a question about a detail that a paper does not
mention looks very close to that paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.policy import Answerability
from rag.text import numbers
from rag.types import Verdict
from rag.values.evidence import PaperEvidence
from rag.values.query import Query

# The length of the question is left out on purpose: it would tell the development questions apart very well, but only
# because whoever wrote them was brief about what no abstract answers. People are brief about anything.
FEATURES = (
    "cosine",  # of the question and the best paper's passage
    "sentence_cosine",  # ... and its closest sentence
    "coverage",  # share of the question's weight that the best paper covers
    "coverage_exact",  # ... without query expansion
    "sentence_coverage",  # ... that its best sentence covers
    "missing",  # rarity of the weightiest word that the best paper lacks
    "missing_second",  # ... and of the next
    "missing_everywhere",  # share of the question's words that no close paper holds
    "name_missing",  # a name in the question that the best paper lacks
    "name_known",  # ... and one that it has
    "lexical",  # BM25 of the best paper for each word asked
    "margin",  # how far the best paper is ahead of the third
    "selected",  # how sure the choice of sentence is
    "number_unmet",  # a number is asked for and the best sentence has none
    "number",
    "named",  # asks for a name
    "many",
)

COSINES = ("cosine", "sentence_cosine")  # what another embedder puts on another scale


def signs(query: Query, evidence: Sequence[PaperEvidence]) -> list[float]:
    """One row of FEATURES. evidence: the best papers, best first; at least one."""
    top = evidence[0]
    best = top.best
    close = frozenset().union(*(one.stems for one in evidence[:5]))
    lacks = sorted((term.weight * (1 - term.covered(top.stems)) for term in query.terms), reverse=True)
    sentence_coverage = max(query.coverage(one.stems) for one in top.sentences)
    known_names = [name for name in query.names if name.casefold() in _folded(top)]
    third = evidence[min(2, len(evidence) - 1)].hit.score
    total = sum(term.weight for term in query.terms) or 1.0
    return [
        top.hit.dense if top.hit.dense is not None else 0.0,
        max(one.cosine for one in top.sentences),
        query.coverage(top.stems),
        query.coverage(top.stems, expanded=False),
        sentence_coverage,
        lacks[0] if lacks else 1.0,
        lacks[1] if len(lacks) > 1 else 0.0,
        sum(term.weight for term in query.terms if term.covered(close) == 0.0) / total,
        float(len(known_names) < len(query.names)),
        float(bool(known_names)),
        (top.hit.lexical or 0.0) / max(query.searched_words, 1),
        top.hit.score - third,
        best.score,
        float(query.wants_number and not numbers(best.text)),
        float(query.wants_number),
        float(query.wants_name),
        float(query.wants_many),
    ]


def confidence(query: Query, evidence: Sequence[PaperEvidence], policy: Answerability) -> float:
    """Calibrated probability that the collection holds the answer, in [0, 1]; 0.0 without evidence."""
    if not evidence:
        return 0.0
    row = signs(query, evidence)
    chosen = [row[FEATURES.index(name)] for name in policy.model.features]
    return round(float(policy.model.probabilities([chosen])[0]), 4)


def decide(confidence: float, policy: Answerability) -> Verdict:
    """The band that a confidence falls into."""
    if confidence >= policy.answer:
        return "answered"
    return "closest" if confidence >= policy.closest else "refused"


def missing_words(query: Query, evidence: Sequence[PaperEvidence]) -> list[str]:
    """The weighty words of the question that the best paper does not hold, weightiest first."""
    stems = evidence[0].stems if evidence else frozenset()
    own = [term for term in query.terms if not (term.generic or term.carried)]
    lacking = [term for term in own if term.covered(stems) < 0.35]
    return [term.word for term in sorted(lacking, key=lambda term: -term.weight)]


def _folded(one: PaperEvidence) -> str:
    return f"{one.paper.title} {one.paper.abstract}".casefold()
