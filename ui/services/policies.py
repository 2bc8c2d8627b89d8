"""The policies of an installation as its operator handles them: look, compare, put in force, go back, pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.policy import Policy
from rag.policy.store import SHIPPED, PolicyError, PolicyStore

if TYPE_CHECKING:
    from pathlib import Path


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

    def pause(self, why: str) -> None:
        """Let nothing that is learned take effect until resumed."""
        from rag.learning.ledger import PAUSED

        self.store.note(PAUSED, why=why)

    def resume(self) -> None:
        """Let learning go on after an alarm or a pause."""
        from rag.learning.ledger import RESUMED

        self.store.note(RESUMED)
