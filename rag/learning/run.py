"""One round of learning: a candidate, what the gate and the watch say of it, and the ledger's entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

from rag.learning.gate import Ask, Lesson, Verdict, check_and_prune, compare_lessons
from rag.learning.history import Asked
from rag.learning.learn import Learned, Learner
from rag.learning.probes import Probe, accepted
from rag.learning.signals import Signals
from rag.learning.watch import Reading, watch
from rag.policy.memory import Memory

HELD_OUT = 5  # every fifth person is left out of the learning that the gate tests
FEWEST_PEOPLE = 10
LESSONS = 40  # held-out lessons that are asked at most


@dataclass(frozen=True, slots=True)
class Proposal:
    """A memory that may be promoted."""

    memory: Memory
    learned: Learned
    verdict: Verdict
    readings: Sequence[Reading]
    questions: int  # in the record

    @property
    def alarms(self) -> list[str]:
        """What the watch objects to, in sentences."""
        return [f"The {one.name} is {one.value:.2f}, above {one.limit}." for one in self.readings if one.alarm]

    def facts(self) -> dict[str, Any]:
        """For the ledger: what it was made from, and what was found."""
        learned = self.learned
        return {
            "questions": self.questions,
            "needs": len(self.memory.items),
            "pruned": len(learned.memory.items) - len(self.memory.items),
            "rewrites": sum(need.rewrite is not None for need in self.memory.items),
            "signals": len(learned.signals.papers),
            "mined": dict(learned.signals.mined),
            "accuracy": {kind: round(value, 3) for kind, value in learned.truth.accuracy.items()},
            "propensities": [round(value, 3) for value in learned.propensities.by_place],
            "gate": self.verdict.facts(),
            "watch": [asdict(one) for one in self.readings],
        }


def propose(
    log: Sequence[Asked],
    learner: Learner,
    before: Memory,
    *,
    active: Ask,
    candidate_of: Callable[[Memory], Ask],
    probes: Sequence[Probe],
    now: float,
) -> Proposal:
    """Learn from a history and put the candidate through the gate.

    before: the memory in force. active, candidate_of: answer by the policy in force, and by it with another memory.
    """
    learned = learner.learn(log, now, before)
    probes = [*probes, *accepted(learned.signals.tasks)]
    memory, verdict = check_and_prune(active, candidate_of, learned.memory, probes)
    held = held_out_people(log)
    if held:
        rest = learner.learn([one for one in log if one.person not in held], now, learned.memory)
        change = compare_lessons(active, candidate_of(rest.memory), lessons_of(learned.signals, held)[:LESSONS])
        verdict = verdict.with_lessons(change)
    tasks = learned.signals.tasks
    return Proposal(memory, learned, verdict, watch(log, tasks, before, memory), len(log))


def held_out_people(log: Sequence[Asked]) -> set[str]:
    """Every fifth person, the same ones every time; nobody where there are few people."""
    people = {one.person for one in log if one.person is not None}
    if len(people) < FEWEST_PEOPLE:
        return set()
    return {person for person in people if crc32(person.encode()) % HELD_OUT == 0}


def lessons_of(signals: Signals, people: Collection[str]) -> list[Lesson]:
    """What these people asked first, and the papers of the answers that they accepted; one a wording."""
    found: dict[str, frozenset[str]] = {}
    for task in signals.tasks:
        solved = task.solved
        if solved is not None and solved.value > 0.5 and solved.asked.person in people and solved.asked.cited:
            found.setdefault(task.outcomes[0].asked.text, frozenset(solved.asked.cited[:1]))
    return [Lesson(question, papers) for question, papers in found.items()]
