"""How many papers a list shows."""

from __future__ import annotations

import numpy as np
import pytest

from rag.answer.lists import likeliest


@pytest.mark.parametrize(
    ("probabilities", "shown"),
    [
        ([0.9, 0.1, 0.8, 0.1], [0, 2]),  # the unlikely ones would cost more than they may bring
        ([0.2, 0.3, 0.2, 0.2], [1, 0, 2]),  # where nothing is sure, more are shown, but no more than three here
        ([0.01, 0.02], [1]),
        ([0.7], [0]),
        ([1.0, 1.0, 1.0, 1.0], [0, 1, 2]),
    ],
)
def test_as_many_are_shown_as_promise_the_best_balance(probabilities: list[float], shown: list[int]) -> None:
    assert likeliest(np.array(probabilities), 3) == shown
