"""A few human labels and many verdicts of a model judge, combined into one estimate that the judge cannot bias.

The mean of what people would say is wanted, E[Y]. There are n items with a human label Y and the judge's verdict F on
the same item, and N further items with F alone, all drawn from the same questions. For any weight w that does not look
at them,

    estimate(w) = mean_n(Y) - w * (mean_n(F) - mean_N(F))

has the mean E[Y], because both means of F have the same one: however wrong the judge is, what it adds cancels. F is a
control variate. As the two sets are independent,

    variance(w) = Var(Y - w F) / n + w**2 Var(F) / N
                = Var(Y) / n - 2 w Cov(Y, F) / n + w**2 Var(F) (1/n + 1/N)

which is least at w* = Cov(Y, F) / Var(F) / (1 + n/N), where it is Var(Y) / n * (1 - r**2 / (1 + n/N)) with r the
correlation of Y and F. So it is never above that of the labels alone (w = 0), an anti-correlated judge is as good as
a correlated one (w < 0), and a judge that knows nothing gets w = 0. As N grows, labels are saved at the rate r**2.

A w fitted on the very labels it weighs would bring back a bias of order 1/n. Therefore each item gets the weight that
the other n - 1 labelled items give: independent of the item and of the N others, it keeps the estimate exactly
unbiased.

Sources: Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023, Prediction-Powered Inference, arXiv:2301.09633 (w = 1);
Angelopoulos, Duchi and Zrnic 2023, PPI++, arXiv:2311.01453 (the tuned weight); Zrnic and Candès 2023, Cross-Prediction-
Powered Inference, arXiv:2309.16598 (fitting on the other items); Zhou, Song and Zanette 2025, Accelerating Unbiased LLM
Evaluation via Synthetic Feedback, arXiv:2502.10563 (for win rates of language models, and the share of labels saved).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from eval.stats import Interval, constant_interval

Floats = NDArray[np.float64]

FEWEST = 8  # labels; with fewer, a fitted weight is mostly noise, and the labels stand alone


@dataclass(frozen=True, slots=True)
class Estimate:
    """What people would say on average, and how sure that is."""

    value: float  # unbiased, so with few labels it may lie a little outside of the bounds
    standard_error: float
    interval: Interval
    weight: float  # mean weight of the judge; 0 if it was not used
    labels: int  # human labels
    verdicts: int  # items that the judge alone has seen
    labels_worth: float  # how many labels without a judge would give this standard error

    @property
    def labels_saved(self) -> float:
        """Labels that nobody had to make thanks to the judge, from 0 up."""
        return max(0.0, self.labels_worth - self.labels)


def estimate_mean(
    labels: Sequence[float],
    judged: Sequence[float],
    judged_alone: Sequence[float],
    *,
    weight: float | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    level: float = 0.95,
) -> Estimate:
    """Combine human labels with a judge's verdicts; see the module for the derivation.

    labels: human labels within bounds, e.g. 1 win, 0.5 tie, 0 loss. judged: the judge on the same items, in the same
    order, in any unit. judged_alone: the judge on other items. Which items people labelled must be left to chance.
    weight: None fits it item by item; 0 leaves the judge out; 1 is plain prediction-powered inference.
    The interval is Student's with one degree of freedom less for a fitted weight, and constant_interval if all labels
    are the same. Raises ValueError if there are fewer than two labels, labels out of bounds, or lengths that differ.
    """
    human, same, other = (np.asarray(values, dtype=np.float64) for values in (labels, judged, judged_alone))
    count, total = len(human), len(other)
    if count < 2 or count != len(same):
        raise ValueError(f"{count} labels with {len(same)} verdicts: give at least two, and one verdict for each")
    if not (np.isfinite(same).all() and np.isfinite(other).all()):
        raise ValueError("verdicts must be finite numbers")
    if not ((human >= bounds[0]) & (human <= bounds[1])).all():
        raise ValueError(f"labels must lie in [{bounds[0]}, {bounds[1]}]")
    fitted = weight is None and count >= FEWEST and total > 0
    if fitted:
        weights = _weights_of_the_others(human, same) / (1 + count / total)
    else:
        weights = np.full(count, weight if weight is not None and total > 0 else 0.0)
    mean_weight = float(weights.mean())
    value = float((human - weights * same).mean()) + (mean_weight * float(other.mean()) if total else 0.0)
    spare = count - 1 - fitted  # degrees of freedom
    variance = float((human - mean_weight * same).var()) / spare  # of the mean: sum of squares / spare / count
    if mean_weight:
        # with a single further item its variance must be borrowed from the labelled ones
        variance += mean_weight**2 * float((other if total > 1 else same).var(ddof=1)) / total
    error = sqrt(variance)
    if (human == human[0]).all():
        interval = constant_interval(float(human[0]), count, level, bounds)
    else:
        reach = _student(spare, level) * error
        interval = Interval(value - reach, value + reach, level)
    worth = float(count)
    if mean_weight:
        worth = float(human.var(ddof=1)) / variance if variance else inf
    return Estimate(
        value=value,
        standard_error=error,
        interval=interval,
        weight=mean_weight,
        labels=count,
        verdicts=total,
        labels_worth=worth,
    )


def _weights_of_the_others(human: Floats, same: Floats) -> Floats:
    """Cov(Y, F) / Var(F) for each item from all others; 0 where the judge says the same of all others."""
    count = len(human)
    label, verdict = human - human.mean(), same - same.mean()
    grow = count / (count - 1)  # leaving an item out moves the means, too
    products = (label * verdict).sum() - grow * label * verdict
    squares = (verdict**2).sum() - grow * verdict**2
    moves = squares > 1e-12 * (verdict**2).sum()
    return np.where(moves, products / np.where(moves, squares, 1.0), 0.0)


def _student(spare: int, level: float) -> float:
    """How many standard errors an interval reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(spare, (1 + level) / 2))
