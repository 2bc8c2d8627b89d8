"""Loss of follow-ups and spread over phrasings."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics import Spread, follow_up_loss, mean_spread, spread

STEADY = settings(derandomize=True, deadline=None, max_examples=60)

scores = st.lists(st.floats(0, 1), min_size=2, max_size=8)


def parts(value: Spread) -> tuple[float, float, float, float]:
    return value.mean, value.worst, value.std, value.width


def test_the_loss_is_paired() -> None:
    assert follow_up_loss({"a": 0.5, "b": 1.0}, {"b": 0.75, "a": 1.0}) == pytest.approx(0.125)
    for standalone in ({"a": 1.0}, {"a": 1.0, "c": 1.0}):
        with pytest.raises(ValueError, match="same questions"):
            follow_up_loss({"a": 0.5, "b": 1.0}, standalone)
    with pytest.raises(ValueError, match="at least one"):
        follow_up_loss({}, {})


@STEADY
@given(pairs=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1))
def test_the_loss_is_bounded_and_changes_sign(pairs: list[tuple[float, float]]) -> None:
    first = {str(number): pair[0] for number, pair in enumerate(pairs)}
    second = {str(number): pair[1] for number, pair in enumerate(pairs)}
    assert -1.0 <= follow_up_loss(first, second) <= 1.0
    assert follow_up_loss(first, second) == pytest.approx(-follow_up_loss(second, first))
    assert follow_up_loss(first, first) == 0.0


@STEADY
@given(values=scores, order=st.randoms(use_true_random=False))
def test_spread_agrees_with_numpy_in_any_order(values: list[float], order: random.Random) -> None:
    expected = (np.mean(values), np.min(values), np.std(values), np.ptp(values))
    assert parts(spread(values)) == pytest.approx(expected, abs=1e-9)
    order.shuffle(values)
    assert parts(spread(values)) == pytest.approx(expected, abs=1e-9)


@STEADY
@given(values=scores)
def test_spread_stays_in_range(values: list[float]) -> None:
    found = spread(values)
    assert 0.0 <= found.worst <= found.mean + 1e-12
    assert found.mean <= found.worst + found.width + 1e-12
    assert 0.0 <= found.std <= min(0.5, found.width / 2) + 1e-9


@STEADY
@given(needs=st.lists(scores, min_size=1, max_size=4))
def test_needs_weigh_the_same(needs: list[list[float]]) -> None:
    expected = np.mean([parts(spread(need)) for need in needs], axis=0)
    assert parts(mean_spread(needs)) == pytest.approx(tuple(expected), abs=1e-12)


def test_a_system_that_ignores_the_words_has_no_spread() -> None:
    assert spread([0.75, 0.75, 0.75]) == Spread(mean=0.75, worst=0.75, std=0.0, width=0.0)


def test_one_phrasing_has_no_spread() -> None:
    with pytest.raises(ValueError, match="two phrasings"):
        spread([1.0])
    with pytest.raises(ValueError, match="two phrasings"):
        mean_spread([[1.0, 0.5], [1.0]])
    with pytest.raises(ValueError, match="at least one question"):
        mean_spread([])
