"""Logistic regression over named features, cross-validated so that the phrasings of one need stay together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.policy import Logistic

FOLDS = 10


def need_weights(needs: Sequence[str]) -> NDArray[np.float64]:
    """Weights by which each need counts once, however many phrasings it has; their sum is the number of needs."""
    counts = Counter(needs)
    return np.array([1.0 / counts[need] for need in needs])


def fit(
    rows: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64], c: float, features: Sequence[str]
) -> Logistic:
    """rows: [n, features]. c: inverse strength of the penalty on standardised features."""
    pipeline = _classifier(c).fit(rows, truth, logisticregression__sample_weight=weights)
    scaler, regression = pipeline[0], pipeline[1]
    folded = regression.coef_[0] / scaler.scale_  # standardisation folded into the weights
    intercept = float(regression.intercept_[0] - np.dot(folded, scaler.mean_))
    return Logistic(
        features=tuple(features),
        weights=tuple(round(float(weight), 6) for weight in folded),
        intercept=round(intercept, 6),
    )


def cross_validate(
    rows: NDArray[np.float64],
    truth: NDArray[np.bool_],
    needs: Sequence[str],
    weights: NDArray[np.float64],
    c: float,
) -> NDArray[np.float64]:
    """The probability of each row by a model that saw no phrasing of its need."""
    from sklearn.model_selection import GroupKFold

    guessed = np.full(len(truth), np.nan)
    for seen, held_out in GroupKFold(n_splits=FOLDS).split(rows, groups=needs):
        model = _classifier(c).fit(rows[seen], truth[seen], logisticregression__sample_weight=weights[seen])
        guessed[held_out] = model.predict_proba(rows[held_out])[:, 1]
    return guessed


def _classifier(c: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000))
