"""The same need in other words: what a follow-up loses, and how scores spread over phrasings.

They sit on top of any score in [0, 1] where higher is better; an answer that never came must be counted as 0 before
it gets here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev


@dataclass(frozen=True, slots=True)
class Spread:
    """Scores of one need over its phrasings, or the mean of such spreads over many needs. All in [0, 1]."""

    mean: float
    worst: float
    std: float  # population standard deviation, at most 0.5
    width: float  # best - worst


def follow_up_loss(follow_up: Mapping[str, float], standalone: Mapping[str, float]) -> float:
    """Mean over conversations of stand-alone score - follow-up score, in [-1, 1]; 0: the history costs nothing.

    Both map the same question ids to scores; raises ValueError if they do not, or are empty. Source: the comparison of
    original with manually rewritten turns in TREC CAsT, Dalton, Xiong and Callan 2020, arXiv:2003.13624.
    """
    if not follow_up or set(follow_up) != set(standalone):
        raise ValueError("follow-ups and stand-alone forms must be scored on the same questions, at least one")
    return fmean(standalone[question] - score for question, score in follow_up.items())


def spread(scores: Sequence[float]) -> Spread:
    """Mean, worst, standard deviation and width of one need's scores over its phrasings.

    Raises ValueError for fewer than two: one phrasing would look perfectly robust. Source: worst-case and spread over
    paraphrases, as in Mizrahi et al. 2024, State of What Art?, arXiv:2401.00595.
    """
    if len(scores) < 2:
        raise ValueError("a spread needs at least two phrasings")
    return Spread(fmean(scores), min(scores), pstdev(scores), max(scores) - min(scores))


def mean_spread(needs: Sequence[Sequence[float]]) -> Spread:
    """Each part of the spread, averaged over needs that weigh the same however many phrasings they have.

    Raises ValueError if there is no need, or one with fewer than two phrasings.
    """
    if not needs:
        raise ValueError("a mean spread needs at least one question with phrasings")
    parts = [spread(scores) for scores in needs]
    return Spread(
        fmean(part.mean for part in parts),
        fmean(part.worst for part in parts),
        fmean(part.std for part in parts),
        fmean(part.width for part in parts),
    )
