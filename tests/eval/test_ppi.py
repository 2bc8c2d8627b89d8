"""Human labels and a judge: unbiased whatever the judge says, and never worse off for having asked it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.lab.ppi import FEWEST, Estimate, estimate_mean

Floats = NDArray[np.float64]
Judge = Callable[[Floats, np.random.Generator], Floats]
TRUTH = 0.7


def flipped(truth: Floats, rng: np.random.Generator, rate: float) -> Floats:
    """The truth with some verdicts the wrong way round."""
    return np.where(rng.random(len(truth)) < rate, 1 - truth, truth)


def good(truth: Floats, rng: np.random.Generator) -> Floats:
    return flipped(truth, rng, 0.1)


def biased(truth: Floats, rng: np.random.Generator) -> Floats:
    """Says yes to most of what is wrong, and speaks on a scale of its own."""
    return 2.0 + 3.0 * np.maximum(truth, rng.random(len(truth)) < 0.6)


def anticorrelated(truth: Floats, rng: np.random.Generator) -> Floats:
    """Likes what people do not."""
    return 1 - flipped(truth, rng, 0.2)


def random_judge(truth: Floats, rng: np.random.Generator) -> Floats:
    return rng.normal(0.2, 1.0, len(truth))


JUDGES: list[Judge] = [good, biased, anticorrelated, random_judge]


@dataclass(frozen=True)
class Simulation:
    """Many evaluations, each on new questions."""

    estimates: list[Estimate]
    judge_alone: float  # mean verdict
    correlation: float

    @property
    def values(self) -> Floats:
        return np.array([estimate.value for estimate in self.estimates])


def simulate(judge: Judge, *, labels: int, others: int, runs: int, weight: float | None = None) -> Simulation:
    rng = np.random.default_rng(42)
    estimates, verdicts, truths = [], [], []
    for _ in range(runs):
        truth = (rng.random(labels + others) < TRUTH).astype(np.float64)
        verdict = judge(truth, rng)
        human = truth[:labels].tolist()
        estimates.append(estimate_mean(human, verdict[:labels].tolist(), verdict[labels:].tolist(), weight=weight))
        verdicts.append(verdict)
        truths.append(truth)
    all_verdicts, all_truths = np.concatenate(verdicts), np.concatenate(truths)
    return Simulation(estimates, float(all_verdicts.mean()), float(np.corrcoef(all_truths, all_verdicts)[0, 1]))


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("labels", [10, 60])
def test_the_estimate_is_unbiased_whatever_the_judge_says(judge: Judge, labels: int) -> None:
    found = simulate(judge, labels=labels, others=120, runs=4000)
    noise = found.values.std() / sqrt(len(found.values))
    assert abs(found.values.mean() - TRUTH) < 3.5 * noise
    if judge is not good:
        assert abs(found.judge_alone - TRUTH) > 0.2  # believing this judge would have misled


@pytest.mark.parametrize("judge", JUDGES)
def test_the_interval_covers_the_truth_as_often_as_it_says(judge: Judge) -> None:
    found = simulate(judge, labels=60, others=240, runs=2000)
    covered = np.mean([TRUTH in estimate.interval for estimate in found.estimates])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("judge", JUDGES)
def test_asking_the_judge_never_costs_precision(judge: Judge) -> None:
    labels, others = 60, 240
    found = simulate(judge, labels=labels, others=others, runs=4000)
    variance_of_labels = TRUTH * (1 - TRUTH) / labels
    expected = variance_of_labels * (1 - found.correlation**2 / (1 + labels / others))
    assert found.values.var() == pytest.approx(expected, rel=0.1)
    assert found.values.var() <= variance_of_labels * 1.05
    errors = np.array([estimate.standard_error for estimate in found.estimates])
    assert (errors**2).mean() == pytest.approx(expected, rel=0.1)


def test_the_labels_saved_are_those_one_would_have_had_to_make() -> None:
    labels, others = 100, 900
    found = simulate(good, labels=labels, others=others, runs=1000)
    saved = float(np.mean([estimate.labels_saved for estimate in found.estimates]))
    expected = labels / (1 - found.correlation**2 / (1 + labels / others)) - labels
    assert saved == pytest.approx(expected, rel=0.1)
    assert saved > 80
    useless = simulate(random_judge, labels=labels, others=others, runs=1000)
    assert float(np.mean([estimate.labels_saved for estimate in useless.estimates])) < 3


def test_more_verdicts_save_more_labels() -> None:
    saved = [
        np.mean([one.labels_worth for one in simulate(good, labels=60, others=others, runs=300).estimates])
        for others in (20, 60, 600)
    ]
    assert saved[0] < saved[1] < saved[2]


@pytest.mark.parametrize("judge", [biased, anticorrelated])
def test_full_trust_in_a_wrong_judge_is_unbiased_too_but_worse(judge: Judge) -> None:
    full = simulate(judge, labels=60, others=240, runs=2000, weight=1.0)
    tuned = simulate(judge, labels=60, others=240, runs=2000)
    assert abs(full.values.mean() - TRUTH) < 3.5 * full.values.std() / sqrt(2000)
    assert full.values.var() > 1.5 * tuned.values.var()


def test_by_hand_with_a_given_weight() -> None:
    found = estimate_mean([1, 0, 1, 1], [1, 0, 0, 1], [1, 1, 0], weight=0.5)
    assert found.value == pytest.approx(3 / 4 - 0.5 * (1 / 2 - 2 / 3))
    parts = np.var([0.5, 0, 1, 0.5], ddof=1) / 4 + 0.25 * np.var([1, 1, 0], ddof=1) / 3
    assert found.standard_error == pytest.approx(sqrt(parts))
    assert found.labels_worth == pytest.approx(np.var([1, 0, 1, 1], ddof=1) / parts)
    assert found.interval.high - found.value == pytest.approx(3.1824463 * sqrt(parts))  # Student's t, 3 degrees
    assert (found.weight, found.labels, found.verdicts) == (0.5, 4, 3)


def test_each_weight_is_what_the_other_items_give() -> None:
    rng = np.random.default_rng(5)
    human, same, other = rng.random(12), rng.normal(2, 1, 12), rng.normal(2, 1, 30)
    weights = []
    for left_out in range(12):
        label, verdict = np.delete(human, left_out), np.delete(same, left_out)
        weights.append(np.cov(label, verdict)[0, 1] / np.var(verdict, ddof=1) / (1 + 12 / 30))
    expected = np.mean([y - w * (f - other.mean()) for y, w, f in zip(human, weights, same, strict=True)])
    found = estimate_mean(human.tolist(), same.tolist(), other.tolist())
    assert found.value == pytest.approx(expected)
    assert found.weight == pytest.approx(np.mean(weights))


def test_the_unit_and_the_order_do_not_matter() -> None:
    rng = np.random.default_rng(6)
    human = (rng.random(30) < 0.6).astype(float)
    same, other = good(human, rng), rng.random(50)
    order = rng.permutation(30)
    found = estimate_mean(human.tolist(), same.tolist(), other.tolist())
    again = estimate_mean(human[order].tolist(), (5 - 7 * same[order]).tolist(), (5 - 7 * other[::-1]).tolist())
    assert again.value == pytest.approx(found.value)
    assert again.standard_error == pytest.approx(found.standard_error)
    assert again.weight == pytest.approx(found.weight / -7)


def test_without_a_usable_judge_the_labels_stand_alone() -> None:
    human = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.5, 1.0]
    alone = estimate_mean(human, [0.0] * 9, [], weight=0)
    no_others = estimate_mean(human, human, [])
    few = estimate_mean(human[: FEWEST - 1], human[: FEWEST - 1], [1.0] * 50)
    constant = estimate_mean(human, [0.5] * 9, [0.5] * 50)
    assert no_others == alone
    assert few.value == pytest.approx(np.mean(human[: FEWEST - 1]))
    assert constant.value == pytest.approx(np.mean(human))
    assert alone.labels_saved == few.labels_saved == constant.labels_saved == alone.weight == constant.weight == 0
    assert alone.labels_worth == pytest.approx(9)


def test_one_voice_is_no_proof() -> None:
    found = estimate_mean([1.0] * 10, [1.0, 0.0] * 5, [1.0] * 40)
    assert (found.value, found.standard_error) == (1.0, 0.0)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.025**0.1, 1.0))
    assert found.labels_saved == 0.0


@pytest.mark.parametrize(
    ("labels", "judged", "alone", "reason"),
    [
        ([1.0], [1.0], [1.0], "at least two"),
        ([1.0, 0.0], [1.0], [1.0], "one verdict for each"),
        ([1.0, 2.0], [1.0, 0.0], [1.0], "labels must lie"),
        ([1.0, float("nan")], [1.0, 0.0], [1.0], "labels must lie"),
        ([1.0, 0.0], [1.0, float("nan")], [1.0], "finite"),
        ([1.0, 0.0], [1.0, 0.0], [float("inf")], "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(
    labels: list[float], judged: list[float], alone: list[float], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        estimate_mean(labels, judged, alone)
