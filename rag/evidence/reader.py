"""Reading the best papers sentence by sentence, and deciding whether they answer the question."""

from __future__ import annotations

from collections.abc import Sequence

from rag.evidence.answerability import confidence, decide, missing_words
from rag.evidence.weigh import gather
from rag.stages import Context
from rag.types import Hit
from rag.values.evidence import Reading
from rag.values.query import Query


class EvidenceReader:
    """Weighs sentences and decides by the policy's fitted models."""

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        """hits: one a paper, best first; the policy says how many are read."""
        policy = context.policy
        best = hits[: policy.evidence.papers]
        papers = context.view.papers(hit.passage.paper_id for hit in best)
        evidence = gather(query, best, papers, policy.evidence)
        fitted = policy.embedder == context.view.collection.embedder
        answerability = policy.answerability if fitted else policy.unfitted
        sure = confidence(query, evidence, answerability)
        verdict = decide(sure, answerability) if evidence else "refused"
        return Reading(evidence, sure, verdict, tuple(missing_words(query, evidence)))
