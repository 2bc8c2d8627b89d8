"""Fit and test ``rag.query.many``: whether several papers are asked for.

    python -m eval.wording            # cross-validate, fit, write the policy's part
    python -m eval.wording --dry-run  # the same without writing

Read are the answerable questions of the gold's ``dev`` split in all phrasings, and ``wording.jsonl``: questions about
other subjects, written for this.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.gold import expand, load_gold
from rag.policy import Logistic, Policy
from rag.policy.policy import DEFAULT
from rag.query.many import FEATURES, features_of

EXAMPLES = Path(__file__).with_name("wording.jsonl")
C = 3.0  # inverse strength of the penalty
Labelled = tuple[str, bool, str]  # question, whether several papers are asked for, need
CUT = 0.35  # probability from which a list is made: a list that shows one paper too many hurts less than a missing one


def labelled() -> list[Labelled]:
    """Phrasings of one need share it."""
    gold = load_gold("dev", ("list", "multi", "single", "fact", "everyday", "false_premise"))
    found = [(item.turns[-1], one.kind in ("list", "multi"), one.id) for one in gold for item in expand(one)]
    records = map(json.loads, EXAMPLES.read_text("utf-8").splitlines())
    return [*found, *((one["question"], one["many"], one["question"]) for one in records)]


def matrix_of(questions: Sequence[Labelled]) -> NDArray[np.float64]:
    """[questions, FEATURES]."""
    return np.array([features_of(text) for text, _, _ in questions])


def cross_validated(questions: Sequence[Labelled]) -> NDArray[np.float64]:
    """Probabilities by models that saw no phrasing of the same need; ten folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    matrix, truth = matrix_of(questions), np.array([many for _, many, _ in questions])
    needs = [need for _, _, need in questions]
    guessed = np.zeros(len(truth))
    for train, held_out in GroupKFold(n_splits=10).split(matrix, truth, needs):
        model = LogisticRegression(C=C, max_iter=5000).fit(matrix[train], truth[train])
        guessed[held_out] = model.predict_proba(matrix[held_out])[:, 1]
    return guessed


def fitted(questions: Sequence[Labelled]) -> Logistic:
    """The model on everything, with the cut moved to 0.5."""
    from sklearn.linear_model import LogisticRegression

    truth = np.array([many for _, many, _ in questions])
    model = LogisticRegression(C=C, max_iter=5000).fit(matrix_of(questions), truth)
    weights = tuple(round(float(weight), 4) for weight in model.coef_[0])
    intercept = round(float(model.intercept_[0]) - math.log(CUT / (1 - CUT)), 4)
    return Logistic(features=FEATURES, weights=weights, intercept=intercept)


def main(arguments: Sequence[str]) -> int:
    """Print precision and recall; write the model."""
    questions = labelled()
    truth = np.array([many for _, many, _ in questions])
    guessed = cross_validated(questions) >= CUT
    own = np.array([need == text for text, _, need in questions])
    for name, rows in (("gold dev", ~own), ("other subjects", own)):
        right, said, asked = (int((one & rows).sum()) for one in (guessed & truth, guessed, truth))
        print(f"{name}: precision {right}/{said} = {right / said:.2f}, recall {right}/{asked} = {right / asked:.2f}")
    if "--dry-run" not in arguments:
        policy = Policy.default()
        understanding = policy.understanding.model_copy(update={"many": fitted(questions)})
        DEFAULT.write_text(policy.with_parts(understanding=understanding).text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
