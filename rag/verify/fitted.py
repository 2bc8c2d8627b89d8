"""The verifier's fitted numbers. ``python -m eval.lab.fit_verify`` fits them and writes ``fitted.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from rag.errors import SettingsError
from rag.verify.features import FEATURES

PATH = Path(__file__).with_name("fitted.json")


@dataclass(frozen=True, slots=True)
class Fitted:
    """Logistic regression over FEATURES, and two cuts on the probability that it gives."""

    weights: tuple[float, ...]
    intercept: float
    contradicted: float  # support below which a claim fails
    verified: float  # support from which it stands

    def support(self, row: Sequence[float]) -> float:
        """Probability that the quotes say what the row describes, in [0, 1]."""
        logit = float(np.dot(np.asarray(row), np.asarray(self.weights))) + self.intercept
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60, 60))))


@cache
def shipped() -> Fitted:
    """The numbers that come with this version. Raises SettingsError if they are for other features."""
    stored = json.loads(PATH.read_text(encoding="utf-8"))
    if stored["features"] != list(FEATURES):
        raise SettingsError(f"{PATH.name} does not fit this version of Readback. Run: python -m eval.lab.fit_verify")
    return Fitted(tuple(stored["weights"]), stored["intercept"], stored["contradicted"], stored["verified"])
