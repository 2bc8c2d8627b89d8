"""Figures as a plain table: one row a measure, one column a system, intervals in brackets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.measures import MEASURES, Measure
from eval.summary import Figure

ARROWS = {"higher": "↑", "lower": "↓", "neither": " "}


def shown(figure: Figure, measure: Measure) -> str:
    """Value and interval, with as many digits as they carry."""
    digits = digits_of(measure)
    value, low, high = (f"{number:.{digits}f}" for number in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def digits_of(measure: Measure) -> int:
    """Decimals that a measure is shown with."""
    if measure.bounds is not None:
        return 3
    return 5 if measure.name == "cost_usd" else 1


def table(systems: Mapping[str, Mapping[str, Figure]]) -> str:
    """All measures that at least one of the systems has. systems: name → measure → figure."""
    rows = [["", "n", *systems]]
    group = ""
    for measure in MEASURES:
        figures = [figures.get(measure.name) for figures in systems.values()]
        have = [figure for figure in figures if figure is not None]
        if not have or idle(measure, have):
            continue
        if measure.group != group:
            group = measure.group
            rows.append([group])
        cells = [shown(figure, measure) if figure else "–" for figure in figures]
        rows.append([f"  {measure.name} {ARROWS[measure.better]}", str(have[0].questions), *cells])
    return aligned(rows)


def idle(measure: Measure, figures: Sequence[Figure]) -> bool:
    """Whether a cost is zero everywhere: stages that did not run, tokens that nobody sent."""
    return measure.group == "Cost" and not any(figure.value for figure in figures)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width; the first one to the left, the others to the right."""
    count = max(len(row) for row in rows)
    widths = [max((len(row[at]) for row in rows if at < len(row) and len(row) > 1), default=0) for at in range(count)]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[at]) if at == 0 else cell.rjust(widths[at]) for at, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
