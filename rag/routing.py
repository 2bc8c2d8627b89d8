"""Chooses, where a question leaves it open, how it is answered: by quotes, or by which model.

*Learning to Route LLMs from Bandit Feedback: One Policy, Many Trade-offs*: only the chosen arm's outcome is ever seen,
so each choice is noted with its propensity, and ``readback learn`` fits the arms to what people said.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rag.stages import Context
from rag.values.evidence import Reading
from rag.values.query import Query

LONG = 12  # terms of a long question


def route(query: Query, reading: Reading, context: Context) -> bool:
    """Choose the arm and note it. Whether papers must be read again, because quotes are taken from fewer of them."""
    router, options = context.policy.router, context.options
    open_question = context.mode == "generative" and options.mode is None and options.model is None
    if len(router.arms) < 2 or not open_question or query.intent != "question" or not reading.evidence:
        return False
    row = features(query, reading)
    choice = router.choose(row, np.random.default_rng())
    context.trace.note("route", arm=choice.arm.name, propensity=round(choice.propensity, 4), context=list(row))
    context.options = replace(options, model=choice.arm.model)
    changed = choice.arm.mode != context.mode
    context.mode = choice.arm.mode
    return changed


def features(query: Query, reading: Reading) -> tuple[float, ...]:
    """What the choice may depend on, each in [0, 1]."""
    best = reading.evidence[0].best.score
    return (
        1.0,
        round(reading.confidence, 4),
        float(query.wants_many),
        float(bool(query.sides)),
        round(min(1.0, len(query.terms) / LONG), 4),
        round(min(1.0, max(0.0, best)), 4),
    )
