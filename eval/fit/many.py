"""Fitting whether several papers are asked for (``rag.query.many``).

Read are the answerable questions of the gold's ``dev`` split in all phrasings, and ``many.jsonl``: questions about
other subjects, written for this.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.fit.models import cross_validate, fit
from eval.gold import expand, load_gold
from rag.policy import Logistic
from rag.query.many import FEATURES, features_of

EXAMPLES = Path(__file__).with_name("many.jsonl")
C = 1.0  # inverse strength of the penalty, by cross-validation
CUT = 0.35  # probability from which a list is made: a list that shows one paper too many hurts less than a missing one


@dataclass(frozen=True, slots=True)
class Wordings:
    """Questions as they were asked. Phrasings of one need share it."""

    rows: NDArray[np.float64]  # [questions, FEATURES]
    truth: NDArray[np.bool_]  # whether several papers are asked for
    needs: tuple[str, ...]
    gold: NDArray[np.bool_]  # whether it is one of ours

    @classmethod
    def read(cls) -> Wordings:
        """Those that may be fitted on."""
        ours = load_gold("dev", ("list", "multi", "single", "fact", "everyday", "false_premise"))
        found = [(item.turns[-1], one.kind in ("list", "multi"), one.id) for one in ours for item in expand(one)]
        others = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]
        texts = [*(text for text, *_ in found), *(one["question"] for one in others)]
        return cls(
            np.array([features_of(text) for text in texts]),
            np.array([*(many for _, many, _ in found), *(one["many"] for one in others)]),
            (*(need for *_, need in found), *(one["question"] for one in others)),
            np.arange(len(texts)) < len(found),
        )

    def held_out(self) -> NDArray[np.bool_]:
        """What models say that saw no phrasing of the same need."""
        return cross_validate(self.rows, self.truth, self.needs, np.ones(len(self.truth)), C) >= CUT

    def fitted(self) -> Logistic:
        """The model on everything, with the cut moved to .5."""
        model = fit(self.rows, self.truth, np.ones(len(self.truth)), C, FEATURES)
        return model.model_copy(update={"intercept": round(model.intercept - math.log(CUT / (1 - CUT)), 6)})


def fit_many() -> tuple[Logistic, list[str]]:
    """The model, and lines that say how well it does where it was not fitted."""
    wordings = Wordings.read()
    said, report = wordings.held_out(), ["whether several papers are asked for, cross-validated"]
    for name, rows in (("gold dev", wordings.gold), ("other subjects", ~wordings.gold)):
        right, told, asked = (int((one & rows).sum()) for one in (said & wordings.truth, said, wordings.truth))
        report.append(
            f"  {name}: precision {right}/{told} = {right / told:.2f}, recall {right}/{asked} = {right / asked:.2f}"
        )
    return wordings.fitted(), report
