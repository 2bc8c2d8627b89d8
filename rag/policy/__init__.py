"""The policy: every number and weight that decides an answer, as one frozen and versioned value."""

from rag.policy.policy import (
    Answerability,
    Answering,
    Evidence,
    Expansion,
    FollowUps,
    Logistic,
    Policy,
    Rerank,
    Retrieval,
    Verification,
    Writing,
)

__all__ = [
    "Answerability",
    "Answering",
    "Evidence",
    "Expansion",
    "FollowUps",
    "Logistic",
    "Policy",
    "Rerank",
    "Retrieval",
    "Verification",
    "Writing",
]
