"""The sentences of the retrieved papers, each with what speaks for it as an answer to the query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.collection import StoredPaper
from rag.policy import Evidence
from rag.text import Span, content_stems, names, numbers, sentences
from rag.types import Hit, Paper
from rag.values.evidence import PaperEvidence, SentenceEvidence
from rag.values.query import Query

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


def gather(
    query: Query, hits: Sequence[Hit], papers: Mapping[str, StoredPaper], policy: Evidence
) -> tuple[PaperEvidence, ...]:
    """Evidence of the hits' papers, in their order. hits: one a paper."""
    found = []
    for hit in hits:
        stored = papers[hit.passage.paper_id]
        cut = _sentences(query, stored, policy)
        if cut:
            stems = frozenset(content_stems(stored.paper.title)).union(*(one.stems for one in cut))
            found.append(PaperEvidence(stored.paper, hit, tuple(cut), stored.vectors, stems))
    return tuple(found)


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


def _sentences(query: Query, stored: StoredPaper, policy: Evidence) -> list[SentenceEvidence]:
    anatomy = _anatomy(stored.paper)
    if not anatomy.spans:
        return []
    cosines = stored.vectors @ query.vector
    matrix = _features(query, anatomy, cosines)
    scores = policy.model.of(FEATURES).probabilities(matrix)
    return [
        SentenceEvidence(
            stored.paper,
            i,
            anatomy.spans[i],
            anatomy.stems[i],
            float(cosines[i]),
            float(scores[i]),
            tuple(matrix[i]),
        )
        for i in range(len(anatomy.spans))
    ]


def _features(query: Query, anatomy: _Anatomy, cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    """[sentences, FEATURES] of one paper."""
    count = len(anatomy.spans)
    wants_number, wants_name, wants_effect = query.wants_number, query.wants_name, query.wants_effect
    coverage = np.array([query.coverage(one) for one in anatomy.stems])
    place = np.arange(count) / max(count - 1, 1)
    proposal, result, number = anatomy.proposal, anatomy.result, anatomy.number
    first_proposal = np.zeros(count)
    if proposal.any():
        first_proposal[int(np.argmax(proposal))] = 1.0
    known = query.standalone.casefold()
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
