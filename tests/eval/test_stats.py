"""Verdicts, intervals and plans, by simulation with fixed seeds; the resampling is scipy's."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, nct, t

from eval.stats import (
    Comparison,
    Interval,
    Verdict,
    bootstrap_interval,
    compare,
    constant_interval,
    questions_needed,
    sign_flip_p,
)

QUICK = 2000  # resamples where many simulations are run


def pair(differences: NDArray[np.float64], seed: int = 0) -> tuple[dict[str, float], dict[str, float]]:
    """Two systems whose scores differ by this."""
    base = np.random.default_rng(seed).uniform(0, 1, len(differences))
    before = {f"q{number}": float(score) for number, score in enumerate(base)}
    after = {name: score + float(change) for (name, score), change in zip(before.items(), differences, strict=True)}
    return before, after


def verdicts(shift: float, *, runs: int = 80, questions: int = 240, std: float = 0.15) -> list[Verdict]:
    """What is said of systems that differ by shift, with noise of this size on every question."""
    found = []
    for seed in range(runs):
        noise = np.random.default_rng(1000 + seed).normal(shift, std, questions)
        found.append(compare(*pair(noise, seed), resamples=QUICK, seed=seed).verdict)
    return found


def test_a_planted_difference_of_three_points_is_told_from_noise() -> None:
    better = verdicts(0.03).count("better")
    assert better / 80 >= 0.8  # the theoretical power is 0.87
    assert verdicts(-0.03).count("worse") / 80 >= 0.8


def test_noise_alone_is_rarely_called_a_difference() -> None:
    told = 80 - verdicts(0.0).count("cannot tell")
    assert told <= 9  # 4 expected; 10 or more would happen in 1 % of honest runs


def test_identical_systems_cannot_be_told_apart() -> None:
    scores = {f"q{number}": float(number) for number in range(10)}
    result = compare(scores, dict(reversed(scores.items())))
    assert result == Comparison(
        questions=10,
        before=4.5,
        after=4.5,
        difference=0.0,
        interval=Interval(0.0, 0.0, 0.95),
        p_value=1.0,
        verdict="cannot tell",
        questions_needed=None,
    )


def test_a_comparison_says_what_it_saw() -> None:
    before = {"a": 0.0, "b": 0.5, "c": 1.0, "d": 0.25}
    after = {"d": 0.5, "c": 1.0, "b": 1.0, "a": 0.25}
    result = compare(before, after)
    assert (result.questions, result.before, result.after, result.difference) == (4, 0.4375, 0.6875, 0.25)
    assert result.p_value == 0.25  # 3 differences, all positive: 2 of 8 sign patterns
    assert result.verdict == "cannot tell"
    assert result.difference in result.interval


def test_lower_may_be_better() -> None:
    changes = np.linspace(0.1, 0.3, 20)
    before, after = pair(changes)
    assert compare(before, after).verdict == "better"
    assert compare(after, before).verdict == "worse"
    assert compare(before, after, higher_is_better=False).verdict == "worse"
    assert compare(after, before, higher_is_better=False).verdict == "better"


def test_a_few_equal_gains_prove_nothing() -> None:
    before, after = dict.fromkeys("abc", 0.25), dict.fromkeys("abc", 0.5)
    result = compare(before, after)
    assert (result.p_value, result.verdict) == (0.25, "cannot tell")
    assert result.questions_needed == 6  # 2 / 2**6 is the first below 0.05


@pytest.mark.parametrize(
    ("differences", "significant", "leaves_out_zero"),
    [([-0.7, 0.3, 1.0, 0.9, 0.8, 0.7, 0.8, 0.6], True, False), ([0.7, 0.2, 0.2, -0.2, 0.4, 3.4], False, True)],
)
def test_a_verdict_needs_both_the_test_and_the_interval(
    differences: list[float], significant: bool, leaves_out_zero: bool
) -> None:
    names = [f"q{number}" for number in range(len(differences))]
    result = compare(dict.fromkeys(names, 0.0), dict(zip(names, differences, strict=True)))
    assert (result.p_value <= 0.05, 0.0 not in result.interval) == (significant, leaves_out_zero)
    assert result.verdict == "cannot tell"


def test_both_systems_must_have_answered_the_same_questions() -> None:
    with pytest.raises(ValueError, match="same questions"):
        compare({"a": 1.0}, {"b": 1.0})
    with pytest.raises(ValueError, match="same questions"):
        compare({}, {})


def test_nothing_depends_on_the_order_of_the_questions() -> None:
    before, after = pair(np.random.default_rng(3).normal(0.02, 0.1, 50))
    names = list(before)
    random.Random(5).shuffle(names)
    shuffled = compare({name: before[name] for name in names}, after)
    assert shuffled == compare(before, after)
    values = [after[name] - before[name] for name in names]
    assert bootstrap_interval(values) == bootstrap_interval(sorted(values))
    assert sign_flip_p(values) == sign_flip_p(sorted(values))


def test_the_seed_decides_the_draw() -> None:
    values = np.random.default_rng(2).exponential(1, 60).tolist()
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_differences_of_zero_change_nothing() -> None:
    values = [0.5, -0.25, 0.75, 0.5, 0.25]
    assert sign_flip_p(values + [0.0] * 300) == sign_flip_p(values)


def test_a_random_p_value_is_never_zero() -> None:
    assert 0 < sign_flip_p([1.0] * 40, resamples=999) <= 0.002


@pytest.mark.parametrize("kind", ["share", "skewed"])
def test_the_interval_covers_the_truth_as_often_as_it_says(kind: str) -> None:
    rng = np.random.default_rng(11)
    runs, covered = 400, 0
    for seed in range(runs):
        values = rng.binomial(1, 0.8, 60) if kind == "share" else rng.exponential(0.8, 60)
        covered += 0.8 in bootstrap_interval(values.tolist(), resamples=1000, seed=seed)
    assert 0.92 <= covered / runs <= 0.975


def test_a_wider_level_gives_a_wider_interval() -> None:
    values = np.random.default_rng(2).uniform(0, 1, 40).tolist()
    narrow, wide = bootstrap_interval(values, level=0.8), bootstrap_interval(values, level=0.99)
    assert wide.low < narrow.low < np.mean(values) < narrow.high < wide.high
    assert (narrow.level, wide.level) == (0.8, 0.99)


def test_twenty_of_twenty_do_not_prove_everything() -> None:
    for hits in (0, 20):
        exact = binomtest(hits, 20).proportion_ci(0.95, method="exact")
        ours = bootstrap_interval([hits / 20] * 20, bounds=(0.0, 1.0))
        assert (ours.low, ours.high) == pytest.approx((exact.low, exact.high))
    assert bootstrap_interval([0.5] * 20) == Interval(0.5, 0.5)
    with pytest.raises(ValueError, match="outside of the bounds"):
        constant_interval(2.0, 5, 0.95, (0.0, 1.0))


@pytest.mark.parametrize(("shift", "std"), [(0.03, 0.15), (0.1, 0.2), (0.3, 0.4)])
def test_the_planned_number_of_questions_has_the_planned_power(shift: float, std: float) -> None:
    draw = np.random.default_rng(0).normal(0, 1, 500)
    draw = shift + std * (draw - draw.mean()) / draw.std(ddof=1)  # exactly this mean and spread
    planned = questions_needed(draw.tolist())
    assert planned is not None

    def power(count: int) -> float:
        return float(1 - nct.cdf(t.ppf(0.975, count - 1), count - 1, shift / std * count**0.5))

    assert power(planned) == pytest.approx(0.8, abs=0.015)
    assert power(planned - 2) < 0.8


def test_a_smaller_difference_needs_more_questions() -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, 100)
    noise -= noise.mean()
    needed = [questions_needed((noise + shift).tolist()) for shift in (0.2, 0.1, 0.05, -0.05, 0.01)]
    assert needed[0] < needed[1] < needed[2] == needed[3] < needed[4]  # type: ignore[operator]
    assert questions_needed([0.5, -0.5]) is None


@pytest.mark.parametrize("values", [[], [float("nan")], [0.1, float("inf")]])
def test_values_must_be_there_and_finite(values: list[float]) -> None:
    for function in (bootstrap_interval, sign_flip_p, questions_needed):
        with pytest.raises(ValueError, match="at least one value"):
            function(values)
