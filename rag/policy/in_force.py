"""The policy in force, and the one on trial: what the store's pointers say, read again only when they have changed."""

from __future__ import annotations

import threading
from pathlib import Path

from rag.policy.policy import Policy
from rag.policy.store import PolicyStore, Trial


class PolicyInForce:
    """Called once for each answer. Safe to share between threads; it follows what other processes promote."""

    def __init__(self, folder: Path) -> None:
        """folder: of the policy store; it need not exist."""
        self.store = PolicyStore(folder)
        self._lock = threading.Lock()
        self._held: dict[str | None, Policy] = {None: Policy.default()}  # of the newest versions that were asked for

    def __call__(self) -> Policy:
        """The policy to answer by. Raises PolicyError or SettingsError if the active one is damaged."""
        return self._policy(self.store.active_version())

    def of(self, asker: str) -> Policy:
        """The policy to answer this person by: the one on trial, if they are of its share."""
        trial = self.store.trial()
        return self._policy(trial.version) if trial is not None and trial.answers(asker) else self()

    def shadow(self) -> tuple[Trial, Policy] | None:
        """The policy whose rankings are compared with the answers, and are shown to nobody."""
        trial = self.store.trial()
        return None if trial is None or trial.share else (trial, self._policy(trial.version))

    def _policy(self, version: str | None) -> Policy:
        held = self._held.get(version)
        if held is not None:
            return held
        with self._lock:
            if version not in self._held:
                policy = Policy.of(self.store.load(version or ""), version or "")
                bool(policy.recollection)  # made ready here, not in somebody's first answer
                newest = list(self._held.items())[-1:]
                self._held = {None: Policy.default(), **dict(newest), version: policy}
            return self._held[version]
