"""Is one system better than another, or is it chance? Paired by question, seeded, blind to the order of questions.

A question is the unit: average over its phrasings first, because two wordings of one need are not two independent
observations. The resampling is scipy's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Verdict = Literal["better", "worse", "cannot tell"]

RESAMPLES = 10_000
_AT_ONCE = 1_000_000  # numbers drawn at once, to bound the memory


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
        questions_needed=questions_needed(differences, alpha=alpha),
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

    Values that are all equal resample to themselves: then the interval is that one value or, if the least and the
    greatest possible value are given as bounds, constant_interval. Raises ValueError without values.
    Source: Efron 1987, Better Bootstrap Confidence Intervals, doi:10.1080/01621459.1987.10478410.
    """
    data = _sorted(values)
    if data[0] == data[-1]:
        mean = float(data[0])
        return constant_interval(mean, len(data), level, bounds) if bounds else Interval(mean, mean, level)
    found = stats.bootstrap(
        (data,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, _AT_ONCE // len(data)),
        confidence_level=level,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high), level)


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

    Differences of zero change nothing and are left out; with few others all sign patterns are tried. Raises ValueError
    without differences. Source: Fisher 1935, The Design of Experiments, section 21.
    """
    data = _sorted(differences)
    data = data[data != 0]
    if len(data) < 2:
        return 1.0
    found = stats.permutation_test(
        (data,),
        np.mean,
        permutation_type="samples",
        n_resamples=resamples,
        batch=max(1, _AT_ONCE // len(data)),
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


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
    z_alpha, z_power = (float(stats.norm.ppf(share)) for share in (1 - alpha / 2, power))
    count = ((z_alpha + z_power) * float(data.std(ddof=1)) / mean) ** 2 + z_alpha**2 / 2
    return max(fewest, ceil(count))


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive has the higher score, ties half; in [0, 1], 0.5 is chance. Source: Mann and Whitney 1947.

    Raises ValueError if one of them is empty.
    """
    if not len(positive) or not len(negative):
        raise ValueError("an AUC needs positives and negatives")
    return float(stats.mannwhitneyu(positive, negative).statistic) / (len(positive) * len(negative))


def auc_interval(positive: Sequence[float], negative: Sequence[float]) -> tuple[float, float]:
    """95 % percentile bootstrap, both sides drawn anew; (0, 1) if one of them has a single score."""
    if min(len(positive), len(negative)) < 2:
        return 0.0, 1.0
    found = stats.bootstrap(
        (_sorted(positive), _sorted(negative)),
        auc,
        n_resamples=2000,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def _sorted(values: Sequence[float]) -> Floats:
    """Sorted, so that a seeded draw does not depend on the order of the questions."""
    data = np.sort(np.asarray(values, dtype=np.float64))
    if not len(data) or not np.isfinite(data).all():
        raise ValueError("at least one value is needed, and all must be finite")
    return data
