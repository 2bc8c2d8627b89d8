"""Answers to record: small, complete, and different where the id differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rag.types import Answer, Citation, RetrievedPaper, Sentence, Usage

QUOTE = "feedback rewrites the query"


def an_answer(id: str = "a1", question: str = "How does feedback help?", **changes: Any) -> Answer:
    """An answer that cites paper p2 and p1, in this order, and retrieved p1 to p4."""
    answer = Answer(
        id=id,
        question=question,
        standalone_question=f"{question} (stand-alone)",
        text=f"{QUOTE} [1] and more [2].",
        abstained=False,
        abstain_reason=None,
        sentences=(Sentence(f"{QUOTE} [1] and more [2].", (1, 2), True, 0.9),),
        citations=(
            Citation(1, "p2", "Second paper", QUOTE, 3, 3 + len(QUOTE), 0.9),
            Citation(2, "p1", "First paper", "and more", 0, 8, 0.7),
        ),
        retrieved=tuple(RetrievedPaper(rank, f"p{rank}", f"Paper {rank}", 1 / rank) for rank in range(1, 5)),
        mode="extractive",
        model=None,
        policy_version="7",
        usage=Usage(120, 30, 0.002),
        timings_ms={"retrieve": 12.0, "total": 45.5},
    )
    return replace(answer, **changes)


def an_abstention(id: str = "a0", question: str = "Who won the match?") -> Answer:
    """An answer that says nothing, but shows p3 as the closest evidence."""
    return an_answer(
        id,
        question,
        text="The abstracts do not answer this.",
        abstained=True,
        abstain_reason="nothing near",
        sentences=(),
        citations=(),
        closest=(Citation(1, "p3", "Paper 3", "near", 0, 4, 0.2),),
        suggestions=("How does feedback help?",),
    )
