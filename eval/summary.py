"""Scores → the figures of a table: a mean or an overall measure, its interval, and on how many questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from eval.graded import Graded
from eval.measures import BY_NAME, MEASURES, Measure, Values
from eval.stats import bootstrap_interval

RESAMPLES = 300  # of an overall measure, which has to be computed anew each time


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of one system, with a 95 % interval."""

    value: float
    low: float
    high: float
    questions: int


def summarise(values: Mapping[str, Values], graded: Sequence[Graded] = ()) -> dict[str, Figure]:
    """A figure for each measure, in the order of MEASURES. values: as ``score`` gives them.

    graded: what the overall measures are computed on; without it they are left out.
    """
    found = {}
    written = [one for one in graded if one.asker is None]
    for measure in MEASURES:
        if measure.overall is not None:
            figure = _overall(measure, written) if written else None
        else:
            figure = mean_figure(measure.name, list(values.get(measure.name, {}).values()))
        if figure is not None:
            found[measure.name] = figure
    return found


def mean_figure(measure: str, values: Sequence[float]) -> Figure | None:
    """Mean and bootstrap interval; None without values."""
    if not values:
        return None
    bounds = BY_NAME[measure].bounds if measure in BY_NAME else None
    interval = bootstrap_interval(values, bounds=bounds)
    return Figure(float(np.mean(values)), interval.low, interval.high, len(values))


def _overall(measure: Measure, graded: Sequence[Graded]) -> Figure | None:
    """Percentile bootstrap over questions; resamples on which the measure is not defined are left out."""
    assert measure.overall is not None
    if all(one.question.expects == "correct" for one in graded):
        return None
    ordered = sorted(graded, key=lambda one: one.question.id)  # so that a seeded draw does not depend on the order
    value = measure.overall(ordered)
    if value is None:
        return None

    rng = np.random.default_rng(0)
    drawn = [value]
    for places in rng.integers(0, len(ordered), (RESAMPLES, len(ordered))):
        with suppress(ValueError):
            again = measure.overall([ordered[place] for place in places])
            drawn += [] if again is None else [again]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(value, float(min(low, value)), float(max(high, value)), len(graded))
