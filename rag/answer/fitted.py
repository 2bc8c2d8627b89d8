"""The two small models that were fitted on labelled questions: which sentence to quote, and when to abstain.

``python -m eval.fit`` fits them anew and writes ``fitted.json``; it reads development questions only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rag.errors import SettingsError

PATH = Path(__file__).with_name("fitted.json")


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression over named features."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def probabilities(self, rows: ArrayLike) -> NDArray[np.float64]:
        """rows: [n, features]. Returns n values in [0, 1]."""
        logits = np.asarray(rows, dtype=np.float64) @ np.asarray(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60, 60))))


@cache
def load(name: str, features: Sequence[str]) -> Logistic:
    """The fitted model of that name. Raises SettingsError if it was fitted for other features."""
    stored = json.loads(PATH.read_text(encoding="utf-8"))[name]
    if tuple(stored["features"]) != tuple(features):
        raise SettingsError(f"{PATH.name} does not fit this version of Readback ({name}). Run: python -m eval.fit")
    return Logistic(tuple(features), tuple(stored["weights"]), float(stored["intercept"]))


@cache
def threshold(name: str) -> float:
    """The probability that was chosen, with the model, to decide by."""
    return float(json.loads(PATH.read_text(encoding="utf-8"))[name]["threshold"])
