"""The sentences of the retrieved papers, each with what speaks for it as an answer to the query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.collection import StoredPaper
from rag.evidence.asked import asked_for, held
from rag.policy import Evidence
from rag.ports import Read
from rag.query import wants
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
_PARTS = re.compile(r":|\(i\)|\(1\)|\bfirst\b.{0,200}\bsecond\b", re.IGNORECASE)
SPREAD = 6.0  # logits; what lies farther below is all the same
SHORTEST = 3  # words added to a sentence's length, so that a very short one is not dense for that
FEATURES = (
    "cosine",  # of sentence and question, below that of the paper's closest sentence
    "coverage",  # share of the question's weight in the sentence, likewise
    "beyond_title",  # ... of what the title does not hold, against the paper's other sentences
    "dense",  # ... for the sentence's length, likewise
    "cosine_before",  # of the sentence before
    "typical",  # how near it is to the paper as a whole
    "place",  # 0 for the first sentence of the abstract, 1 for the last
    "first",
    "last",
    "before",  # stands before the first sentence that says what the paper does: what was known or is wrong
    "before_for_how",  # ... and it is asked how
    "before_for_why",
    "before_for_whether",
    "after",  # stands after that sentence
    "proposal_plain",  # says what the paper does, and neither number nor name is asked for
    "proposal_for_title",  # is the first to say it, times the share of the question's weight in the title
    "result",  # says what came out
    "result_for_effect",  # ... and that is asked for
    "result_for_whether",
    "number",
    "number_asked",  # holds what would answer a question for a number, its unit beside it
    "name",  # holds a name that the question does not
    "parts",  # enumerates
    "read",  # the cross-encoder's logit, below that of the likeliest sentence; 0 where it did not read the paper
)


def gather(
    query: Query, hits: Sequence[Hit], papers: Mapping[str, StoredPaper], reads: Mapping[str, Read], policy: Evidence
) -> tuple[PaperEvidence, ...]:
    """Evidence of the hits' papers, in their order. hits: one a paper. reads: of the first papers."""
    found = []
    for hit in hits:
        stored = papers[hit.passage.paper_id]
        read = reads.get(stored.paper.id)
        cut = _sentences(query, stored, read, policy)
        if cut:
            stems = frozenset(content_stems(stored.paper.title)).union(*(one.stems for one in cut))
            found.append(PaperEvidence(stored.paper, hit, tuple(cut), stored.vectors, stems, read))
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
    parts: NDArray[np.float64]
    title: frozenset[str]  # its stems


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
        np.array([bool(_PARTS.search(text)) for text in texts], dtype=float),
        frozenset(content_stems(paper.title)),
    )


def _sentences(query: Query, stored: StoredPaper, read: Read | None, policy: Evidence) -> list[SentenceEvidence]:
    anatomy = _anatomy(stored.paper)
    if not anatomy.spans:
        return []
    cosines = stored.vectors @ query.vector
    matrix = _features(query, stored, anatomy, read)
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


def _features(query: Query, stored: StoredPaper, anatomy: _Anatomy, read: Read | None) -> NDArray[np.float64]:
    """[sentences, FEATURES] of one paper."""
    paper, vectors = stored.paper, stored.vectors
    count = len(anatomy.spans)
    places = np.arange(count)
    cosines = (vectors @ query.vector).astype(np.float64)
    centre = vectors.mean(axis=0)
    weights = np.array([term.weight for term in query.terms])
    total = float(weights.sum()) or 1.0
    covered = np.array([[term.covered(one) for term in query.terms] for one in (anatomy.title, *anatomy.stems)])
    in_title, covered = covered[0], covered[1:]
    coverage = covered @ weights / total
    lengths = np.sqrt([len(one) + SHORTEST for one in anatomy.stems])
    proposes = np.flatnonzero(anatomy.proposal)
    proposal = int(proposes[0]) if proposes.size else -1
    before, after = (places < proposal) * 1.0, ((places > proposal) & (proposal >= 0)) * 1.0
    asked, form = asked_for(query.asked), wants.form(query.asked)
    known = query.standalone.casefold()
    columns = (
        cosines - cosines.max(),
        coverage - coverage.max(),
        _standardised(covered @ (weights * (1 - in_title)) / total),
        _standardised(coverage / lengths),
        np.concatenate([[0.0], cosines[:-1] - cosines.mean()]),
        _standardised(np.asarray(vectors @ centre / (np.linalg.norm(centre) + 1e-9), dtype=np.float64)),
        places / max(count - 1, 1),
        places == 0,
        places == count - 1,
        before,
        before * (form == "how"),
        before * (form == "why"),
        before * (form == "whether"),
        after,
        anatomy.proposal * (asked is None),
        (places == proposal) * float(weights @ in_title) / total,
        anatomy.result,
        anatomy.result * query.wants_effect,
        anatomy.result * (form == "whether"),
        anatomy.number,
        [
            asked is not None and asked.quantity and held(asked, one, paper.title, query.asked)[1]
            for one in anatomy.texts
        ],
        [any(one not in known for one in found) for found in anatomy.names],
        anatomy.parts,
        np.clip(read.sentences - read.sentences.max(), -SPREAD, 0) if read else np.zeros(count),
    )
    return np.column_stack(columns).astype(np.float64)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / (values.std() + 0.02))
