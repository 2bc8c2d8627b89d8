"""How people fared day by day, as a drawing of our own in the page's colours, with what was put in force marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ui.render import render

if TYPE_CHECKING:
    from rag.learning.overview import Day

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 18, 30  # room for what stands on the axes
CHANGES = ("promoted", "rolled back")  # lines of the ledger that are marked
TICKS = 4  # days that are named below, at most


@dataclass(frozen=True, slots=True)
class _Scale:
    """Days and shares to places in the drawing."""

    first: int  # ordinals of days
    last: int

    def across(self, day: int) -> float:
        share = (day - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    @staticmethod
    def down(share: float) -> float:
        return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)


def curves(days: Sequence[Day], ledger: Iterable[dict[str, Any]]) -> Markup:
    """Two lines over time: the share of answers accepted, and of questions asked again in other words.

    days: oldest first. ledger: as the policy store has it.
    """
    changes = [(_ordinal(str(line["at"])), line) for line in ledger if line["event"] in CHANGES]
    known = [_ordinal(day.day) for day in days] + [day for day, _ in changes]
    scale = _Scale(min(known, default=0), max(known, default=0))
    lines = [
        {
            "name": name,
            "css": css,
            "points": [(scale.across(_ordinal(day)), scale.down(share)) for day, share in values],
        }
        for name, css, values in (
            ("answers accepted", "accepted", [(day.day, day.accepted) for day in days if day.accepted is not None]),
            ("asked again in other words", "reworded", [(day.day, day.reworded) for day in days]),
        )
    ]
    marks: dict[float, str] = {}  # several on one day share a mark
    for day, line in changes:
        marks[scale.across(day)] = "promoted" if line["event"] == "promoted" else "back"
    return render(
        "curves",
        days=days,
        lines=lines,
        marks=marks,
        grid=[(scale.down(share), f"{share:.0%}") for share in (0.0, 0.5, 1.0)],
        ticks=_ticks(scale),
        box={
            "width": WIDTH,
            "height": HEIGHT,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "top": TOP,
            "bottom": HEIGHT - BOTTOM,
        },
    )


def _ticks(scale: _Scale) -> list[tuple[float, str]]:
    span = scale.last - scale.first
    steps = min(span, TICKS - 1)
    named = [scale.first + round(span * step / steps) for step in range(steps + 1)] if steps else [scale.first]
    return [(scale.across(day), f"{date.fromordinal(max(day, 1)):%-d %b}") for day in named]


def _ordinal(day: str) -> int:
    return date.fromisoformat(day[:10]).toordinal()
