"""The watch: alarms that freeze learning before it feeds on itself.

*Data Feedback Loops: Model-driven Amplification of Dataset Biases*: what a system shows becomes what it learns from, so
concentration and miscalibration are watched, not only quality.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.learning.history import Asked
from rag.learning.signals import Task
from rag.policy.memory import Memory

FEWEST = 20  # needs, or answers, below which a share says nothing
LIKED = 0.3  # relevance from which a paper counts as promoted
CONCENTRATED = 0.3  # share of the needs that promote one paper
DRIFTED = 0.4  # share of the rewrites that became another one since the last policy
TOUCHED = 0.98  # share of the newest answers that memory had a say in
RECENT, FEWEST_RECENT = 500, 200
MISCALIBRATED = 0.6  # confidence minus share of accepted answers, where people said yes or no


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that is watched."""

    name: str
    value: float | None  # None: too little is known
    limit: float

    @property
    def alarm(self) -> bool:
        """Whether learning must stop until an operator has looked."""
        return self.value is not None and self.value > self.limit


def watch(log: Sequence[Asked], tasks: Sequence[Task], before: Memory, after: Memory) -> list[Reading]:
    """All readings. before: the memory in force; after: the candidate's."""
    return [
        Reading("concentration of exposure", _concentration(after), CONCENTRATED),
        Reading("drift of rewrites", _drift(before, after), DRIFTED),
        Reading("share of answers touched", _touched(log), TOUCHED),
        Reading("miscalibration", _miscalibration(tasks), MISCALIBRATED),
    ]


def _concentration(memory: Memory) -> float | None:
    """The largest share of needs that promote the same paper, beyond what one need may at least have."""
    needs = [need for need in memory.items if any(value >= LIKED for value in need.relevance.values())]
    if len(needs) < FEWEST:
        return None
    counted = Counter(paper for need in needs for paper, value in need.relevance.items() if value >= LIKED)
    return counted.most_common(1)[0][1] / len(needs)


def _drift(before: Memory, after: Memory) -> float | None:
    old = {need.id: need.rewrite for need in before.items if need.rewrite}
    new = {need.id: need.rewrite for need in after.items}
    kept = [name for name in old if name in new]
    if len(kept) < FEWEST:
        return None
    return sum(new[name] is not None and new[name] != old[name] for name in kept) / len(kept)


def _touched(log: Sequence[Asked]) -> float | None:
    recent = log[-RECENT:]
    return sum(one.touched for one in recent) / len(recent) if len(recent) >= FEWEST_RECENT else None


def _miscalibration(tasks: Sequence[Task]) -> float | None:
    judged = [
        (one.asked.confidence, one.asked.word("answered") == "yes")
        for task in tasks
        for one in task.outcomes
        if one.asked.word("answered") in ("yes", "no") and not one.asked.abstained
    ]
    if len(judged) < FEWEST:
        return None
    return sum(confidence for confidence, _ in judged) / len(judged) - sum(yes for _, yes in judged) / len(judged)
