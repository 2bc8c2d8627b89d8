"""Clicks made with known propensities give these propensities back."""

from __future__ import annotations

import numpy as np

from rag.learning.propensity import ASSUMED, PLACES, estimate_propensities, fit_propensities
from tests.learning.fakes import Log

TRUE = np.array([1.0, 0.62, 0.45, 0.33, 0.26, 0.2, 0.16, 0.13, 0.11, 0.1])


def test_known_propensities_are_within_their_interval() -> None:
    rng = np.random.default_rng(3)
    pairs, showings = 300, 60_000
    attractive = rng.uniform(0.1, 0.9, pairs)
    pair = rng.integers(pairs, size=showings)
    place = rng.integers(PLACES, size=showings)
    opened = rng.random(showings) < TRUE[place] * attractive[pair]
    found = fit_propensities(pair, place, opened)
    inside = [low <= true <= high for low, true, high in zip(found.low, TRUE, found.high, strict=True)]
    assert sum(inside) >= PLACES - 2, (found, TRUE)
    assert np.abs(np.array(found.by_place) - TRUE).max() < 0.05


def test_weighted_openings_rank_by_attraction_where_raw_ones_rank_by_place() -> None:
    rng = np.random.default_rng(4)
    worse = rng.random(4_000) < TRUE[0] * 0.3
    better = rng.random(4_000) < TRUE[4] * 0.8
    assert worse.mean() > better.mean(), "raw openings prefer what stands on top"
    found = fit_propensities(
        np.tile([0, 1], 4_000),
        np.tile([0, 4], 4_000),
        np.column_stack([worse, better]).ravel(),
    )
    assert found.by_place == ASSUMED, "nothing is told apart where no pair was shown at two places"
    assert better.mean() * found.weight(5) > worse.mean() * found.weight(1)


def test_the_assumption_stands_where_little_is_known() -> None:
    log = Log()
    log.ask("ann", "c1", "a question", cited=["p1", "p2"], said=[("open", None, "p2")])
    found = estimate_propensities(log.asked)
    assert found.by_place == ASSUMED
    assert found.openings == 1
    assert found.weight(1) == 1.0
    assert found.weight(2) == 2.0
    assert found.weight(9) == 5.0, "clipped"
