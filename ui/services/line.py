"""The line of those who want to change the collection: one at a time, few waiting, and fewer of one person."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import IndexBusy

MOST, MOST_OF_ONE = 20, 5  # of all, of one person; each waits in a thread


class Line:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._turn, self._counting = threading.Lock(), threading.Lock()
        self._there: Counter[str] = Counter()

    @contextmanager
    def turn(self, who: str, patience_s: float) -> Iterator[None]:
        """Wait for one's turn, and have it. Raises IndexBusy if too many do, or after patience_s."""
        with self._counting:
            if self._there.total() >= MOST or self._there[who] >= MOST_OF_ONE:
                raise IndexBusy("Too many changes of the collection are waiting already. Please try again in a minute.")
            self._there[who] += 1
        try:
            if not self._turn.acquire(timeout=patience_s):
                raise IndexBusy("Papers are being added. Please try again when that is done.")
            try:
                yield
            finally:
                self._turn.release()
        finally:
            with self._counting:
                self._there -= Counter([who])
