"""What an operator wants to see of learning: how people fared, what happened to policies, what was learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.learning.history import Asked
from rag.learning.ledger import paused
from rag.policy.memory import Memory
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
    paused: str | None  # why, if it is
    learned: tuple[dict[str, Any], ...]  # needs in force: text, rewrite, why, people, since, until


def overview(log: Sequence[Asked], store: PolicyStore, memory: Memory) -> Overview:
    """memory: of the policy in force."""
    by_day: dict[str, list[Asked]] = defaultdict(list)
    for one in log:
        by_day[one.at.date().isoformat()].append(one)
    return Overview(
        days=tuple(_day(day, asked) for day, asked in sorted(by_day.items())),
        ledger=tuple(store.ledger()),
        active=store.active_version(),
        paused=paused(store),
        learned=tuple(
            {
                "id": need.id,
                "text": need.texts[0],
                "rewrite": need.rewrite,
                "why": need.why,
                "people": need.people,
                "since": need.since,
                "until": need.until,
            }
            for need in memory.items
        ),
    )


def _day(day: str, asked: Sequence[Asked]) -> Day:
    verdicts = [one.word("answered") for one in asked if one.word("answered") is not None]
    count = len(asked)
    return Day(
        day,
        count,
        sum(verdict == "yes" for verdict in verdicts) / len(verdicts) if verdicts else None,
        sum(one.word("rephrase") is not None for one in asked) / count,
        sum(one.abstained for one in asked) / count,
        sum(one.touched for one in asked) / count,
    )
