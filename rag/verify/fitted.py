"""The verifier's fitted numbers. ``python -m eval.lab.fit_verify`` fits them and writes ``fitted.json``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import Field

from rag.policy.policy import Logistic, Part
from rag.verify.features import FEATURES

FAITHFUL = 0.5  # exponent; on training claims .5 told SUPPORT from NOT_ENOUGH_INFO with AUC .887, 1 with .871
PATH = Path(__file__).with_name("fitted.json")


class Fitted(Part):
    """Two logistic models over FEATURES, and two cuts on the weighted product of their probabilities.

    A claim is supported if the quotes are about it and do not say something else; the two are learned from different
    errors, and what tells one says little about the other.
    """

    about: Logistic
    faithful: Logistic
    contradicted: float = Field(ge=0, le=1)  # support below which a claim fails
    verified: float = Field(ge=0, le=1)  # support from which it stands

    def support(self, row: Sequence[float]) -> float:
        """How surely the quotes say what the row describes, in [0, 1]."""
        return float(self.about.probabilities([row])[0] * self.faithful.probabilities([row])[0] ** FAITHFUL)


@cache
def shipped() -> Fitted:
    """The numbers that come with this version. Raises SettingsError if they are for other features."""
    found = Fitted.model_validate_json(PATH.read_bytes())
    found.about.of(FEATURES)
    found.faithful.of(FEATURES)
    return found
