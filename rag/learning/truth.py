"""What to believe: the probability that a paper answers a question, from signals of unequal reliability.

Every kind of signal has an accuracy, fitted from how often it agrees with what everybody else said about the same paper
and question, starting from a prior. Every person has a credit, fitted likewise; it scales how far their signals count,
down to nothing, so that somebody who keeps contradicting the others is no longer heard. The method is that of Dawid and
Skene 1979, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", with one parameter for each
kind and one for each person, and agreement measured without the signal's own vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.learning.propensity import Propensities
from rag.learning.signals import IMPLICIT, PRIORS, PaperSignal

ROUNDS = 8  # of expectation and maximisation; the change after it is below the third decimal
HALF_LIFE_DAYS = 180.0  # after which a signal counts half
DAY_S = 86_400.0
CREDIT_PRIOR = (8.5, 1.5)  # agreement of an unknown person with the others: Beta(a, b)
NO_CREDIT, FULL_CREDIT = 0.55, 0.8  # agreement at and below, at and above which a person counts nothing, in full
FAVOURITE = 0.25  # share of a person's needs for which the same paper may be named before it is discounted
FAVOURITE_NEEDS = 5  # needs of a person before their favourites are looked for
PASSED_OVER = 0.68  # how often a paper is wrong that somebody did not point to though pointing to another one
RANK_ODDS = (0.0, -0.5, -0.8, -1.2)  # prior log-odds that a paper answers: ranked first, 2-3, 4-, not found
BELIEF = 6.0  # largest log-odds
HINT = 1.0  # largest log-odds from signals that nobody gave on purpose, however many people gave them

ASSUMED = Propensities()
PLACED = ("opened", "dwelt")  # kinds that depend on where a paper was shown

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed about one paper for one need."""

    need: int
    paper: str
    probability: float  # that it answers
    people: int
    since: float  # seconds since the epoch, of the first and of the last signal
    until: float


@dataclass(frozen=True, slots=True)
class Truth:
    """Beliefs, and how reliable kinds of signals and people have proved to be."""

    beliefs: Sequence[Belief]
    accuracy: Mapping[str, float]
    credit: Mapping[str, float]  # by person, in [0, 1]


def believe(
    signals: Sequence[PaperSignal], need_of: Mapping[str, int], now: float, propensities: Propensities = ASSUMED
) -> Truth:
    """Weigh all signals together.

    need_of: text → number of its need. now: seconds since the epoch. propensities: an opening counts by the inverse of
    how likely its place is to be looked at. One signal a person, paper and need counts: the strongest.
    """
    kept = _strongest(signals, need_of)
    if not kept:
        return Truth((), {kind: a / (a + b) for kind, (a, b) in PRIORS.items()}, {})
    kinds, people = list(PRIORS), sorted({one.person for one in kept})
    pairs = list(dict.fromkeys((need_of[one.text], one.paper) for one in kept))
    pair_of, person_of = {pair: i for i, pair in enumerate(pairs)}, {name: i for i, name in enumerate(people)}
    pair = np.array([pair_of[need_of[one.text], one.paper] for one in kept])
    person = np.array([person_of[one.person] for one in kept])
    kind = np.array([kinds.index(one.kind) for one in kept])
    sign = np.array([1.0 if one.positive else -1.0 for one in kept])
    age = np.array([(now - one.at) / DAY_S for one in kept])
    fresh = 0.5 ** (np.maximum(age, 0.0) / HALF_LIFE_DAYS) * _unfavoured(kept, need_of)
    fresh *= np.array([propensities.weight(one.place) if one.kind in PLACED else 1.0 for one in kept])
    rank = np.full(len(pairs), len(RANK_ODDS) - 1)
    np.minimum.at(rank, pair, [_rank_class(one.rank) for one in kept])
    prior = np.array(RANK_ODDS)[rank]

    a, b = (np.array([PRIORS[one][i] for one in kinds]) for i in (0, 1))
    accuracy, credit = a / (a + b), np.ones(len(people))
    meant = ~np.isin(kind, [kinds.index(one) for one in IMPLICIT])
    voters = np.bincount(pair, minlength=len(pairs))
    spoken = np.bincount(pair, meant, len(pairs))
    shared = spoken[pair] - meant > 0  # somebody else said something about the same paper for the same need
    passed = _passed_over(kept, need_of, pairs, pair_of)
    for _ in range(ROUNDS):
        strength = 0.5 + (accuracy[kind] - 0.5) * credit[person]
        say = sign * fresh * np.log(strength / (1.0 - strength))
        against = np.array([credit[by].sum() for by in passed]) * np.log(PASSED_OVER / (1.0 - PASSED_OVER))
        hints = np.clip(np.bincount(pair, say * ~meant, len(pairs)), -HINT, HINT)
        said = np.clip(prior + np.bincount(pair, say * meant, len(pairs)) - against, -BELIEF, BELIEF)
        total = said + hints
        others = _sigmoid(said[pair] - say * meant)
        agreed = np.where(sign > 0, others, 1.0 - others)
        fitted = _posterior_mean(a, b, kind, agreed, shared, len(kinds))
        accuracy = np.where(np.isin(kinds, IMPLICIT), a / (a + b), fitted)
        good, bad = (np.full(len(people), one) for one in CREDIT_PRIOR)
        own = _posterior_mean(good, bad, person, agreed, shared, len(people))
        credit = np.clip((own - NO_CREDIT) / (FULL_CREDIT - NO_CREDIT), 0.0, 1.0)
    probability = _sigmoid(total)
    at = np.array([one.at for one in kept])
    first, last = np.full(len(pairs), np.inf), np.full(len(pairs), -np.inf)
    np.minimum.at(first, pair, at)
    np.maximum.at(last, pair, at)
    return Truth(
        [
            Belief(need, paper, float(probability[i]), int(voters[i]), float(first[i]), float(last[i]))
            for i, (need, paper) in enumerate(pairs)
        ],
        {name: float(accuracy[i]) for i, name in enumerate(kinds)},
        {name: float(credit[i]) for i, name in enumerate(people)},
    )


def _strongest(signals: Sequence[PaperSignal], need_of: Mapping[str, int]) -> list[PaperSignal]:
    """One signal a person, paper and need: of the last direction that they took, the most reliable kind."""
    found: dict[tuple[int, str, str], PaperSignal] = {}
    for one in sorted(signals, key=lambda one: one.at):
        if (need := need_of.get(one.text)) is None:
            continue
        key = need, one.paper, one.person
        before = found.get(key)
        weaker = before is not None and before.positive == one.positive and _prior(before.kind) > _prior(one.kind)
        if not weaker:
            found[key] = one
    return list(found.values())


def _unfavoured(kept: Sequence[PaperSignal], need_of: Mapping[str, int]) -> Floats:
    """Less weight for what a person says about a paper that they point to whatever is asked."""
    needs: dict[str, set[int]] = {}
    pointed: dict[tuple[str, str], set[int]] = {}
    for one in kept:
        if one.positive:
            needs.setdefault(one.person, set()).add(need_of[one.text])
            pointed.setdefault((one.person, one.paper), set()).add(need_of[one.text])
    weights = np.ones(len(kept))
    for i, one in enumerate(kept):
        if one.positive and (asked := len(needs[one.person])) >= FAVOURITE_NEEDS:
            share = len(pointed[one.person, one.paper]) / asked
            weights[i] = np.clip(1.0 - (share - FAVOURITE) / FAVOURITE, 0.0, 1.0)
    return weights


def _passed_over(
    kept: Sequence[PaperSignal],
    need_of: Mapping[str, int],
    pairs: Sequence[tuple[int, str]],
    pair_of: Mapping[tuple[int, str], int],
) -> list[NDArray[np.intp]]:
    """For each pair, the people who pointed to other papers for that need, but not to this one."""
    number = {name: i for i, name in enumerate(sorted({one.person for one in kept}))}
    pointing: dict[int, set[int]] = {}
    spoke: list[set[int]] = [set() for _ in pairs]
    for one in kept:
        need = need_of[one.text]
        spoke[pair_of[need, one.paper]].add(number[one.person])
        if one.positive and one.kind not in IMPLICIT:
            pointing.setdefault(need, set()).add(number[one.person])
    return [
        np.array(sorted(pointing.get(need, set()) - by), dtype=np.intp)
        for (need, _), by in zip(pairs, spoke, strict=True)
    ]


def _posterior_mean(
    a: Floats, b: Floats, of: NDArray[np.intp], agreed: Floats, shared: NDArray[np.bool_], count: int
) -> Floats:
    right = np.bincount(of[shared], agreed[shared], count)
    all_of = np.bincount(of[shared], minlength=count)
    return np.asarray((a + right) / (a + b + all_of))


def _rank_class(rank: int | None) -> int:
    if rank is None:
        return 3
    return 0 if rank == 1 else 1 if rank <= 3 else 2


def _prior(kind: str) -> float:
    a, b = PRIORS[kind]
    return a / (a + b)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))
