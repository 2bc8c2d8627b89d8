"""Trace: what each stage of one answer got and gave, what was left out and why, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

TIMED = (
    "rewrite",
    "retrieve",
    "rerank",
    "answer",
    "verify",
)  # always in an answer's timings


@dataclass(slots=True)
class Trace:
    """Grows while an answer is made. For one thread."""

    policy: str = ""  # version
    generation: int = 0  # of the collection
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)  # stage → what it gave, in JSON's terms
    papers: dict[str, dict[str, float]] = field(default_factory=dict)  # paper id → stage → score
    left_out: list[dict[str, str]] = field(default_factory=list)  # {"what", "why"}: papers and sentences
    milliseconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMED, 0.0))
    _began: float = field(default_factory=time.perf_counter)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside the block for the stage, whatever happens in it."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.milliseconds[name] = self.milliseconds.get(name, 0.0) + (time.perf_counter() - began) * 1000

    def note(self, stage: str, **facts: Any) -> None:
        """Say what a stage gave. facts: values that JSON can hold."""
        self.stages.setdefault(stage, {}).update(facts)

    def score(self, stage: str, scores: Mapping[str, float | None]) -> None:
        """Say how a stage scored papers; None where it did not see one. The first score of a paper counts."""
        for paper_id, score in scores.items():
            if score is not None:
                self.papers.setdefault(paper_id, {}).setdefault(stage, round(float(score), 4))

    def leave_out(self, what: str, why: str) -> None:
        """Say what was considered and not used."""
        self.left_out.append({"what": what, "why": why})

    def timings_ms(self) -> dict[str, float]:
        """Each stage and the total so far, in milliseconds."""
        total = (time.perf_counter() - self._began) * 1000
        return {name: round(spent, 2) for name, spent in {**self.milliseconds, "total": total}.items()}

    def to_dict(self) -> dict[str, Any]:
        """As it is stored, and shown by ``readback why``."""
        return {
            "policy": self.policy,
            "generation": self.generation,
            "stages": self.stages,
            "papers": self.papers,
            "left_out": self.left_out,
            "milliseconds": {name: round(spent, 2) for name, spent in self.milliseconds.items()},
        }
