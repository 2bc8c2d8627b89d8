"""Does the collection hold the answer? A calibrated probability, from many weak features rather than one cut-off.

A raw cosine does not tell: unrelated questions reach high values, and a question about a detail that a paper does not
mention looks very close to that paper.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rag.evidence.asked import Asked, asked_for, held
from rag.evidence.match import Cut, unevenness
from rag.policy import Answerability
from rag.ports import Read
from rag.text import Names, content_stems, names, numbers
from rag.types import Verdict
from rag.values.evidence import PaperEvidence
from rag.values.query import Query

# The length of the question is left out on purpose: it told the development questions apart very well, but only
# because whoever wrote them was brief about what no abstract answers. People are brief about anything.
FEATURES = (
    "cosine",  # of the question and the best paper's passage
    "sentence_cosine",  # ... and its closest sentence
    "coverage",  # share of the question's weight that the best paper covers
    "sentence_coverage",  # ... that its best sentence covers
    "missing",  # rarity of the weightiest word that the best paper lacks
    "missing_second",  # ... and of the next
    "missing_everywhere",  # share of the question's weight that no close paper holds
    "name_missing",  # a name in the question that the best paper lacks
    "name_unknown",  # ... and that no paper of the collection holds
    "name_known",  # a name in the question that the best paper has
    "number_missing",  # a number in the question that the best paper lacks
    "lexical",  # BM25 of the best paper for the weight that is asked
    "margin",  # how far the best paper is ahead of the third
    "number",  # a quantity is asked for ...
    "name",  # ... the name of something
    "person_place_time",  # ... who, where or when
    "unmet",  # ... and no sentence of the best paper holds such a thing of the asked unit
    "held_cosine",  # how much further from the question than its closest sentence the closest one is that does
    "held_coverage",  # ... and how much less of the question's other words it covers
    "many",
    "read",  # the cross-encoder's logit that the best paper answers
    "read_sentence",  # ... that its likeliest sentence does
    "read_others",  # ... that another of the best papers answers, above the best paper's
    "uneven",  # how much worse parts of the question match the best paper than others
)
FIELD = ("cosine", "sentence_cosine", "coverage", "missing_everywhere")  # features of being what a collection is about
READING = ("read", "read_sentence", "read_others")  # by the cross-encoder
# What another embedder puts on another scale, or does not tell
COSINES = ("cosine", "sentence_cosine", "held_cosine", "uneven")
NOT_READ = Read(0.0, np.zeros(1, dtype=np.float32))
FAR = -0.3  # held_cosine where nothing is held
_PROPER = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w+.-]{0,63}[\w+]")  # capitals that no sentence begins with
COMMON = frozenset("I AI ML NLP LLM LLMs RL API APIs GPU GPUs CPU QA RAG US UK USA".split())  # abbreviations, no names


def features_of(query: Query, evidence: Sequence[PaperEvidence], cut: Cut) -> list[float]:
    """One row of FEATURES. evidence: the best papers, best first; at least one. cut: text → word pieces."""
    top = evidence[0]
    text = f"{top.paper.title} {top.paper.abstract}"
    close = frozenset().union(*(one.stems for one in evidence[:5]))
    lacks = sorted((term.weight * (1 - term.covered(top.stems)) for term in query.terms), reverse=True)
    total = sum(term.weight for term in query.terms) or 1.0
    named = [name for name in dict.fromkeys([*names(query.asked), *_PROPER.findall(query.asked)]) if name not in COMMON]
    unknown = {term.stem for term in query.terms if term.weight >= 1.0}
    in_paper = Names(text)
    lacking = [name for name in named if not in_paper.holds(name)]
    asked = asked_for(query.asked)
    kind = asked.kind if asked else None
    return [
        top.hit.dense if top.hit.dense is not None else 0.0,
        max(one.cosine for one in top.sentences),
        query.coverage(top.stems),
        max(query.coverage(one.stems) for one in top.sentences),
        lacks[0] if lacks else 1.0,
        lacks[1] if len(lacks) > 1 else 0.0,
        sum(term.weight for term in query.terms if term.covered(close) == 0.0) / total,
        float(bool(lacking)),
        float(any(not unknown.isdisjoint(content_stems(name)) for name in lacking)),
        float(len(lacking) < len(named)),
        float(not set(numbers(query.asked)) <= set(numbers(text))),
        (top.hit.lexical or 0.0) / total,
        top.hit.score - evidence[min(2, len(evidence) - 1)].hit.score,
        float(kind in {"count", "number"}),
        float(kind in {"name", "names"}),
        float(kind in {"person", "place", "time"}),
        *_met(query, asked, top),
        float(query.wants_many),
        *_read(evidence),
        unevenness(query, top, cut),
    ]


def _read(evidence: Sequence[PaperEvidence]) -> tuple[float, float, float]:
    """What the cross-encoder says: read, read_sentence, read_others."""
    top, *others = [one.read for one in evidence if one.read] or [NOT_READ]
    return top.answer, float(top.sentences.max()), max((one.answer - top.answer for one in others), default=0.0)


def _met(query: Query, asked: Asked | None, top: PaperEvidence) -> tuple[float, float, float]:
    """How well the best paper meets the kind of thing that is asked for: unmet, held_cosine, held_coverage."""
    if asked is None:
        return 0.0, 0.0, 0.0
    others = [term for term in query.terms if term.stem not in asked.units]
    total = sum(term.weight for term in others) or 1.0
    closest = max(one.cosine for one in top.sentences)
    cosine, coverage, unmet = FAR, 0.0, 1.0
    for one in top.sentences:
        if held(asked, one.text, top.paper.title, query.asked)[1]:
            unmet = 0.0
            cosine = max(cosine, one.cosine - closest)
            coverage = max(coverage, sum(term.weight * term.covered(one.stems) for term in others) / total)
    return unmet, cosine, coverage - max(query.coverage(one.stems) for one in top.sentences)


def confidence(query: Query, evidence: Sequence[PaperEvidence], policy: Answerability, cut: Cut) -> tuple[float, float]:
    """(probability that the collection holds the answer, probability that it is about such things at all).

    Both in [0, 1], and 0.0 without evidence.
    """
    if not evidence:
        return 0.0, 0.0
    row = dict(zip(FEATURES, features_of(query, evidence, cut), strict=True))
    answer, field = (
        float(model.probabilities([[row[name] for name in model.features]])[0])
        for model in (policy.model, policy.field)
    )
    return round(answer, 4), round(field, 4)


def decide(confidence: float, field: float, policy: Answerability) -> Verdict:
    """The band that a question falls into. field: the probability that the collection is about such things."""
    if field < policy.closest:
        return "refused"
    return "answered" if confidence >= policy.answer else "closest"
