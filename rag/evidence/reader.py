"""Reading the best papers sentence by sentence, and deciding whether they answer the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.evidence.answerability import COMMON, confidence, decide
from rag.evidence.lacking import lacking
from rag.evidence.weigh import gather
from rag.stages import Context
from rag.text import Names, names
from rag.types import Hit
from rag.values.evidence import PaperEvidence, Reading
from rag.values.query import Query


class EvidenceReader:
    """Weighs sentences and decides by the policy's fitted models."""

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        """hits: one a paper, best first; all of them are read."""
        policy = context.policy
        papers = context.view.papers(hit.passage.paper_id for hit in hits)
        first = [hit.passage.paper_id for hit in hits[: policy.cross_encoding.papers]]
        reads = context.view.read(query.wording, query.vector, first, policy.cross_encoding.sentences)
        evidence = _remembered(gather(query, hits, papers, reads, policy.evidence), context.recalled.sentences)
        answerability = policy.answerability if context.fitted else policy.unfitted
        sure, field = confidence(query, evidence, answerability, context.view.collection.pieces)
        sure = _supported(sure, context.recalled.support)
        named = set(names(query.asked)) - COMMON
        if any(Names(one.paper.title).holds(name) for one in evidence for name in named):
            field = 1.0  # what is named is here, however strange the rest of the question
        verdict = decide(sure, field, answerability) if evidence else "refused"
        missing = lacking(query, evidence, policy.evidence, off_topic=verdict == "refused")
        return Reading(evidence, sure, verdict, tuple(missing))


def _supported(confidence: float, support: float) -> float:
    """The confidence after what people said of answers to like questions. support: in [-1, 1]."""
    moved = 1 - (1 - confidence) * (1 - support) if support >= 0 else confidence * (1 + support)
    return round(moved, 4)


def _remembered(
    evidence: tuple[PaperEvidence, ...], sentences: Mapping[tuple[str, str], float]
) -> tuple[PaperEvidence, ...]:
    """The evidence with the scores of sentences that people found useful, or useless, moved accordingly."""
    if not sentences:
        return evidence
    return tuple(
        replace(
            one,
            sentences=tuple(
                replace(sentence, score=sentence.score + sentences.get((one.paper.id, sentence.text), 0.0))
                for sentence in one.sentences
            ),
        )
        for one in evidence
    )
