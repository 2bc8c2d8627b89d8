"""A bounded memory of what was worked out before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lru(Generic[K, V]):
    """Keeps values up to a number of bytes and forgets the least recently used first. Safe for threads."""

    def __init__(self, most: int) -> None:
        """most: bytes of all values together."""
        self._most = most
        self._held = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value, or None if it is not, or no longer, there."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value. size: its bytes."""
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = (value, size)
            self._held += size - before
            while self._held > self._most:
                _, (_, freed) = self._values.popitem(last=False)
                self._held -= freed
