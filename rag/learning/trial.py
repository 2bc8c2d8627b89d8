"""How a policy on trial fares beside the one in force: satisfaction with intervals, or how often it ranks otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt

from rag.engine import Assistant
from rag.events.records import Episode
from rag.policy import Policy
from rag.policy.in_force import PolicyInForce
from rag.policy.store import PolicyStore, Trial
from rag.types import Answer, Options

FIRST = 3  # papers that are compared
Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Arm:
    """The people whom one policy answered since the trial began."""

    version: str
    questions: int
    verdicts: int  # answers on which somebody said Yes, Partly or No
    accepted: int  # ... and said Yes

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share of accepted answers, 95 %: Wilson's, which also holds for few verdicts."""
        if not self.verdicts:
            return 0.0, 1.0
        n, share = self.verdicts, self.accepted / self.verdicts
        middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def told(self) -> str:
        """In a few words."""
        if not self.verdicts:
            return f"{self.questions} questions, nobody said whether the answer helped"
        low, high = self.interval
        share = self.accepted / self.verdicts
        return f"{share:.0%} of {self.verdicts} answers accepted [{low:.0%}, {high:.0%}], {self.questions} questions"


@dataclass(frozen=True, slots=True)
class Standing:
    """A trial so far."""

    trial: Trial
    candidate: Arm
    active: Arm
    compared: int = 0  # answers that a shadow was compared with
    differing: int = 0  # ... of which it would have had other first papers

    def told(self) -> tuple[str, ...]:
        """In plain words, a line each."""
        trial = self.trial
        if not trial.share:
            return (
                f"in the shadow since {trial.since[:10]}: {trial.version}, "
                f"with other first papers for {self.differing} of {self.compared} questions",
            )
        return (
            f"on trial for {trial.share:.0%} of the people since {trial.since[:10]}: {trial.version}",
            f"  on trial: {self.candidate.told()}",
            f"  in force: {self.active.told()}",
        )


def compare_shadow(assistant: Assistant, answer: Answer, options: Options) -> None:
    """Where a policy is in the shadow, remember whether its first papers are those of this answer.

    Follow-ups are left out: their ranking depends on the answers before.
    """
    in_force = assistant.policy
    alone = answer.retrieved and answer.question == answer.standalone_question
    if not isinstance(in_force, PolicyInForce) or not alone or (found := in_force.shadow()) is None:
        return
    trial, policy = found
    hits = assistant.with_policy(policy).rank(answer.question, replace(options, mode=None, model=None))
    shown = [paper.paper_id for paper in answer.retrieved[:FIRST]]
    in_force.store.compared(trial, answer.id, same=[hit.passage.paper_id for hit in hits[:FIRST]] == shown)


def standing(store: PolicyStore, trial: Trial, episodes: Iterable[Episode]) -> Standing:
    """episodes: of the whole record; those since the trial began count."""
    in_force = store.active_version() or Policy.default().version
    since = datetime.fromisoformat(trial.since)
    counts = {version: [0, 0, 0] for version in (trial.version, in_force)}
    for episode in episodes:
        asked = episode.interaction
        if asked.at < since or asked.policy_version not in counts:
            continue
        said = episode.latest("answered")
        count = counts[asked.policy_version]
        count[0] += 1
        count[1] += said is not None
        count[2] += said is not None and said.value == "yes"
    candidate, active = Arm(trial.version, *counts[trial.version]), Arm(in_force, *counts[in_force])
    return Standing(trial, candidate, active, *store.comparisons(trial))
