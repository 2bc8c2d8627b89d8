"""The gate: a candidate policy answers frozen questions beside the active one, and must not lose.

Three things are compared, question by question: probes with known papers, none of whose kinds may lose more than a
margin; questions about other matters, of which none may change at all; and what people accepted who were left out of
the learning. Before it refuses, the gate takes out of the candidate what had the first say in a loss, and looks again.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.learning.probes import Probe
from rag.learning.turns import load_examples
from rag.policy.memory import Memory
from rag.types import Answer

KIND_MARGIN = 0.02  # largest mean loss of one kind of question
MARGIN = 0.005  # largest mean loss of all
LESSON_MARGIN = 0.01
FEWEST = 5  # questions of a kind, below which it counts with the others alone
DEPTH = 3  # of the ranking that is judged
PRUNED = 5  # times that a candidate is pruned and looked at again

Ask = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question of somebody whose feedback was left out of the learning, and the papers that they accepted."""

    question: str
    papers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found. Differences are means of candidate minus active."""

    passed: bool
    reasons: tuple[str, ...]  # why not, in sentences
    by_kind: Mapping[str, tuple[int, float]]  # kind → number of questions, difference
    moved: int  # questions about other matters whose answer changed
    unrelated: int
    lessons: tuple[int, float] = (0, 0.0)  # held-out lessons, difference
    guilty: frozenset[str] = frozenset()  # needs that had the first say in a loss

    def with_lessons(self, lessons: tuple[int, float]) -> Verdict:
        """The verdict after the held-out lessons: their number, and the mean difference."""
        count, change = lessons
        if count < FEWEST or change >= -LESSON_MARGIN:
            return replace(self, lessons=lessons)
        reason = f"What people accepted whom it did not learn from comes later: {change:.3f}."
        return replace(self, passed=False, reasons=(*self.reasons, reason), lessons=lessons)

    def facts(self) -> dict[str, object]:
        """For the ledger."""
        return {
            "by_kind": {kind: [count, round(change, 4)] for kind, (count, change) in self.by_kind.items()},
            "moved": self.moved,
            "unrelated": self.unrelated,
            "lessons": [self.lessons[0], round(self.lessons[1], 4)],
        }


def check(active: Ask, candidate: Ask, probes: Sequence[Probe]) -> Verdict:
    """Compare two policies question by question."""
    changes: dict[str, list[float]] = defaultdict(list)
    guilty: set[str] = set()
    for probe in probes:
        before, after = active(probe.question), candidate(probe.question)
        change = _quality(after, probe.gold) - _quality(before, probe.gold)
        changes[probe.kind].append(change)
        if change < 0:
            guilty |= _foremost(after)
    others = list(dict.fromkeys(one.first for one in load_examples()))
    moved = 0
    for question in others:
        before, after = active(question), candidate(question)
        if (before.text, before.retrieved) != (after.text, after.retrieved):
            moved += 1
            guilty |= _foremost(after)
    by_kind = {kind: (len(found), _mean(found)) for kind, found in sorted(changes.items())}
    every = _mean([change for found in changes.values() for change in found])
    reasons = [
        f"Questions of the kind {kind} lose {-change:.3f}."
        for kind, (count, change) in by_kind.items()
        if count >= FEWEST and change < -KIND_MARGIN
    ]
    if every < -MARGIN:
        reasons.append(f"The questions together lose {-every:.3f}.")
    if moved:
        reasons.append(f"{moved} of {len(others)} questions about other matters get another answer.")
    return Verdict(not reasons, tuple(reasons), by_kind, moved, len(others), guilty=frozenset(guilty))


def compare_lessons(active: Ask, candidate: Ask, lessons: Sequence[Lesson]) -> tuple[int, float]:
    """How many lessons there are, and how much further up the candidate ranks what people accepted (mean of 1/rank)."""
    changes = [
        _reciprocal_rank(candidate(lesson.question), lesson.papers)
        - _reciprocal_rank(active(lesson.question), lesson.papers)
        for lesson in lessons
    ]
    return len(changes), _mean(changes)


def check_and_prune(
    active: Ask,
    candidate_of: Callable[[Memory], Ask],
    memory: Memory,
    probes: Sequence[Probe],
) -> tuple[Memory, Verdict]:
    """The memory without the needs that made it lose, if that is what it takes to pass, and the last verdict."""
    asked: dict[str, Answer] = {}

    def active_once(question: str) -> Answer:
        if question not in asked:
            asked[question] = active(question)
        return asked[question]

    verdict = check(active_once, candidate_of(memory), probes)
    for _ in range(PRUNED):
        if verdict.passed or not verdict.guilty:
            break
        memory = replace(memory, items=tuple(need for need in memory.items if need.id not in verdict.guilty))
        verdict = check(active_once, candidate_of(memory), probes)
    return memory, verdict


def _foremost(answer: Answer) -> set[str]:
    """The need that had the most to say in an answer."""
    trace = answer.trace or {}
    return {str(one["id"]) for one in trace.get("stages", {}).get("recall", {}).get("used", ())[:1]}


def _quality(answer: Answer, gold: Mapping[str, int]) -> float:
    """nDCG@3 of the ranking; where nothing answers, whether the answer says so."""
    if not gold:
        return float(answer.verdict != "answered")
    gains = [2.0 ** gold.get(paper.paper_id, 0) - 1.0 for paper in answer.retrieved[:DEPTH]]
    ideal = sorted((2.0**grade - 1.0 for grade in gold.values()), reverse=True)[:DEPTH]
    return _discounted(gains) / _discounted(ideal)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def _reciprocal_rank(answer: Answer, papers: Collection[str]) -> float:
    return next((1.0 / paper.rank for paper in answer.retrieved if paper.paper_id in papers), 0.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
