"""The standard stages of the pipeline, as one value in which each can be exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from rag.answer.answerer import QuotingAndWritingAnswerer
from rag.answer.written import Limits
from rag.evidence.reader import EvidenceReader
from rag.query.understand import QueryUnderstander
from rag.retrieve.fuse import ConvexFuser
from rag.retrieve.recall import MemoryRecaller
from rag.retrieve.rerank import PaperReranker
from rag.retrieve.search import HybridRetriever
from rag.settings import Settings
from rag.stages import Answerer, Fuser, Reader, Recaller, Reranker, Retriever, Understander


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of the pipeline. ``dataclasses.replace`` exchanges one of them."""

    understander: Understander
    retriever: Retriever
    fuser: Fuser
    reranker: Reranker
    recaller: Recaller
    reader: Reader
    answerer: Answerer

    @classmethod
    def standard(cls, settings: Settings) -> Self:
        """Readback's own."""
        limits = Limits(
            settings.context_tokens,
            settings.answer_tokens,
            settings.unsupported == "mark",
            settings.small_model,
            settings.second_opinion and not settings.small_model,
        )
        return cls(
            QueryUnderstander(),
            HybridRetriever(),
            ConvexFuser(),
            PaperReranker(),
            MemoryRecaller(),
            EvidenceReader(),
            QuotingAndWritingAnswerer(limits),
        )
