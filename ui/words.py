"""Numbers in words, and texts made to fit."""

from __future__ import annotations

STRONG, FAIR = 0.75, 0.5


def support(score: float) -> str:
    """How well a quote carries a sentence: ``strong``, ``fair`` or ``weak``. score: in [0, 1]."""
    return "strong" if score >= STRONG else "fair" if score >= FAIR else "weak"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 paper``, ``2 papers``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def shortened(text: str, most: int) -> str:
    """The text, cut at a word with an ellipsis if it is longer than ``most`` characters."""
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    cut = flat[: most - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[most // 2 :] else cut) + "…"
