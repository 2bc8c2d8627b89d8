"""The sentences of the retrieved papers, each with what speaks for it as an answer to the question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.answer.fitted import Logistic
from rag.index.catalog import Catalog
from rag.ports import Vectors
from rag.question import Question
from rag.text import Span, content_stems, names, numbers, sentences
from rag.types import Hit, Paper

_PROPOSAL = re.compile(
    r"\b(we|this (paper|work|study|article|survey)|our (method|approach|framework|work|model|system))\b.{0,60}\b("
    r"propos|introduc|present|develop|describ|show|investigat|explor|study|studies|analy[sz]|formali[sz]|argue|find|survey|"
    r"review|contribut|release|collect|design|train|learn|leverag|use)",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(outperform\w*|improv\w*|achiev\w*|surpass\w*|state-of-the-art|results?|experiments?|demonstrat\w*|gains?|reduc\w*|"
    r"comparable|significant\w*|superior|evaluat\w*|show|shows|find|found|increas\w*|win)\b|%",
    re.IGNORECASE,
)
FEATURES = (
    "cosine_here",  # of sentence and question, against the paper's other sentences
    "coverage_here",  # share of the question's weight in the sentence, likewise
    "place",  # 0 for the first sentence of the abstract, 1 for the last
    "place_squared",
    "first",
    "last",
    "short",
    "proposal",  # says what the paper does
    "first_proposal",
    "proposal_plain",  # ... and neither number nor name is asked for
    "result",  # says what came out
    "result_for_effect",  # ... and that is asked for
    "result_for_number",
    "number",
    "number_asked",
    "number_for_effect",
    "number_unasked",
    "name",  # holds a name that the question does not
    "name_asked",
)
# what an answer to "how" or "what" opens with: what the paper does about it, not the state of things before it
RELEVANCE = {"cosine_here": 1.0, "coverage_here": 1.0, "proposal": 3.0, "first": -1.0}


@dataclass(frozen=True, slots=True)
class SentenceEvidence:
    """One sentence of one paper."""

    paper: Paper
    index: int  # of the sentence in the abstract
    span: Span
    stems: frozenset[str]
    cosine: float  # of sentence and question
    score: float  # probability that it holds what is asked, given that its paper is the right one
    features: tuple[float, ...]  # in the order of FEATURES
    relevance: float  # how much it speaks of what is asked, against the paper's other sentences, whatever it holds

    @property
    def text(self) -> str:
        """The sentence, exactly as it stands in the abstract."""
        return self.span.of(self.paper.abstract)


@dataclass(frozen=True, slots=True)
class PaperEvidence:
    """One retrieved paper with all its sentences."""

    paper: Paper
    hit: Hit  # its best passage
    sentences: tuple[SentenceEvidence, ...]
    stems: frozenset[str]  # of title and abstract

    @property
    def best(self) -> SentenceEvidence:
        """The sentence most likely to hold what is asked."""
        return max(self.sentences, key=lambda one: (one.score, -one.index))

    @property
    def most_relevant(self) -> SentenceEvidence:
        """The sentence that speaks most of what is asked."""
        return max(self.sentences, key=lambda one: (one.relevance, -one.index))


def gather(question: Question, hits: Sequence[Hit], catalog: Catalog, model: Logistic) -> list[PaperEvidence]:
    """Evidence of the hits' papers, in their order. model: gives sentences their score; over FEATURES."""
    known = catalog.some(hit.passage.paper_id for hit in hits)
    found = []
    for hit in hits:
        if hit.passage.paper_id not in known:
            continue  # removed from the collection a moment ago
        paper, vectors = known[hit.passage.paper_id]
        cut = _sentences(question, paper, vectors, model)
        if cut:
            stems = frozenset(content_stems(paper.title)).union(*(one.stems for one in cut))
            found.append(PaperEvidence(paper, hit, tuple(cut), stems))
    return found


@dataclass(frozen=True, slots=True)
class _Anatomy:
    """What a paper's sentences are like whatever is asked; one row a sentence."""

    spans: tuple[Span, ...]
    texts: tuple[str, ...]
    stems: tuple[frozenset[str], ...]
    names: tuple[tuple[str, ...], ...]  # case folded
    number: NDArray[np.float64]
    proposal: NDArray[np.float64]
    result: NDArray[np.float64]


@lru_cache(maxsize=4096)
def _anatomy(paper: Paper) -> _Anatomy:
    spans = sentences(paper.abstract)
    texts = tuple(span.of(paper.abstract) for span in spans)
    return _Anatomy(
        spans,
        texts,
        tuple(frozenset(content_stems(text)) for text in texts),
        tuple(tuple(name.casefold() for name in names(text)) for text in texts),
        np.array([bool(numbers(text)) for text in texts], dtype=float),
        np.array([bool(_PROPOSAL.search(text)) for text in texts], dtype=float),
        np.array([bool(_RESULT.search(text)) for text in texts], dtype=float),
    )


def _sentences(question: Question, paper: Paper, vectors: Vectors, model: Logistic) -> list[SentenceEvidence]:
    anatomy = _anatomy(paper)
    if not anatomy.spans:
        return []
    cosines = vectors @ question.vector
    matrix = _features(question, anatomy, cosines)
    relevance = matrix @ [RELEVANCE.get(name, 0.0) for name in FEATURES]
    return [
        SentenceEvidence(
            paper,
            i,
            anatomy.spans[i],
            anatomy.stems[i],
            float(cosines[i]),
            float(score),
            tuple(matrix[i]),
            relevance[i],
        )
        for i, score in enumerate(model.probabilities(matrix))
    ]


def _features(question: Question, anatomy: _Anatomy, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    """[sentences, FEATURES] of one paper."""
    count = len(anatomy.spans)
    wants_number, wants_name, wants_effect = question.wants_number, question.wants_name, question.wants_effect
    coverage = np.array([question.coverage(one) for one in anatomy.stems])
    place = np.arange(count) / max(count - 1, 1)
    proposal, result, number = anatomy.proposal, anatomy.result, anatomy.number
    first_proposal = np.zeros(count)
    if proposal.any():
        first_proposal[int(np.argmax(proposal))] = 1.0
    known = question.text.casefold()
    name = np.array([any(one not in known for one in found) for found in anatomy.names], dtype=float)
    columns = (
        _standardised(np.asarray(cosines, dtype=np.float64)),
        _standardised(coverage),
        place,
        place**2,
        np.arange(count) == 0,
        np.arange(count) == count - 1,
        np.array([len(text) < 60 for text in anatomy.texts]),
        proposal,
        first_proposal,
        proposal * (not (wants_number or wants_name)),
        result,
        result * wants_effect,
        result * wants_number,
        number,
        number * wants_number,
        number * wants_effect,
        number * (not wants_number),
        name,
        name * wants_name,
    )
    return np.column_stack(columns).astype(np.float64)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / (values.std() + 0.02))
