"""Numbers and moments in words."""

from __future__ import annotations

from datetime import UTC, datetime

STRONG, FAIR = 0.75, 0.5
SAME_DAY_S = 86_400


def support(score: float) -> str:
    """How well a quote carries a sentence: ``strong``, ``fair`` or ``weak``. score: in [0, 1]."""
    return "strong" if score >= STRONG else "fair" if score >= FAIR else "weak"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 paper``, ``2 papers``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def when(moment: datetime, now: datetime | None = None) -> str:
    """A moment as people say it: ``14:05`` within a day, ``3 May`` within a year, else ``3 May 2025``. UTC."""
    now = now or datetime.now(UTC)
    if (now - moment).total_seconds() < SAME_DAY_S:
        return f"{moment:%H:%M}"
    day = f"{moment.day} {moment:%b}"
    return day if moment.year == now.year else f"{day} {moment.year}"


def shortened(text: str, most: int) -> str:
    """The text, cut at a word with an ellipsis if it is longer than so many characters."""
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    cut = flat[: most - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[most // 2 :] else cut) + "…"
