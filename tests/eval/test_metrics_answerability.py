"""Abstention: both errors, F1, risk-coverage and calibration, against small second implementations."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise, permutations
from statistics import harmonic_mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics.answerability import abstention_f1, aurc, calibration_error, excess_aurc, risk_coverage

STEADY = settings(derandomize=True, deadline=None, max_examples=60)

flags = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1).filter(
    lambda pairs: {True, False} <= {answerable for answerable, _ in pairs}
)
ratings = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1)


def area_slowly(confidence: list[float], loss: list[float]) -> float:
    """AURC as the mean over all orders that sort by confidence, by brute force."""
    areas = []
    for order in permutations(range(len(loss))):
        if all(confidence[a] >= confidence[b] for a, b in pairwise(order)):
            risks = [Fraction(sum(Fraction(loss[i]) for i in order[: n + 1]), n + 1) for n in range(len(order))]
            areas.append(sum(risks) / len(risks))
    return float(sum(areas) / len(areas))


def gap_slowly(confidence: list[float], correct: list[float], bins: int) -> float:
    """ECE of equal mass for distinct confidences: walk through the sorted questions, bin by bin."""
    rows = sorted(zip(confidence, correct, strict=True))
    n, total, start = len(rows), 0.0, 0
    for number in range(bins):
        size = n // bins + (number < n % bins)
        part = rows[start : start + size]
        start += size
        accuracy, sureness = sum(right for _, right in part) / size, sum(sure for sure, _ in part) / size
        total += size / n * abs(accuracy - sureness)
    return total


def test_f1_by_hand() -> None:
    assert abstention_f1([True, True, True, True, False, False], [True, False, False, False, True, False]) == 0.5


@STEADY
@given(pairs=flags)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(pairs: list[tuple[bool, bool]]) -> None:
    right = [not answerable for answerable, silent in pairs if silent]
    found = [silent for answerable, silent in pairs if not answerable]
    rates = [sum(part) / len(part) if part else 0.0 for part in (right, found)]
    expected = harmonic_mean(rates) if all(rates) else 0.0
    assert abstention_f1(*zip(*pairs, strict=True)) == pytest.approx(expected)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="no question is unanswerable"):
        abstention_f1([True], [True])
    with pytest.raises(ValueError, match="2 entries against 1"):
        abstention_f1([True, False], [True])
    with pytest.raises(ValueError, match="no question to measure"):
        aurc([], [])
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        aurc([0.5], [1.5])
    with pytest.raises(ValueError, match="must be numbers"):
        aurc([float("nan")], [0.5])
    with pytest.raises(ValueError, match="to be calibrated"):
        calibration_error([1.5], [1.0])
    with pytest.raises(ValueError, match="bins"):
        calibration_error([0.5], [1.0], bins=0)


def test_the_curve_by_hand() -> None:
    curve = risk_coverage([0.9, 0.1, 0.5, 0.5], [0.0, 1.0, 1.0, 0.0])
    assert [coverage for coverage, _ in curve] == [0.25, 0.5, 0.75, 1.0]
    assert [risk for _, risk in curve] == pytest.approx([0.0, 0.25, 1 / 3, 0.5])


@STEADY
@given(rows=ratings.filter(lambda rows: len(rows) <= 6))
def test_aurc_agrees_with_all_orders_of_ties(rows: list[tuple[float, float]]) -> None:
    confidence, loss = (list(column) for column in zip(*rows, strict=True))
    assert aurc(confidence, loss) == pytest.approx(area_slowly(confidence, loss))


@STEADY
@given(rows=ratings, order=st.randoms(use_true_random=False))
def test_areas_and_gaps_are_shares_and_blind_to_order(rows: list[tuple[float, float]], order: random.Random) -> None:
    shuffled = rows.copy()
    order.shuffle(shuffled)
    for measure in (aurc, excess_aurc, calibration_error):
        value = measure(*zip(*rows, strict=True))
        assert 0.0 <= value <= 1.0
        assert measure(*zip(*shuffled, strict=True)) == pytest.approx(value, abs=1e-12)


@STEADY
@given(rows=ratings)
def test_aurc_lies_between_the_best_and_the_worst_order(rows: list[tuple[float, float]]) -> None:
    confidence, loss = (list(column) for column in zip(*rows, strict=True))
    worst = aurc(loss, loss)
    assert aurc([-value for value in loss], loss) - 1e-12 <= aurc(confidence, loss) <= worst + 1e-12
    assert excess_aurc([-value for value in loss], loss) == 0.0
    assert aurc([0.5] * len(loss), loss) == pytest.approx(sum(loss) / len(loss))


@STEADY
@given(rows=ratings)
def test_only_the_order_of_confidence_matters_to_aurc(rows: list[tuple[float, float]]) -> None:
    confidence, loss = zip(*rows, strict=True)
    assert aurc([value**3 / 2 - 7 for value in confidence], loss) == pytest.approx(aurc(confidence, loss))


@pytest.mark.parametrize("bins", [1, 3, 10, 15])
def test_calibration_error_agrees_with_a_second_implementation(bins: int) -> None:
    draw = random.Random(bins)
    for size in (15, 16, 59, 100):
        confidence = draw.sample([number / 1000 for number in range(1001)], size)
        correct = [float(draw.random() < sure**2) for sure in confidence]
        expected = gap_slowly(confidence, correct, bins)
        assert calibration_error(confidence, correct, bins=bins) == pytest.approx(expected)


def test_calibration_error_of_known_cases() -> None:
    assert calibration_error([0.75] * 4, [1, 1, 1, 0]) == 0.0
    assert calibration_error([1.0, 1.0], [0, 0]) == 1.0
    assert calibration_error([0.9] * 10, [1, 0] * 5) == pytest.approx(0.4)


def test_an_overconfident_system_is_seen_as_such() -> None:
    draw = np.random.default_rng(1)
    truth = draw.uniform(0, 1, 4000)
    correct = (draw.uniform(0, 1, 4000) < truth).astype(float).tolist()
    honest = calibration_error(truth.tolist(), correct)
    boasting = calibration_error(np.sqrt(truth).tolist(), correct)
    assert honest < 0.03
    assert boasting == pytest.approx(2 / 3 - 1 / 2, abs=0.03)
