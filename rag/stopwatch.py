"""Milliseconds per stage of one answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

STAGES = ("rewrite", "retrieve", "rerank", "answer", "verify")


class Stopwatch:
    """Adds up the time spent in each stage."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spent = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside the block for the stage, whatever happens in it."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._spent[name] += (time.perf_counter() - began) * 1000

    def timings_ms(self) -> dict[str, float]:
        """Each stage and the total so far, in milliseconds."""
        total = (time.perf_counter() - self._began) * 1000
        return {name: round(spent, 2) for name, spent in {**self._spent, "total": total}.items()}
