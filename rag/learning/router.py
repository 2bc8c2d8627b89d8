"""Fits the router to what people said of the answers, and estimates what it is worth before it chooses.

Only the chosen arm's outcome is ever seen (*Learning to Route LLMs from Bandit Feedback: One Policy, Many Trade-offs*),
so what the refitted router is worth is estimated off-policy, on rounds that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.events.records import Episode
from rag.learning.offpolicy import Estimate, doubly_robust, snips
from rag.policy.routing import PRIOR, Arm, Routing

NOISE = 0.25  # variance of one reward in [0, 1]
REWARDS = {"yes": 1.0, "partly": 0.5, "no": 0.0}
FEWEST = 50  # rounds below which nothing is changed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Round:
    """One choice and what came of it."""

    arm: str
    context: Floats
    propensity: float
    reward: float  # in [0, 1]
    cost: float | None = None  # dollars; None: the model's price is not known


@dataclass(frozen=True, slots=True)
class Refit:
    """A router after learning."""

    routing: Routing
    rounds: int
    logged: float  # mean worth of what was chosen: reward minus what the cost is weighed with
    snips: Estimate  # of the refitted router, had it chosen
    doubly_robust: Estimate

    @property
    def better(self) -> bool:
        """Whether it may replace the one before."""
        return self.rounds >= FEWEST and self.doubly_robust.value >= self.logged

    def facts(self) -> dict[str, Any]:
        """For the ledger."""
        return {
            "rounds": self.rounds,
            "logged": round(self.logged, 4),
            "snips": self.snips.rounded(),
            "doubly_robust": self.doubly_robust.rounded(),
            "adopted": self.better,
        }


def rounds_of(episodes: Iterable[Episode]) -> list[Round]:
    """The choices that were noted in the record and that somebody judged: by Yes, Partly or No, or by asking again."""
    found = []
    for episode in episodes:
        answer = episode.interaction.answer
        noted: Mapping[str, Any] | None = answer.trace.get("stages", {}).get("route") if answer else None
        said = episode.latest("answered")
        reward = REWARDS.get(str(said.value)) if said else 0.0 if episode.latest("rephrase") else None
        if noted is not None and reward is not None:
            context = np.asarray(noted["context"], dtype=np.float64)
            found.append(Round(noted["arm"], context, noted["propensity"], reward, episode.interaction.cost_usd))
    return found


def fit(rounds: Sequence[Round], arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms after these rounds, each with its mean cost where that is known."""
    return tuple(_fitted(arm, [one for one in rounds if one.arm == arm.name]) for arm in arms)


def _fitted(arm: Arm, own: Sequence[Round]) -> Arm:
    if not own:
        return arm
    contexts, rewards = np.array([one.context for one in own]), np.array([one.reward for one in own])
    gram = contexts.T @ contexts / NOISE + PRIOR * np.eye(contexts.shape[1])
    weights = np.linalg.solve(gram, contexts.T @ rewards / NOISE)
    costs = [one.cost for one in own if one.cost is not None]
    return replace(
        arm,
        cost=float(np.mean(costs)) if costs else arm.cost,
        weights=tuple(weights.tolist()),
        precision=tuple(np.diag(gram).tolist()),
    )


def refit(rounds: Sequence[Round], routing: Routing) -> Refit:
    """Fit to all rounds; estimate on every second one what a fit to the others is worth."""
    known = {arm.name for arm in routing.arms}
    rounds = [one for one in rounds if one.arm in known]
    if len(rounds) < FEWEST:
        nothing = Estimate(0.0, 0.0, 1.0)
        return Refit(routing, len(rounds), 0.0, nothing, nothing)
    trained = routing.model_copy(update={"arms": fit(rounds[::2], routing.arms)})
    return Refit(
        routing.model_copy(update={"arms": fit(rounds, routing.arms)}),
        len(rounds),
        *worth(rounds[1::2], trained),
    )


def worth(rounds: Sequence[Round], routing: Routing) -> tuple[float, Estimate, Estimate]:
    """The mean worth of what was chosen, and two estimates of what the router's best arms would have been worth."""
    by_name = {arm.name: arm for arm in routing.arms}

    def modelled(arm: Arm, context: Floats) -> float:
        return arm.expected(context) - arm.cost / routing.worth

    best = [routing.best(one.context) for one in rounds]
    reward = np.array([one.reward - by_name[one.arm].cost / routing.worth for one in rounds])
    logged = np.array([one.propensity for one in rounds])
    target = np.array([float(arm.name == one.arm) for arm, one in zip(best, rounds, strict=True)])
    expected = np.array([modelled(arm, one.context) for arm, one in zip(best, rounds, strict=True)])
    taken = np.array([modelled(by_name[one.arm], one.context) for one in rounds])
    return float(reward.mean()), snips(reward, logged, target), doubly_robust(reward, logged, target, expected, taken)
