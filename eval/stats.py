"""Is one system better than another, or is it chance? Paired by question, seeded, blind to the order of questions.

A question is the unit: average over its phrasings first, because two wordings of one need are no two independent looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Verdict = Literal["better", "worse", "cannot tell"]

RESAMPLES = 10_000
EXACT_UP_TO = 16  # differences that are not zero; 2**16 sign patterns take milliseconds
_CHUNK = 1_000_000  # numbers drawn at once, to bound the memory
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; level is its nominal coverage."""

    low: float
    high: float
    level: float = 0.95

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same questions; the difference is after - before."""

    questions: int
    before: float  # mean score
    after: float
    difference: float
    interval: Interval  # of the difference
    p_value: float
    verdict: Verdict  # on "after"
    questions_needed: int | None  # to tell a difference of this size from chance; None if there is no difference


def compare(
    before: Mapping[str, float],
    after: Mapping[str, float],
    *,
    higher_is_better: bool = True,
    alpha: float = 0.05,
    power: float = 0.8,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two systems by their scores per question id.

    The verdict is "better" or "worse" only if the sign-flip test gives p <= alpha and the bootstrap interval of level
    1 - alpha leaves out zero; else "cannot tell". Raises ValueError if the ids differ, or there are none.
    """
    if not before or set(before) != set(after):
        raise ValueError("both systems must be scored on the same questions, at least one")
    ids = sorted(before)
    differences = [after[name] - before[name] for name in ids]
    interval = bootstrap_interval(differences, level=1 - alpha, resamples=resamples, seed=seed)
    p_value = sign_flip_p(differences, resamples=resamples, seed=seed)
    difference = float(np.mean(differences))
    verdict: Verdict = "cannot tell"
    if p_value <= alpha and 0.0 not in interval:
        verdict = "better" if (difference > 0) == higher_is_better else "worse"
    return Comparison(
        questions=len(ids),
        before=float(np.mean([before[name] for name in ids])),
        after=float(np.mean([after[name] for name in ids])),
        difference=difference,
        interval=interval,
        p_value=p_value,
        verdict=verdict,
        questions_needed=questions_needed(differences, power=power, alpha=alpha),
    )


def bootstrap_interval(
    values: Sequence[float],
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """BCa bootstrap interval of the mean of one value per question; of differences, it is the paired bootstrap.

    BCa: percentiles of the resampled means, moved for the bias and the skewness of scores that crowd at 0 or 1. Values
    that are all equal resample to themselves: then the interval is that one value, or, if the least and the greatest
    possible value are given as bounds, constant_interval. Raises ValueError without values.
    Source: Efron 1987, Better Bootstrap Confidence Intervals, doi:10.1080/01621459.1987.10478410.
    """
    data = _sorted(values)
    mean = float(data.mean())
    if data[0] == data[-1]:
        return constant_interval(mean, len(data), level, bounds) if bounds else Interval(mean, mean, level)
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [data[rng.integers(0, len(data), (rows, len(data)))].mean(axis=1) for rows in _chunks(resamples, len(data))]
    )
    slack = 1e-12 * float(np.abs(data).max())  # the same values summed in another order
    below = float((means < mean - slack).mean() + (np.abs(means - mean) <= slack).mean() / 2)
    shift = _NORMAL.inv_cdf(min(max(below, 1 / (resamples + 1)), resamples / (resamples + 1)))
    centred = data - data.mean()
    skew = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))  # the jackknife's acceleration, for a mean
    tails = [_NORMAL.inv_cdf((1 - level) / 2), _NORMAL.inv_cdf((1 + level) / 2)]
    shares = [_NORMAL.cdf(shift + (shift + z) / (1 - skew * (shift + z))) for z in tails]
    low, high = np.quantile(means, shares)
    return Interval(float(low), float(high), level)


def constant_interval(value: float, count: int, level: float, bounds: tuple[float, float]) -> Interval:
    """Interval of a mean when all the values seen are the same: 20 right of 20 do not prove 100 %.

    What was never seen in count draws has, at this level, at most the share q with (1 - q)**count = (1 - level) / 2;
    in the worst case all of it lies at a bound. For 0 of n and n of n it is Clopper and Pearson's interval (1934).
    """
    low, high = bounds
    if not low <= value <= high:
        raise ValueError(f"{value} is outside of the bounds {low} and {high}")
    unseen = 1 - ((1 - level) / 2) ** (1 / count)
    return Interval(value - unseen * (value - low), value + unseen * (high - value), level)


def sign_flip_p(differences: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0) -> float:
    """Two-sided p-value of paired differences, in (0, 1]: how often do random signs make a mean as far from zero?

    The null hypothesis is that either system might have had either score of each question. Differences of zero change
    nothing and are left out; up to EXACT_UP_TO others all sign patterns are tried, beyond that `resamples` random ones
    and the observed one. Raises ValueError without differences. Sources: Fisher 1935, The Design of Experiments,
    section 21; Phipson and Smyth 2010, arXiv:1603.05766 (why the observed pattern counts).
    """
    data = _sorted(differences)
    data = data[data != 0]
    reach = abs(float(data.sum())) * (1 - 1e-12)  # the same sum, added in another order, is as far
    if len(data) <= EXACT_UP_TO:
        patterns = np.arange(2 ** len(data))[:, None] >> np.arange(len(data)) & 1
        return float((np.abs((1 - 2 * patterns) @ data) >= reach).mean())
    rng = np.random.default_rng(seed)
    as_far = sum(
        int((np.abs((1 - 2 * rng.integers(0, 2, (rows, len(data)), dtype=np.int8)) @ data) >= reach).sum())
        for rows in _chunks(resamples, len(data))
    )
    return (as_far + 1) / (resamples + 1)


def questions_needed(differences: Sequence[float], *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """How many questions would tell a mean difference as large as the observed one from chance; None if it is zero.

    For a paired two-sided test at level alpha that finds it with the given power, if the spread of the differences is
    as observed: ((z_alpha/2 + z_power) * sd / difference)**2 + z_alpha/2**2 / 2; never fewer than a sign-flip test
    needs to reach alpha at all. It is a plan and not a finding: the observed difference may itself be chance.
    Source: Guenther 1981, Sample Size Formulas for Normal Theory T Tests, doi:10.1080/00031305.1981.10479363.
    """
    data = _sorted(differences)
    mean = float(data.mean())
    if mean == 0:
        return None
    fewest = ceil(log2(2 / alpha))
    if len(data) < 2:
        return fewest
    z_alpha, z_power = _NORMAL.inv_cdf(1 - alpha / 2), _NORMAL.inv_cdf(power)
    count = ((z_alpha + z_power) * float(data.std(ddof=1)) / mean) ** 2 + z_alpha**2 / 2
    return max(fewest, ceil(count))


def standard_error(values: Sequence[float]) -> float:
    """Standard error of the mean, from 0 up. Raises ValueError for fewer than two values."""
    data = _sorted(values)
    if len(data) < 2:
        raise ValueError("a standard error needs at least two values")
    return float(data.std(ddof=1)) / sqrt(len(data))


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive has the higher score, ties half; in [0, 1], 0.5 is chance. Source: Mann and Whitney 1947.

    Raises ValueError if one of them is empty.
    """
    if not positive or not negative:
        raise ValueError("an AUC needs positives and negatives")
    high, low = np.asarray(positive)[:, None], np.asarray(negative)[None, :]
    return float(((high > low) + 0.5 * (high == low)).mean())


def auc_interval(positive: Sequence[float], negative: Sequence[float]) -> tuple[float, float]:
    """95 % percentile bootstrap, both sides drawn anew."""
    rng = np.random.default_rng(0)
    high, low = np.sort(positive), np.sort(negative)
    drawn = [auc(list(rng.choice(high, len(high))), list(rng.choice(low, len(low)))) for _ in range(RESAMPLES)]
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def _sorted(values: Sequence[float]) -> Floats:
    """Sorted, so that a seeded draw does not depend on the order of the questions."""
    data = np.sort(np.asarray(values, dtype=np.float64))
    if not len(data) or not np.isfinite(data).all():
        raise ValueError("at least one value is needed, and all must be finite")
    return data


def _chunks(rows: int, width: int) -> Iterator[int]:
    """Row counts that add up to rows, each small enough to be drawn at once."""
    step = max(1, _CHUNK // width)
    for start in range(0, rows, step):
        yield min(step, rows - start)
