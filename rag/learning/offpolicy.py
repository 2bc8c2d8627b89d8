"""What another policy would have been worth, from the log of the one that answered.

Self-normalised inverse propensity scoring (Swaminathan and Joachims 2015) and the doubly robust estimate (Dudík et al.
2014) over logged choices with their propensities, each with a 95 % interval. Both are right in expectation whatever was
logged, if every choice had some chance; the doubly robust one varies less where the model of rewards is any good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLIP = 20.0  # largest weight of one decision

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean reward with its interval."""

    value: float
    low: float
    high: float

    def rounded(self) -> tuple[float, float, float]:
        """For people and the ledger."""
        return round(self.value, 4), round(self.low, 4), round(self.high, 4)


def snips(reward: Floats, logged: Floats, target: Floats) -> Estimate:
    """reward, logged, target: for each decision, what came of it and the probability of it under either policy."""
    weight = _weights(logged, target)
    total = weight.sum()
    if total == 0:
        return Estimate(0.0, 0.0, 1.0)  # nothing logged tells anything
    value = float(weight @ reward / total)
    spread = 1.96 * float(np.sqrt((weight**2 * (reward - value) ** 2).sum())) / float(total)
    return Estimate(value, value - spread, value + spread)


def doubly_robust(reward: Floats, logged: Floats, target: Floats, expected: Floats, taken: Floats) -> Estimate:
    """expected: the modelled reward of the target policy for each context; taken: of the choice that was logged."""
    terms = expected + _weights(logged, target) * (reward - taken)
    value = float(terms.mean())
    spread = 1.96 * float(terms.std(ddof=1)) / float(np.sqrt(len(terms))) if len(terms) > 1 else 1.0
    return Estimate(value, value - spread, value + spread)


def _weights(logged: Floats, target: Floats) -> Floats:
    return np.asarray(np.minimum(target / np.maximum(logged, 1e-9), CLIP))
