"""Floors: what the product must not fall below again. They live in ``floors.toml`` and go up when it gets better.

::

    [full.right]           # "full" or "fast", then a measure of Readback
    min = 0.60             # or max, for what should be low
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.measures import BY_NAME
from eval.summary import Figure
from rag.errors import SettingsError

FLOORS = Path(__file__).with_name("floors.toml")
Size = Literal["full", "fast"]


@dataclass(frozen=True, slots=True)
class Floor:
    """A bound on one measure."""

    measure: str
    least: float | None
    most: float | None

    def objection(self, figures: Mapping[str, Figure]) -> str | None:
        """Why these figures break it, in one line; None if they hold. A measure that is missing breaks it."""
        figure = figures.get(self.measure)
        if figure is None:
            return f"{self.measure} was not measured, and has a floor"
        if self.least is not None and figure.value < self.least:
            return f"{self.measure} is {figure.value:.3f}, below its floor {self.least:g}"
        if self.most is not None and figure.value > self.most:
            return f"{self.measure} is {figure.value:.3f}, above its ceiling {self.most:g}"
        return None


def read_floors(size: Size, file: Path = FLOORS) -> list[Floor]:
    """The floors of full runs or of the fast subset. Raises SettingsError naming what is wrong in the file."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))[size]
        floors = []
        for measure, bounds in tables.items():
            if measure not in BY_NAME or not bounds or set(bounds) - {"min", "max"}:
                raise ValueError(f"{size}.{measure} must be a known measure with min or max")
            floors.append(Floor(measure, *(float(bounds[key]) if key in bounds else None for key in ("min", "max"))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{file} is not a file of floors: {error}") from error
    return floors


def broken(figures: Mapping[str, Figure], size: Size, file: Path = FLOORS) -> list[str]:
    """One line for each floor that Readback's figures break."""
    return [text for floor in read_floors(size, file) if (text := floor.objection(figures))]
