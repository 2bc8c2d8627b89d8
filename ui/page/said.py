"""What its reader has said about an answer so far: the last word of each kind in the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from rag.events.records import Episode, Kind


@dataclass(frozen=True, slots=True)
class Said:
    """Nothing by default."""

    answered: str | None = None
    reasons: frozenset[str] = frozenset()
    comment: str | None = None
    edit: str | None = None
    useful: Mapping[str, str] = field(default_factory=dict)  # paper id -> "useful" or "not_useful"

    @classmethod
    def of(cls, episode: Episode) -> Self:
        """As the record has it."""

        def latest(kind: Kind) -> str | None:
            found = episode.latest(kind)
            return None if found is None or found.value is None else str(found.value)

        standing = episode.standing
        reasons = frozenset(str(one.value) for one in standing if one.kind == "reason")
        useful = {one.paper_id: str(one.value) for one in standing if one.kind == "evidence" and one.paper_id}
        return cls(latest("answered"), reasons, latest("comment"), latest("edit"), useful)

    @property
    def unhappy(self) -> bool:
        """Whether something was wrong, so that the place to say what is open."""
        return self.answered in {"partly", "no"} or bool(self.reasons) or bool(self.comment)
