"""Which pipeline or model answers a question: a contextual bandit with a preference that the operator sets.

Only the chosen arm's outcome is ever seen, so the router learns from bandit feedback and serves any trade-off between
cost and quality without learning again (*Learning to Route LLMs from Bandit Feedback: One Policy, Many Trade-offs*).
Each arm keeps a Bayesian linear model whose precision is diagonal, so that updates add up in any order (the Diag-LinUCB
of *Online Matching: A Real-time Bandit System for Large-scale Recommendations*). Choices are drawn by Thompson sampling
(*Efficient Exploration for LLMs*), and their propensities are logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR = 1.0  # precision of a weight before anything is known
NOISE = 0.25  # variance of one reward in [0, 1]
DRAWS = 200  # for the propensity of a choice

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arm:
    """What is known of one arm."""

    name: str
    cost: float  # dollars a question, or any other unit, the same for all arms
    weights: tuple[float, ...]  # of the context, for the expected reward
    precision: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An arm with the probability that it was going to be chosen: both are logged."""

    arm: str
    propensity: float


def fit(rounds: Sequence[tuple[str, Floats, float]], costs: Mapping[str, float]) -> tuple[Arm, ...]:
    """The arms after rounds of (arm, context, reward in [0, 1]). costs: of every arm there is."""
    arms = []
    for name in sorted(costs):
        own = [(context, reward) for arm, context, reward in rounds if arm == name]
        if not own:
            size = len(rounds[0][1]) if rounds else 1
            arms.append(Arm(name, costs[name], (0.0,) * size, (PRIOR,) * size))
            continue
        contexts, rewards = np.array([one for one, _ in own]), np.array([one for _, one in own])
        gram = contexts.T @ contexts / NOISE + PRIOR * np.eye(contexts.shape[1])
        weights = np.linalg.solve(gram, contexts.T @ rewards / NOISE)
        arms.append(Arm(name, costs[name], tuple(weights.tolist()), tuple(np.diag(gram).tolist())))
    return tuple(arms)


def choose(arms: Sequence[Arm], context: Floats, thrift: float, rng: np.random.Generator) -> Choice:
    """Draw what each arm may be worth; take the best for its price. thrift: reward that one unit of cost is worth."""
    drawn = _values(arms, context, thrift, rng, DRAWS + 1)
    best = drawn.argmax(axis=1)
    taken = int(best[0])
    return Choice(arms[taken].name, float((best == taken).mean()))


def greedy(arms: Sequence[Arm], context: Floats, thrift: float) -> str:
    """The arm that is best by all that is known, without exploring."""
    values = [float(np.dot(arm.weights, context)) - thrift * arm.cost for arm in arms]
    return arms[int(np.argmax(values))].name


def _values(arms: Sequence[Arm], context: Floats, thrift: float, rng: np.random.Generator, draws: int) -> Floats:
    """[draws, arms]: what each may be worth."""
    columns = []
    for arm in arms:
        spread = np.sqrt(np.sum(context**2 / np.array(arm.precision)))
        columns.append(np.dot(arm.weights, context) + spread * rng.normal(size=draws) - thrift * arm.cost)
    return np.column_stack(columns)
