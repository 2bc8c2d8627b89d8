"""How likely a paper is to be looked at, by the place where it was shown.

People open what stands on top, so an opening says as much about the place as about the paper. In the position-based
model, a paper is opened if its place is examined and the paper is attractive for the question; the two factors are told
apart because the same paper is shown for the same question at different places. Openings are then weighted by the
inverse of the examination propensity, clipped (*A Large Scale Search Dataset for Unbiased Learning to Rank*; *Implicit
Feedback for Dense Passage Retrieval: A Counterfactual Approach*, where the same weights make Rocchio unbiased).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.learning.history import Asked

PLACES = 10
ROUNDS = 300  # of expectation and maximisation
RESAMPLES = 30  # of the counts, for the interval
CLIP = 5.0  # largest weight of one opening
ASSUMED = tuple(1.0 / place for place in range(1, PLACES + 1))  # before anything is known; eye-tracking studies agree
ASSUMED_SHOWINGS = 30.0  # how many showings at each place the assumption is worth
FEW = 200  # openings below which the assumption stands

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Propensities:
    """Probability of being examined by place, relative to the first, with a 95 % interval."""

    by_place: tuple[float, ...] = ASSUMED
    low: tuple[float, ...] = ASSUMED
    high: tuple[float, ...] = ASSUMED
    openings: int = 0

    def weight(self, place: int | None) -> float:
        """How much an opening at this place counts against one at the first: the inverse propensity, clipped."""
        if place is None:
            return 1.0
        return min(CLIP, 1.0 / self.by_place[min(place, len(self.by_place)) - 1])


def estimate_propensities(log: Sequence[Asked], seed: int = 0) -> Propensities:
    """From the openings in a history; the assumption where there are few."""
    pairs: dict[tuple[str, str], int] = {}
    pair, place, opened = [], [], []
    for one in log:
        touched = {said.paper_id for said in one.said if said.kind in ("open", "copy", "evidence", "dwell")}
        for shown in one.papers:
            if shown.position is not None and shown.position <= PLACES:
                pair.append(pairs.setdefault((one.text, shown.paper), len(pairs)))
                place.append(shown.position - 1)
                opened.append(shown.paper in touched)
    return fit_propensities(np.array(pair, dtype=np.intp), np.array(place, dtype=np.intp), np.array(opened), seed)


def fit_propensities(pair: Ints, place: Ints, opened: NDArray[np.bool_], seed: int = 0) -> Propensities:
    """One row a showing: which question and paper, at which place from 0, and whether it was opened.

    Only pairs shown at two places or more tell anything; the others are left out.
    """
    if int(opened.sum()) < FEW:
        return Propensities(openings=int(opened.sum()))
    cells, opens, misses = _cells(pair, place, opened)
    if int(opens.sum()) < FEW:
        return Propensities(openings=int(opens.sum()))
    found = _fit(*cells, opens, misses)
    rng = np.random.default_rng(seed)
    again = np.array([_fit(*cells, *(rng.poisson(c).astype(float) for c in (opens, misses))) for _ in range(RESAMPLES)])
    spread = 1.96 * again.std(axis=0)
    low, high = np.maximum(found - spread, 0.0), found + spread
    return Propensities(tuple(found.tolist()), tuple(low.tolist()), tuple(high.tolist()), int(opens.sum()))


def _cells(pair: Ints, place: Ints, opened: NDArray[np.bool_]) -> tuple[tuple[Ints, Ints], Floats, Floats]:
    """Each pair at each of its places, how often it was opened there and how often not; for pairs with two places."""
    cell, which = np.unique(pair * PLACES + place, return_inverse=True)
    opens = np.bincount(which, opened, len(cell))
    misses = np.bincount(which, ~opened, len(cell))
    owner, at = cell // PLACES, cell % PLACES
    kept = np.bincount(owner)[owner] > 1
    _, renumbered = np.unique(owner[kept], return_inverse=True)
    return (renumbered, at[kept]), opens[kept], misses[kept]


def _fit(pair: Ints, place: Ints, opens: Floats, misses: Floats) -> Floats:
    """The position-based model by EM, with the assumption as pseudo-counts."""
    examined = np.array(ASSUMED)
    attractive = np.full(pair.max() + 1, 0.5)
    shown_at = np.bincount(place, opens + misses, PLACES) + ASSUMED_SHOWINGS
    shown_of = np.bincount(pair, opens + misses, len(attractive)) + 1e-9
    for _ in range(ROUNDS):
        both = examined[place] * attractive[pair]
        missed = misses / np.maximum(1.0 - both, 1e-9)
        looked = opens + missed * examined[place] * (1.0 - attractive[pair])
        liked = opens + missed * attractive[pair] * (1.0 - examined[place])
        examined = (np.bincount(place, looked, PLACES) + ASSUMED_SHOWINGS * np.array(ASSUMED)) / shown_at
        attractive = np.clip(np.bincount(pair, liked, len(attractive)) / shown_of, 1e-6, 1.0)
    return np.asarray(np.minimum(examined / examined[0], 1.0))
