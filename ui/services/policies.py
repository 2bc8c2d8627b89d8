"""The policies of an installation as its operator handles them: look, compare, put in force, go back, pause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.policy import Policy
from rag.policy.routing import Arm, Routing
from rag.policy.store import SHIPPED, PolicyError, PolicyStore

if TYPE_CHECKING:
    from pathlib import Path

QUOTES = "quotes"
TYPICAL = (3_000, 300)  # tokens of prompt and answer, for the price of a model that has not answered yet


class Policies:
    """What ``readback policy`` and the Learning tab do. Running servers follow at their next question."""

    def __init__(self, folder: Path) -> None:
        """folder: of the policy store; it need not exist."""
        self.store = PolicyStore(folder)

    @property
    def active(self) -> str:
        """The version in force; "shipped" for the policy that came with Readback."""
        return self.store.active_version() or SHIPPED

    @property
    def newest(self) -> str:
        """The version that was saved last."""
        return (self.store.versions() or [SHIPPED])[0]

    def get(self, version: str) -> Policy:
        """One policy. Raises PolicyError or SettingsError."""
        return Policy.default() if version == SHIPPED else Policy.of(self.store.load(version), version)

    def promote(self, version: str, why: str) -> None:
        """Put a policy in force. Raises PolicyError or SettingsError for one that cannot be used."""
        self.get(version)
        self.store.promote(None if version == SHIPPED else version, why)

    def try_out(self, version: str, share: float, why: str) -> None:
        """Let a policy answer a share of the people, or with 0 nobody: then its rankings are only compared.

        Raises PolicyError or SettingsError.
        """
        if not 0 <= share < 1:
            raise PolicyError("A share is a number from 0 to below 1, as in 0.2.")
        self.get(version)
        self.store.try_out(version, share, why)

    def rollback(self, why: str) -> str:
        """Put in force what was before the last promotion, and return its version. Raises PolicyError."""
        return self.store.rollback(why) or SHIPPED

    def end_trial(self, why: str) -> None:
        """Let the policy in force answer everybody. Raises PolicyError if there is no trial."""
        self.store.end_trial(why)

    def set_router(
        self, names: Sequence[str], worth: float | None = None, explore: bool | None = None, *, off: bool = False
    ) -> Routing:
        """Put in force what the router chooses between, and return it; without any change, what it is.

        names: "quotes" or of models, each with "=DOLLARS" a question where its price is not known. Raises PolicyError.
        """
        policy = self.get(self.active)
        known = {arm.name: arm for arm in policy.router.arms}
        given = [_arm(name, known) for name in names]
        if len(given) == 1:
            raise PolicyError("A router chooses between two arms or more.")
        changes: dict[str, object] = {"arms": () if off else tuple(given) or policy.router.arms}
        changes |= {} if worth is None else {"worth": worth}
        changes |= {} if explore is None else {"explore": explore}
        routing = Routing.model_validate({**dict(policy.router), **changes})
        if routing != policy.router:
            version = self.store.save(policy.with_parts(router=routing).record())
            self.promote(version, f"router set to {', '.join(arm.name for arm in routing.arms) or 'off'}")
        return routing

    def pause(self, why: str) -> None:
        """Let nothing that is learned take effect until resumed."""
        from rag.learning.ledger import PAUSED

        self.store.note(PAUSED, why=why)

    def resume(self) -> None:
        """Let learning go on after an alarm or a pause."""
        from rag.learning.ledger import RESUMED

        self.store.note(RESUMED)


def _arm(given: str, known: Mapping[str, Arm]) -> Arm:
    """An arm by its name; what was learned of it is kept. Raises PolicyError where nobody knows its price."""
    from rag.pricing import cost_usd

    name, _, dollars = given.partition("=")
    name = name.strip()
    try:
        cost = float(dollars) if dollars else 0.0 if name == QUOTES else cost_usd(name, *TYPICAL)
    except ValueError:
        cost = None
    if not name or cost is None or not 0 <= cost < 1_000:
        raise PolicyError(f"What a question costs with {given!r} is not known: write NAME=DOLLARS.")
    if name in known and not dollars:
        return known[name]
    fresh = Arm(name, cost) if name == QUOTES else Arm(name, cost, "generative", name)
    return replace(known.get(name, fresh), cost=cost)
