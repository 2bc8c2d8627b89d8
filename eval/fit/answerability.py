"""Fitting whether a collection holds an answer, whether it is about such things at all, and the cuts between bands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eval.fit.models import cross_validate, fit, need_weights
from eval.fit.questions import OWN, Labelled
from rag.engine import Assistant
from rag.evidence import answerability
from rag.policy import Answerability, Logistic
from rag.stages import Context, Reader
from rag.types import Hit
from rag.values.evidence import Reading
from rag.values.query import Query

C = 0.1  # inverse strength of the penalty, by cross-validation
SHARES: Mapping[str, float] = MappingProxyType({OWN: 2.0, "contrast": 2.0, "contrast-scifact": 0.7})  # of a collection
OTHERS = 0.2  # ... and of any other one: more costs ours, less does not travel
INVENTED = 0.15  # share of the unanswerable questions of SHARES that may be answered; on unseen ones .20 is the aim
REFUSED = 0.03  # share of the answerable questions that may be refused, in each collection


@dataclass(frozen=True, slots=True)
class Examples:
    """The features of a collection's questions."""

    name: str
    questions: tuple[Labelled, ...]
    rows: NDArray[np.float64]  # [questions, answerability.FEATURES]


class _Recorder:
    """A reader that keeps the features of what it read."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.row: list[float] = []

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        reading = self._inner.read(query, hits, context)
        cut = context.view.collection.pieces
        self.row = answerability.features_of(query, reading.evidence, cut) if reading.evidence else []
        return reading


def examples_of(assistant: Assistant, name: str, questions: Sequence[Labelled]) -> Examples:
    """Ask everything and keep the features; what finds no evidence at all is left out."""
    recorder = _Recorder(assistant.stages.reader)
    recording = assistant.with_stages(replace(assistant.stages, reader=recorder))
    kept, rows = [], []
    for one in questions:
        recorder.row = []
        recording.ask(one.text, options=one.options)
        if recorder.row:
            kept.append(one)
            rows.append(recorder.row)
    return Examples(name, tuple(kept), np.array(rows))


def fit_answerability(sets: Sequence[Examples], without: Collection[str] = ()) -> tuple[Answerability, list[str]]:
    """The models and cuts, and lines that say how well they do, each collection also left out.

    sets: ours first. without: features that are left out.
    """
    features = [name for name in answerability.FEATURES if name not in without]
    field_features = [name for name in answerability.FIELD if name not in without]
    model, answer, report = _fit_model(sets, features)
    field, closest, field_report = _fit_field(sets, field_features)
    fitted = Answerability(model=model, answer=answer, field=field, closest=closest)
    return fitted, [f"answerability by {len(features)} features", *report, *field_report, *_bands(sets, fitted)]


def judged(examples: Examples, fitted: Mapping[str, Answerability]) -> list[str]:
    """Lines that say how well each of these models does on questions that nothing was fitted on."""
    truth = np.array([question.answerable for question in examples.questions])
    lines = []
    for name, one in fitted.items():
        columns = [answerability.FEATURES.index(feature) for feature in one.model.features]
        sure = one.model.probabilities(examples.rows[:, columns])
        lines.append(_line(f"{examples.name}, {name}", truth, sure, np.ones(len(truth)), one.answer))
    return lines


def _fit_model(sets: Sequence[Examples], features: Sequence[str]) -> tuple[Logistic, float, list[str]]:
    rows, truth, needs, weights, names = _stacked(sets, features)
    guessed = cross_validate(rows, truth, needs, weights, C)
    judged = np.isin(names, list(SHARES)) & ~truth
    cut = _quantile(guessed[judged], weights[judged], 1 - INVENTED)
    report = []
    for name in dict.fromkeys(names):
        seen, left = names != name, names == name
        report.append(_line(f"{name}, cross-validated", truth[left], guessed[left], weights[left], cut))
        if seen.any():
            without = fit(rows[seen], truth[seen], weights[seen], C, features).probabilities(rows[left])
            report.append(_line(f"{name}, left out", truth[left], without, weights[left], cut))
    return fit(rows, truth, weights, C, features), round(cut, 4), report


def _fit_field(sets: Sequence[Examples], features: Sequence[str]) -> tuple[Logistic, float, list[str]]:
    """In the field against off topic. Each collection, and each class, weighs the same."""
    sets = [one for one in sets if not all(question.in_field for question in one.questions)]
    columns = [answerability.FEATURES.index(name) for name in features]
    rows = np.concatenate([one.rows[:, columns] for one in sets])
    truth = np.array([question.in_field for one in sets for question in one.questions])
    names = np.array([one.name for one in sets for _ in one.questions])
    weights = np.zeros(len(rows))
    for name in dict.fromkeys(names):
        for value in (True, False):
            group = (names == name) & (truth == value)
            weights[group] = 100.0 / max(group.sum(), 1)
    model = fit(rows, truth, weights, C, features)
    sure = model.probabilities(rows)
    wanted = np.array([question.answerable for one in sets for question in one.questions])
    cut = min(float(np.quantile(sure[wanted & (names == name)], REFUSED)) for name in dict.fromkeys(names))
    report = []
    for name in dict.fromkeys(names):
        seen, left = names != name, names == name
        if not seen.any():
            continue
        guessed = fit(rows[seen], truth[seen], weights[seen], C, features).probabilities(rows[left])
        auc = _auc(truth[left], guessed, weights[left])
        inside, outside = (np.mean(sure[left & (truth == value)] < cut) for value in (True, False))
        report.append(
            f"  about it, {name} left out: AUC {auc:.3f}; refused in the field {inside:.3f}, off it {outside:.3f}"
        )
    return model, round(cut, 4), report


def _stacked(
    sets: Sequence[Examples], features: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str], NDArray[np.float64], NDArray[np.str_]]:
    """Rows, answerable or not, needs, weights and collections of all questions in the field.

    Both classes of a collection weigh the same.
    """
    columns = [answerability.FEATURES.index(name) for name in features]
    rows, truth, needs, weights, names = [], [], [], [], []
    for one in sets:
        inside = [place for place, question in enumerate(one.questions) if question.in_field]
        mine = [one.questions[place] for place in inside]
        labels = np.array([question.answerable for question in mine])
        counted = need_weights([f"{question.need} {question.answerable}" for question in mine])
        for value in (True, False):
            counted[labels == value] *= 100 * SHARES.get(one.name, OTHERS) / max(counted[labels == value].sum(), 1e-9)
        rows.append(one.rows[np.ix_(inside, columns)])
        truth.append(labels)
        needs += [f"{one.name}:{question.need}" for question in mine]
        weights.append(counted)
        names += [one.name] * len(mine)
    return np.concatenate(rows), np.concatenate(truth), needs, np.concatenate(weights), np.array(names)


def _bands(sets: Sequence[Examples], fitted: Answerability) -> list[str]:
    """Shares of answered, closest and refused in each collection and class, by the fitted models themselves."""
    lines = []
    for one in sets:
        answer, field = (
            model.probabilities(one.rows[:, [answerability.FEATURES.index(name) for name in model.features]])
            for model in (fitted.model, fitted.field)
        )
        verdicts = np.array(
            [answerability.decide(sure, about, fitted) for sure, about in zip(answer, field, strict=True)]
        )
        classes = {
            "answerable": [question.answerable for question in one.questions],
            "unanswerable": [question.in_field and not question.answerable for question in one.questions],
            "off topic": [not question.in_field for question in one.questions],
        }
        for label, members in classes.items():
            if any(members):
                chosen = verdicts[np.array(members)]
                shares = " / ".join(f"{np.mean(chosen == band):.2f}" for band in ("answered", "closest", "refused"))
                lines.append(f"  {one.name}, {label} ({len(chosen)}): answered / closest / refused {shares}")
    return lines


def _line(
    name: str, truth: NDArray[np.bool_], guessed: NDArray[np.float64], weights: NDArray[np.float64], cut: float
) -> str:
    answered, invented = (
        np.average(guessed[truth == value] >= cut, weights=weights[truth == value]) for value in (1, 0)
    )
    return (
        f"  {name} ({truth.sum()} and {(~truth).sum()}): AUC {_auc(truth, guessed, weights):.3f}; "
        f"answered at {cut:.3f}: {answered:.3f} of the answerable, {invented:.3f} of the others"
    )


def _auc(truth: NDArray[np.bool_], guessed: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, guessed, sample_weight=weights)) if 0 < truth.sum() < len(truth) else float("nan")


def _quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    """The least value that at least this share of the weight lies at or below."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, share)]) + 1e-6
