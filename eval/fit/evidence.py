"""Fitting which sentence of the right paper answers: it holds an asked-for fact, or its author pointed at it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.fit.models import cross_validate, fit, need_weights
from eval.fit.questions import Labelled
from eval.metrics.facts import holds_fact
from rag.engine import Assistant
from rag.evidence import weigh
from rag.policy import Logistic
from rag.types import Options
from rag.values.evidence import SentenceEvidence

C = 0.1  # inverse strength of the penalty, by cross-validation
# Added to the fitted weight: whoever asks for a number wants to see one first. In cross-validation, an answering
# sentence is then first for .86 of such questions, against .81.
NUMBER_ASKED = 1.2
POINTED = 0.75  # what all questions weigh whose sentences were pointed at, beside those with facts


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question with the sentences of the paper that answers it."""

    question: Labelled
    sentences: tuple[SentenceEvidence, ...]

    @property
    def right(self) -> list[bool]:
        """Of each sentence, whether it answers."""
        if self.question.sentences:
            return [one.index in self.question.sentences for one in self.sentences]
        return [any(holds_fact(one.text, fact) for fact in self.question.facts) for one in self.sentences]

    @property
    def rows(self) -> list[tuple[float, ...]]:
        """Of each sentence, weigh.FEATURES."""
        return [one.features for one in self.sentences]


def weighed(assistant: Assistant, questions: Sequence[Labelled]) -> list[Weighed]:
    """The questions that one paper answers, asked of that paper alone."""
    asked = [one for one in questions if one.answerable and len(one.gold) == 1 and (one.facts or one.sentences)]
    policy = assistant.policy()  # its model may be over other features than those that are to be fitted
    blank = Logistic(features=weigh.FEATURES, weights=(0.0,) * len(weigh.FEATURES), intercept=0.0)
    assistant = assistant.with_policy(policy.with_parts(evidence=policy.evidence.model_copy(update={"model": blank})))
    found = [(one, assistant.search(one.text, 1, Options(include=frozenset(one.gold)))) for one in asked]
    return [Weighed(one, papers[0].sentences) for one, papers in found]


def chosen(examples: Sequence[Weighed], fitted: Mapping[str, Logistic]) -> list[str]:
    """Lines that say how often each of these models puts an answering sentence first."""
    lines = []
    for name, model in fitted.items():
        columns = [weigh.FEATURES.index(feature) for feature in model.features]
        scores = [_scores(one, model.probabilities(np.array(one.rows)[:, columns])) for one in examples]
        first, held = np.mean(scores, axis=0)
        lines.append(f"  sentences, {name} ({len(examples)}): first {first:.3f}; among three {held:.3f}")
    return lines


def fit_evidence(examples: Sequence[Weighed], without: Collection[str] = ()) -> tuple[Logistic, list[str]]:
    """The model, and lines that say how well it does for papers that it has not seen. without: features left out."""
    features = [name for name in weigh.FEATURES if name not in without]
    rows, truth, weights, owners = _stacked(examples)
    papers = [examples[owner].question.gold[0] for owner in owners]
    rows = rows[:, [weigh.FEATURES.index(name) for name in features]]
    leaning = np.array([NUMBER_ASKED * (name == "number_asked") for name in features])
    guessed = cross_validate(rows, truth, papers, weights, C)
    guessed = np.log(guessed / (1 - guessed)) + rows @ leaning
    report = ["evidence, in the right paper: an answer is the first sentence; share of the facts in the first three"]
    for name, pointed in (("with facts", False), ("with sentences pointed at", True)):
        mine = [number for number, one in enumerate(examples) if bool(one.question.sentences) == pointed]
        if mine:
            scores = np.array([_scores(examples[number], guessed[owners == number]) for number in mine])
            first, held = scores.mean(axis=0)
            report.append(f"  {name} ({len(mine)}): {first:.3f}; {held:.3f}")
    model = fit(rows, truth, weights, C, features)
    leant = tuple(round(float(weight), 6) for weight in model.weights + leaning)
    return model.model_copy(update={"weights": leant}), report


def _stacked(
    examples: Sequence[Weighed],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Rows, whether each answers, weights, and which example each is of."""
    counted = need_weights([one.question.need if one.question.facts else one.question.text for one in examples])
    pointed = np.array([bool(one.question.sentences) for one in examples])
    counted[pointed] *= POINTED * counted[~pointed].sum() / max(counted[pointed].sum(), 1e-9)
    owners = np.concatenate([[number] * len(one.sentences) for number, one in enumerate(examples)]).astype(np.int64)
    rows = np.array([row for one in examples for row in one.rows])
    return rows, np.concatenate([one.right for one in examples]), counted[owners], owners


def _scores(one: Weighed, guessed: NDArray[np.float64]) -> tuple[float, float]:
    """(whether the likeliest sentence answers, share of the facts, or of the sentences, that the first three hold)."""
    order = np.argsort(-guessed, kind="stable")[:3]
    right = one.right
    if one.question.sentences:
        held = sum(right[place] for place in order) / min(3, sum(right))
    else:
        text = " ".join(one.sentences[place].text for place in sorted(order))
        held = float(np.mean([holds_fact(text, fact) for fact in one.question.facts]))
    return float(right[order[0]]), held
