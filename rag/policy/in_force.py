"""The policy in force: what the store's pointer says, read again only when it has changed."""

from __future__ import annotations

import threading
from pathlib import Path

from rag.policy.policy import Policy
from rag.policy.store import PolicyStore


class PolicyInForce:
    """Called once for each answer. Safe to share between threads; it follows what other processes promote."""

    def __init__(self, folder: Path) -> None:
        """folder: of the policy store; it need not exist."""
        self.store = PolicyStore(folder)
        self._lock = threading.Lock()
        self._held: tuple[str | None, Policy] = (None, Policy.default())

    def __call__(self) -> Policy:
        """The policy to answer by. Raises PolicyError or SettingsError if the active one is damaged."""
        version = self.store.active_version()
        held = self._held
        if held[0] == version:
            return held[1]
        with self._lock:
            if self._held[0] != version:
                policy = Policy.default() if version is None else Policy.of(self.store.load(version), version)
                bool(policy.recollection)  # made ready here, not in somebody's first answer
                self._held = (version, policy)
            return self._held[1]
