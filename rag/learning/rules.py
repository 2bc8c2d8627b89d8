"""House rules: what many people complain about in words becomes a criterion for all answers.

Complaints that say the same are clustered, and the one in the middle speaks for its cluster (*System-Level Natural
Language Feedback*). A rule is only proposed: it takes effect when an operator approves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.learning.history import Asked
from rag.ports import Embedder

SIMILAR = 0.55  # cosine from which two complaints say the same
FEWEST_PEOPLE = 3
CHARS = 300
MOST = 2_000  # complaints looked at, the newest
TOO_LONG = "Keep answers short."


@dataclass(frozen=True, slots=True)
class Rule:
    """A criterion that several people asked for."""

    text: str  # in the words of one of them
    people: int
    examples: tuple[str, ...]


def propose_rules(log: Sequence[Asked], embedder: Embedder) -> list[Rule]:
    """Criteria that enough different people asked for, the most wanted first."""
    said: dict[str, set[str]] = {}
    for one in log:
        for word in one.said:
            if word.kind == "comment" and isinstance(word.value, str):
                said.setdefault(word.value[:CHARS], set()).add(word.user or one.id)
            elif word.kind == "reason" and word.value == "too_long":
                said.setdefault(TOO_LONG, set()).add(word.user or one.id)
    texts = list(said)[-MOST:]
    if not texts:
        return []
    vectors = embedder.embed(texts, "query")
    close = vectors @ vectors.T >= SIMILAR
    rules = []
    left = np.ones(len(texts), dtype=bool)
    while left.any():
        middle = int(np.where(left, (close & left).sum(axis=1), -1).argmax())
        group = np.flatnonzero(close[middle] & left)
        left[group] = False
        people = set().union(*(said[texts[i]] for i in group))
        if len(people) >= FEWEST_PEOPLE:
            rules.append(Rule(texts[middle], len(people), tuple(texts[i] for i in group)))
    return sorted(rules, key=lambda rule: -rule.people)
