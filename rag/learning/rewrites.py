"""Rewrite memory: which other wording of a question is most likely to end well.

Tasks are paths over wordings that end in success or failure. An absorbing Markov chain over all of them gives, for each
wording, the probability of arriving at each other wording and succeeding there, also by detours that nobody took as a
whole (*Feedback-Based Self-Learning in Large-Scale Conversational AI Agents*).

A rewrite that is applied changes the very log that it is learned from: its question no longer fails, so nobody rewords
it, and a bad one makes people reword what was fine. So a question answered with a rewrite is another state than the
same question as asked, each keeps its own successes and failures, and a rewrite stays only while the Beta posterior of
"with" beats that of "without" (*Self-Aware Feedback-Based Self-Learning in Large-Scale Conversational AI*).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.learning.needs import Needs
from rag.learning.signals import Task

KEEP = 0.7  # probability of being better from which a rewrite is applied
FAILURES = 1.0  # that are assumed at every wording: one lucky path proves little
BLOCK = 256  # wordings solved for at a time
GRID = (np.arange(400) + 0.5) / 400

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """For one need, another wording that ends well more often."""

    need: int
    text: str
    confidence: float  # probability that it ends well more often than the question as asked
    won: float  # people who succeeded with it, and who did not
    lost: float


@dataclass(slots=True)
class _Count:
    won: float = 0.0
    lost: float = 0.0


def learn_rewrites(
    tasks: Sequence[Task], needs: Needs, credit: Mapping[str, float], *, aware: bool = True
) -> list[Rewrite]:
    """The rewrites worth applying, at most one a need.

    credit: how far each person counts, in [0, 1]; 1 if unknown. aware=False is the chain without self-awareness, which
    takes what happened to a rewritten question for what happens to the question: kept to compare with.
    """
    chain = _Chain(len(needs.members))
    for task in tasks:
        chain.add(task, needs, credit, aware=aware)
    found = []
    for source, target, won, lost in chain.targets():
        with_it = chain.applied.get((source, target), _Count())
        alone = chain.ends[source]
        if aware:
            better = probability_better(
                (won + with_it.won, lost + with_it.lost), (alone.won, alone.lost + chain.left[source])
            )
        else:
            better = won / (won + lost + FAILURES)
        if better >= KEEP:
            found.append(Rewrite(source, needs.members[target][0], better, won + with_it.won, lost + with_it.lost))
    return found


def probability_better(first: tuple[float, float], second: tuple[float, float]) -> float:
    """P(p₁ > p₂) for two success rates with flat priors. first, second: successes and failures, also fractions."""
    a, b = (_beta(*one) for one in (first, second))
    return float((a * (np.cumsum(b) - b / 2)).sum())


def _beta(won: float, lost: float) -> Floats:
    """Beta(1 + won, 1 + lost) on a grid, summing to 1."""
    logs = won * np.log(GRID) + lost * np.log1p(-GRID)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


class _Chain:
    """Transitions between needs, and how visits of each end. One person counts once for each move and each end."""

    def __init__(self, states: int) -> None:
        self._states = states
        self._moves: dict[tuple[int, int], float] = defaultdict(float)
        self._seen: set[tuple[str, str, int, int]] = set()
        self.ends: dict[int, _Count] = defaultdict(_Count)
        self.left: dict[int, float] = defaultdict(float)  # people who reworded it
        self.applied: dict[tuple[int, int], _Count] = defaultdict(_Count)  # live: (need, rewrite's need)

    def add(self, task: Task, needs: Needs, credit: Mapping[str, float], *, aware: bool) -> None:
        """One task."""
        path = [one for one in task.outcomes if one.asked.text in needs.of]
        for number, outcome in enumerate(path):
            asked = outcome.asked
            person = asked.person or asked.id
            weight = credit.get(person, 1.0)
            here = needs.of[asked.text]
            after = needs.of[path[number + 1].asked.text] if number + 1 < len(path) else here
            live = needs.of.get(asked.searched) if asked.searched else None
            if live is not None and aware:
                count, where = self.applied[here, live], (here, live)
            else:
                count, where = self.ends[here], (here, here)
            if after != here:
                if self._first("left", person, *where):
                    if live is not None and aware:
                        count.lost += weight
                    else:
                        self.left[here] += weight
                if self._first("move", person, here, after) and (live is None or not aware):
                    self._moves[here, after] += weight
            elif outcome.value > 0 and self._first("won", person, *where):
                count.won += weight * min(1.0, outcome.value)
            elif outcome.value < 0 and number == len(path) - 1 and self._first("lost", person, *where):
                count.lost += weight

    def targets(self) -> list[tuple[int, int, float, float]]:
        """(wording, best other wording, people expected to succeed by it, and to fail), by wording."""
        from scipy.sparse import csc_array, eye_array
        from scipy.sparse.linalg import splu

        sources = sorted({source for (source, _), weight in self._moves.items() if weight > 0})
        if not sources:
            return []
        out = np.full(self._states, FAILURES)
        for state, count in self.ends.items():
            out[state] += count.won + count.lost
        for (source, _), weight in self._moves.items():
            out[source] += weight
        rows, columns = zip(*self._moves, strict=True)
        shares = np.array(list(self._moves.values())) / out[list(rows)]
        moves = csc_array((shares, (rows, columns)), shape=(self._states, self._states))
        solver = splu((eye_array(self._states, format="csc") - moves).T.tocsc())
        success = np.array([self.ends[state].won if state in self.ends else 0.0 for state in range(self._states)]) / out
        found = []
        for start in range(0, len(sources), BLOCK):
            block = sources[start : start + BLOCK]
            units = np.zeros((self._states, len(block)))
            units[block, np.arange(len(block))] = 1.0
            visits = solver.solve(units)  # [wordings, block]: how often each is visited from each of the block
            by = visits * success[:, None]
            by[block, np.arange(len(block))] = 0.0
            best = by.argmax(axis=0)
            for place, (source, target) in enumerate(zip(block, best, strict=True)):
                if by[target, place] > 0:
                    people = self.left[source]
                    arrived = min(1.0, visits[target, place])
                    rate = self.ends[int(target)].won / max(out[target] - FAILURES, 1e-9)
                    found.append((source, int(target), people * arrived * rate, people * arrived * (1.0 - rate)))
        return found

    def _first(self, what: str, person: str, here: int, there: int) -> bool:
        key = what, person, here, there
        if key in self._seen:
            return False
        self._seen.add(key)
        return True
