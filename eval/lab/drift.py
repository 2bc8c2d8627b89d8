"""A planted world in which a rewrite changes the very log that it is learned from.

A vague wording fails 85 times in 100 and a clear one 15 times. Whoever is failed by the vague wording tries the clear
one; whoever is failed although the clear one was searched for them tries a detour. A learner that takes what happened
to the rewritten question for what happens to the question sees the rewrite's own failures as moves to the detour, and
loses the rewrite again and again (*Self-Aware Feedback-Based Self-Learning in Large-Scale Conversational AI*).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from rag.learning.history import Asked
from rag.learning.needs import Needs
from rag.learning.rewrites import learn_rewrites
from rag.learning.signals import Outcome, Task

VAGUE, CLEAR, DETOUR = "vague wording", "clear wording", "detour wording"
SUCCESS = {VAGUE: 0.15, CLEAR: 0.85, DETOUR: 0.3}
TEXTS = tuple(SUCCESS)
NEEDS = Needs(TEXTS, {text: number for number, text in enumerate(TEXTS)}, tuple((text,) for text in TEXTS))
START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = 20  # in a round


def rounds_with_the_right_rewrite(seed: int, rounds: int = 20, *, aware: bool) -> float:
    """Share of the rounds after the first at whose end the clear wording is searched for the vague one.

    aware: see ``learn_rewrites``. Both learners have the whole log.
    """
    rng = np.random.default_rng(seed)
    tasks: list[Task] = []
    live: str | None = None
    right = []
    for number in range(rounds):
        for person in range(PEOPLE):
            steps = [(VAGUE, 1.0)]
            if rng.random() >= SUCCESS[live or VAGUE]:
                after = DETOUR if live else CLEAR
                steps = [(VAGUE, -0.5), (after, 1.0 if rng.random() < SUCCESS[after] else -1.0)]
            tasks.append(_task(f"{number}-{person}", steps, live))
        found = {one.need: one.text for one in learn_rewrites(tasks, NEEDS, {}, aware=aware)}
        live = found.get(NEEDS.of[VAGUE])
        right.append(live == CLEAR)
    return float(np.mean(right[1:]))


def _task(person: str, steps: Sequence[tuple[str, float]], searched: str | None) -> Task:
    return Task([Outcome(_asked(person, text, searched if text == VAGUE else None), value) for text, value in steps])


def _asked(person: str, text: str, searched: str | None) -> Asked:
    return Asked(
        id=f"{person}-{text}",
        position=0,
        at=START + timedelta(days=1),
        person=person,
        conversation=person,
        turn=1,
        text=text,
        searched=searched,
        abstained=False,
        policy="",
        arm="extractive",
        cost=0.0,
        papers=(),
        quotes=(),
        answer=None,
        confidence=0.5,
        touched=searched is not None,
    )
