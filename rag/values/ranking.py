"""What retrieval passes on: rankings of chunks without their texts, which are read once, after fusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rag.index.ports import Row

Method = Literal["dense", "lexical"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one method found for one search: (chunk, raw score), best first."""

    method: Method
    weight: float  # share in the fused score
    rows: list[tuple[Row, float]]

    def described(self) -> dict[str, Any]:
        """For the trace."""
        return {"method": self.method, "weight": round(self.weight, 3), "found": len(self.rows)}
