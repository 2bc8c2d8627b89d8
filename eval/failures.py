"""Wrong answers and the stages to blame for them, as stored beside a run; ``eval.lab.blame`` finds the blame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from eval.graded import Graded

BLAMES = "blame.jsonl"  # file of a run's folder
Stage = Literal["understanding", "retrieval", "reranking", "reading", "verification", "answerability"]
STAGES: tuple[Stage, ...] = get_args(Stage)  # in the order in which they happen


@dataclass(frozen=True, slots=True)
class Blame:
    """Why one reply is wrong."""

    question_id: str
    score: float  # of the reply as it was, in [0, 1], below 1
    stages: tuple[Stage, ...]  # to blame, earliest first; empty: none; several: only together
    ceiling: float  # score with the gold outputs of all stages
    what_if: Mapping[Stage, float]  # score with the gold output of one stage alone

    @property
    def stage(self) -> Stage | None:
        """The earliest stage to blame."""
        return self.stages[0] if self.stages else None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Blame:
        """From a line of blame.jsonl."""
        return cls(**{**record, "stages": tuple(record["stages"])})

    def to_dict(self) -> dict[str, Any]:
        """A line of blame.jsonl."""
        return asdict(self)


def failures(graded: Sequence[Graded]) -> list[Graded]:
    """Replies to questions as written that are not all right, worst first."""
    wrong = [one for one in graded if one.asker is None and one.right < 1.0]
    return sorted(wrong, key=lambda one: (one.right, one.question.id))


def tally(blames: Sequence[Blame]) -> dict[str, int]:
    """How often each stage is to blame, in the order of the stages; "none" last."""
    counts: Counter[str] = Counter(one.stage or "none" for one in blames)
    return {name: counts[name] for name in (*STAGES, "none") if counts[name]}
