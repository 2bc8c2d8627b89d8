"""Which pipeline or model answers a question: arms, what is known of each, and the choice between them.

Choices are drawn by Thompson sampling (*Efficient Exploration for LLMs*), or greedily. Each arm keeps a Bayesian linear
model of its reward whose precision is diagonal, so that updates add up in any order (the Diag-LinUCB of *Online
Matching: A Real-time Bandit System for Large-scale Recommendations*).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

PRIOR = 1.0  # precision of a weight before anything is known
DRAWS = 200  # for the propensity of a choice

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to answer, and what is known of it."""

    name: str
    cost: float  # dollars a question, on average
    mode: Literal["extractive", "generative"] = "extractive"
    model: str | None = None  # None: the configured one
    weights: tuple[float, ...] = ()  # of the context, for the expected reward in [0, 1]; (): nothing is known yet
    precision: tuple[float, ...] = ()

    def expected(self, context: Floats) -> float:
        """The mean of the reward, as far as it is known."""
        return float(np.dot(self.weights, context)) if self.weights else 0.0

    def spread(self, context: Floats) -> float:
        """The standard deviation of that mean."""
        precision = np.array(self.precision) if self.precision else PRIOR
        return float(np.sqrt(np.sum(context**2 / precision)))


@dataclass(frozen=True, slots=True)
class Choice:
    """An arm with the probability that it was going to be chosen: both are logged."""

    arm: Arm
    propensity: float


class Routing(BaseModel):
    """The policy's choice of pipeline or model. Off with fewer than two arms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arms: tuple[Arm, ...] = ()
    worth: float = Field(default=0.05, gt=0)  # dollars that a right answer is worth: it weighs cost and quality
    explore: bool = True  # sometimes take another arm than the best known, to learn about it

    def choose(self, context: Sequence[float], rng: np.random.Generator) -> Choice:
        """The arm for a question. context: its features, see ``rag.routing``."""
        row = np.asarray(context, dtype=np.float64)
        if not self.explore:
            return Choice(self.best(row), 1.0)
        drawn = np.column_stack(
            [
                arm.expected(row) + arm.spread(row) * rng.normal(size=DRAWS + 1) - arm.cost / self.worth
                for arm in self.arms
            ]
        ).argmax(axis=1)
        return Choice(self.arms[int(drawn[0])], float((drawn == drawn[0]).mean()))

    def best(self, context: Floats) -> Arm:
        """The arm that is best for its price by all that is known."""
        return max(self.arms, key=lambda arm: arm.expected(context) - arm.cost / self.worth)
