"""Does the collection hold the answer? A calibrated probability, from many weak signs rather than one cut-off.

A raw cosine does not tell: unrelated questions reach high values, and a question about a detail that a paper does not
mention looks very close to that paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answer.evidence import PaperEvidence
from rag.question import Question
from rag.text import numbers

# The length of the question is left out on purpose: it would tell the development questions apart very well, but only
# because whoever wrote them was brief about what no abstract answers. People are brief about anything.
FEATURES = (
    "cosine",  # of the question and the best paper's passage
    "sentence_cosine",  # ... and its closest sentence
    "coverage",  # share of the question's weight that the best paper covers
    "coverage_exact",  # ... without stand-ins
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


def signs(question: Question, evidence: Sequence[PaperEvidence]) -> list[float]:
    """One row of FEATURES. evidence: the best papers, best first; at least one."""
    top = evidence[0]
    best = top.best
    close = frozenset().union(*(one.stems for one in evidence[:5]))
    lacks = sorted((term.weight * (1 - question.covers(term, top.stems)) for term in question.terms), reverse=True)
    sentence_coverage = max(question.coverage(one.stems) for one in top.sentences)
    known_names = [name for name in question.names if name.casefold() in _folded(top)]
    third = evidence[min(2, len(evidence) - 1)].hit.score
    total = sum(term.weight for term in question.terms) or 1.0
    return [
        top.hit.dense if top.hit.dense is not None else 0.0,
        max(one.cosine for one in top.sentences),
        question.coverage(top.stems),
        question.coverage(top.stems, stand_ins=False),
        sentence_coverage,
        lacks[0] if lacks else 1.0,
        lacks[1] if len(lacks) > 1 else 0.0,
        sum(term.weight for term in question.terms if question.covers(term, close) == 0.0) / total,
        float(len(known_names) < len(question.names)),
        float(bool(known_names)),
        (top.hit.lexical or 0.0) / max(len(question.terms), 1),
        top.hit.score - third,
        best.score,
        float(question.wants_number and not numbers(best.text)),
        float(question.wants_number),
        float(question.wants_name),
        float(question.wants_many),
    ]


RARE = 0.6  # weight of a word that only a few papers hold
PLAIN = 0.85  # confidence in a question whose every word of substance stands in the best paper, one of them rare


def is_plain(question: Question, evidence: Sequence[PaperEvidence]) -> bool:
    """Whether the best paper holds every word of substance, one of them rare, as in "What is RAPL?".

    Such questions are too short for the other signs. If a number is asked for, a sentence must hold one beside at least
    half of the words.
    """
    top = evidence[0]
    subject = [term for term in question.terms if not term.generic]
    if not any(term.weight >= RARE for term in subject) or not all(term.stem in top.stems for term in subject):
        return False
    if not question.wants_number:
        return True
    stems = {term.stem for term in subject}
    return any(numbers(one.text) and 2 * len(stems & one.stems) >= len(stems) for one in top.sentences)


def missing_words(question: Question, evidence: Sequence[PaperEvidence]) -> list[str]:
    """The weighty words of the question that the best paper does not hold, weightiest first."""
    stems = evidence[0].stems if evidence else frozenset()
    lacking = [term for term in question.terms if not term.generic and question.covers(term, stems) < 0.35]
    return [term.word for term in sorted(lacking, key=lambda term: -term.weight)]


def _folded(one: PaperEvidence) -> str:
    return f"{one.paper.title} {one.paper.abstract}".casefold()
