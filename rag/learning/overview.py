"""What an operator wants to see of learning: how people fared, what happened to policies, what was learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rag.learning.history import Asked
from rag.learning.ledger import candidate, paused
from rag.learning.trial import Standing
from rag.policy.memory import Memory, Need
from rag.policy.store import PolicyStore


@dataclass(frozen=True, slots=True)
class Day:
    """One day of questions."""

    day: str  # ISO date, UTC
    questions: int
    accepted: float | None  # share of Yes among Yes, Partly and No; None if nobody said
    reworded: float  # share of the questions that were asked again in other words
    refused: float
    touched: float  # share that memory had a say in


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the Learning tab shows."""

    days: tuple[Day, ...]
    ledger: tuple[dict[str, Any], ...]  # oldest first: promotions, roll-backs, proposals, pauses
    active: str | None  # version in force; None: the shipped policy
    candidate: Mapping[str, Any] | None  # the ledger's line about what may be put in force next
    paused: str | None  # why, if it is
    learned: tuple[Need, ...]  # in force, what most people taught first
    trial: Standing | None = None  # of the policy that is tried beside the one in force


@dataclass(slots=True)
class _Count:
    questions: int = 0
    verdicts: int = 0
    yes: int = 0
    reworded: int = 0
    refused: int = 0
    touched: int = 0


def overview(log: Iterable[Asked], store: PolicyStore, memory: Memory) -> Overview:
    """log: looked at once, so that a long record need not be held. memory: of the policy in force."""
    counts: dict[str, _Count] = defaultdict(_Count)
    for one in log:
        count = counts[one.at.date().isoformat()]
        verdict = one.word("answered")
        count.questions += 1
        count.verdicts += verdict is not None
        count.yes += verdict == "yes"
        count.reworded += one.word("rephrase") is not None
        count.refused += one.abstained
        count.touched += one.touched
    return Overview(
        days=tuple(_day(day, count) for day, count in sorted(counts.items())),
        ledger=tuple(store.ledger()),
        active=store.active_version(),
        candidate=candidate(store),
        paused=paused(store),
        learned=tuple(sorted(memory.items, key=lambda need: (-need.people, need.id))),
    )


def _day(day: str, count: _Count) -> Day:
    return Day(
        day,
        count.questions,
        count.yes / count.verdicts if count.verdicts else None,
        count.reworded / count.questions,
        count.refused / count.questions,
        count.touched / count.questions,
    )
