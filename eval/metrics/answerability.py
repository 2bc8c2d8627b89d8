"""Knowing when to say nothing: both errors of abstaining, risk against coverage, and calibration.

Each function takes one entry per question. The order of the questions never matters, nor how ties in confidence
happen to be sorted. Raises ValueError where a measure has nothing to be measured on, or lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def abstention_f1(answerable: Sequence[bool], abstained: Sequence[bool]) -> float:
    """F1 of abstaining as the detection of unanswerable questions, in [0, 1]; 0 if no abstention was right.

    A system that never answers does not score zero here: read it beside the false refusals. Raises ValueError if no
    question is unanswerable. Source: van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    _check(answerable, abstained)
    unanswerable = sum(not flag for flag in answerable)
    if not unanswerable:
        raise ValueError("no question is unanswerable")
    right = sum(silent and not flag for flag, silent in zip(answerable, abstained, strict=True))
    return 2 * right / (unanswerable + sum(abstained))


def risk_coverage(confidence: Sequence[float], loss: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The (coverage, risk) curve: for i = 1..n, (i / n, mean loss of the i most confident), both in [0, 1].

    loss: in [0, 1], 0 for right. Questions of equal confidence enter at their mean loss, which is the expectation over
    the order of ties. A question that got no answer belongs in with loss 1 and the lowest confidence.
    Source: El-Yaniv and Wiener 2010, On the Foundations of Noise-free Selective Classification, JMLR 11.
    """
    sure, lost = _arrays(confidence, loss)
    order = np.argsort(-sure, kind="stable")
    risks = np.cumsum(_mean_over_ties(sure[order], lost[order])) / np.arange(1, len(sure) + 1)
    return tuple((float((rank + 1) / len(sure)), float(risk)) for rank, risk in enumerate(risks))


def aurc(confidence: Sequence[float], loss: Sequence[float]) -> float:
    """Area under the risk-coverage curve: the mean of its risks, in [0, 1]; lower is better.

    A confidence that says nothing gets the mean loss. Source: Geifman, Uziel and El-Yaniv 2019, Bias-Reduced
    Uncertainty Estimation for Deep Neural Classifiers, arXiv:1805.08206.
    """
    return float(np.mean([risk for _, risk in risk_coverage(confidence, loss)]))


def excess_aurc(confidence: Sequence[float], loss: Sequence[float]) -> float:
    """AURC above that of the best possible order of the same losses (E-AURC), in [0, 1]; lower is better.

    It judges the confidence apart from the answers. Source: Geifman, Uziel and El-Yaniv 2019, arXiv:1805.08206.
    """
    best = aurc([-value for value in loss], loss)
    return max(0.0, aurc(confidence, loss) - best)


def calibration_error(confidence: Sequence[float], correct: Sequence[float], *, bins: int = 10) -> float:
    """Expected calibration error with bins of equal mass, in [0, 1]; lower is better.

    The questions, sorted by confidence, are cut into as many as `bins` parts that differ by one at most; the result is
    the mean over questions of |mean confidence - mean correctness| of their part. confidence, correct: in [0, 1];
    questions of equal confidence enter at their mean correctness. It is biased upwards on few questions: compare
    systems on the same ones only. Sources: Naeini, Cooper and Hauskrecht 2015 (ECE); Nguyen and O'Connor 2015,
    arXiv:1508.05154 (equal mass).
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    sure, right = _arrays(confidence, correct)
    if sure.min() < 0 or sure.max() > 1:
        raise ValueError("a confidence must be in [0, 1] to be calibrated")
    order = np.argsort(sure, kind="stable")
    sure, right = sure[order], _mean_over_ties(sure[order], right[order])
    gaps = np.array_split(sure - right, min(bins, len(sure)))
    return float(sum(abs(gap.sum()) for gap in gaps) / len(sure))


def _check(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} entries against {len(second)}")


def _arrays(confidence: Sequence[float], score: Sequence[float]) -> tuple[Floats, Floats]:
    _check(confidence, score)
    sure, scores = np.asarray(confidence, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if not len(sure):
        raise ValueError("no question to measure on")
    if np.isnan(sure).any() or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("confidences must be numbers, losses and correctness in [0, 1]")
    return sure, scores


def _mean_over_ties(keys: Floats, values: Floats) -> Floats:
    """Each value replaced by the mean over its run of equal keys; keys are sorted."""
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    return np.repeat(np.add.reduceat(values, starts) / sizes, sizes)
