"""Fit the two small models of ``rag/policy/default.json`` on development questions, and say how well they do.

    python -m eval.fit            # fit, cross-validate, write
    python -m eval.fit --dry-run  # the same without writing

Only the ``dev`` split of the gold questions and the ``fit`` half of the natural ones are read. Each need counts once,
however many phrasings it has, and cross-validation keeps the phrasings of one need together.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.gold import GoldQuestion, expand, load_gold, load_natural
from eval.metrics.facts import holds_fact
from rag import prompts
from rag.engine import Assistant
from rag.evidence import answerability, weigh
from rag.policy import Answerability, Logistic, Policy
from rag.policy.policy import DEFAULT
from rag.settings import Settings
from rag.stages import Context, Reader
from rag.types import Hit, Options
from rag.values.evidence import PaperEvidence, Reading
from rag.values.query import Query

EVIDENCE_C, ANSWERABILITY_C = 0.3, 0.03  # inverse strength of the penalty, by cross-validation
RELEVANCE = 0.25  # added to the weights of nearness: the fit alone prefers any result to the one that was asked for
REFUSED = 0.05  # share of the answerable questions that may fall below the lower cut
THRESHOLDS = np.arange(0.3, 0.95, 0.01)  # tried for the decision to abstain


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question in one asker's words."""

    need: str  # id shared by all phrasings
    text: str
    answerable: bool
    gold: tuple[str, ...]  # ids of the papers that answer
    facts: tuple[tuple[str, ...], ...]


def development() -> list[Labelled]:
    """All questions that may be fitted on. False premises are left out: either reply to them is right."""
    kinds = ("single", "fact", "multi", "unanswerable", "out_of_scope")
    natural = [Labelled(one.id, one.question, one.answerable, one.central, one.facts) for one in load_natural("fit")]
    return [*natural, *(one for question in load_gold("dev", kinds) for one in _phrasings(question))]


def _phrasings(question: GoldQuestion) -> list[Labelled]:
    gold = tuple(paper_id for paper_id, grade in question.gold.items() if grade == 2)
    return [
        Labelled(question.id, item.turns[-1], question.answerable, gold, question.facts) for item in expand(question)
    ]


def fit_evidence(assistant: Assistant, questions: Sequence[Labelled]) -> tuple[Logistic, str]:
    """Which sentence of the right paper holds a fact that is asked for."""
    papers: list[PaperEvidence] = []
    needs, labels, owners, rows = [], [], [], []
    asked = [one for one in questions if one.answerable and len(one.gold) == 1 and one.facts]
    for number, one in enumerate(asked):
        (paper,) = assistant.search(one.text, 1, Options(include=frozenset(one.gold)))
        papers.append(paper)
        for sentence in paper.sentences:
            rows.append(sentence.features)
            labels.append(any(holds_fact(sentence.text, fact) for fact in one.facts))
            needs.append(one.need)
            owners.append(number)
    matrix, truth = np.array(rows), np.array(labels)
    nearness = np.array([RELEVANCE * (name in {"cosine_here", "coverage_here"}) for name in weigh.FEATURES])
    guessed = _cross_validate(matrix, truth, needs, EVIDENCE_C)
    guessed = np.log(guessed / (1 - guessed)) + matrix @ nearness
    fitted = _fit(matrix, truth, needs, EVIDENCE_C, weigh.FEATURES)
    weights = tuple(round(float(weight), 6) for weight in fitted.weights + nearness)
    model = Logistic(features=fitted.features, weights=weights, intercept=fitted.intercept)
    report = []
    for top in (1, 2, 3):
        held = []
        for number, one in enumerate(asked):
            mine = np.flatnonzero(np.array(owners) == number)
            chosen = sorted(np.argsort(-guessed[mine], kind="stable")[:top])
            text = " ".join(papers[number].sentences[i].text for i in chosen)
            held.append(np.mean([holds_fact(text, fact) for fact in one.facts]))
        report.append(f"{top}: {np.mean(held):.3f}")
    return (
        model,
        f"evidence, facts held by the best sentences of the right paper ({len(asked)} texts): {', '.join(report)}",
    )


class _Recorder:
    """A reader that keeps the signs of answerability of what it read."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.rows: list[list[float]] = []

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        reading = self._inner.read(query, hits, context)
        self.rows.append(answerability.signs(query, reading.evidence))
        return reading


def signs_of(assistant: Assistant, texts: Sequence[str]) -> NDArray[np.float64]:
    """[texts, FEATURES] of rag.evidence.answerability."""
    recorder = _Recorder(assistant.stages.reader)
    recording = assistant.with_stages(replace(assistant.stages, reader=recorder))
    for text in texts:
        recording.ask(text)
    return np.array(recorder.rows)


def fit_answerability(
    matrix: NDArray[np.float64], questions: Sequence[Labelled], features: Sequence[str]
) -> tuple[Answerability, str]:
    """Whether the collection answers a question, and the cuts. matrix: [questions, FEATURES]. features: used ones."""
    from sklearn.metrics import roc_auc_score

    matrix = matrix[:, [answerability.FEATURES.index(name) for name in features]]
    truth = np.array([one.answerable for one in questions])
    needs = [one.need for one in questions]
    guessed = _cross_validate(matrix, truth, needs, ANSWERABILITY_C)
    model = _fit(matrix, truth, needs, ANSWERABILITY_C, features)
    written = np.array([needs.index(need) == place for place, need in enumerate(needs)])  # the question, not a phrasing
    natural = np.array([need.startswith("natural") for need in needs])

    answerable = [written & natural & truth, written & ~natural & truth, ~written & truth]
    unanswerable = [natural & ~truth, ~natural & ~truth]
    # each kind of question counts the same, and so does each kind of error: the hard ones must not decide alone
    costs = [
        np.mean([np.mean(guessed[group] < one) for group in answerable])
        + np.mean([np.mean(guessed[group] >= one) for group in unanswerable])
        for one in THRESHOLDS
    ]
    cut = float(np.mean(THRESHOLDS[np.array(costs) <= min(costs) + 1e-9]))
    closest = float(np.quantile(guessed[written & truth], REFUSED))
    report = (
        f"answerability by {len(features)} signs ({written.sum()} questions, {(written & ~truth).sum()} unanswerable): "
        f"AUC {roc_auc_score(truth[written], guessed[written]):.3f}; cuts {cut:.3f} and {closest:.3f}: "
        f"answerable refused {np.mean(guessed[written & truth] < closest):.3f}, "
        f"unanswerable answered {np.mean(guessed[written & ~truth] >= cut):.3f}; "
        f"further phrasings refused {np.mean(guessed[~written & truth] < closest):.3f}"
    )
    return Answerability(model=model, answer=round(cut, 4), closest=round(min(closest, cut), 4)), report


def _weights(needs: Sequence[str]) -> NDArray[np.float64]:
    counts = Counter(needs)
    return np.array([1.0 / counts[need] for need in needs]) * len(counts) / len(needs) * np.mean(list(counts.values()))


def _classifier(c: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000))


def _cross_validate(
    matrix: NDArray[np.float64], truth: NDArray[np.bool_], needs: Sequence[str], c: float
) -> NDArray[np.float64]:
    from sklearn.model_selection import GroupKFold

    guessed = np.zeros(len(truth))
    weights = _weights(needs)
    for train, held_out in GroupKFold(n_splits=10).split(matrix, truth, needs):
        model = _classifier(c).fit(matrix[train], truth[train], logisticregression__sample_weight=weights[train])
        guessed[held_out] = model.predict_proba(matrix[held_out])[:, 1]
    return guessed


def _fit(
    matrix: NDArray[np.float64], truth: NDArray[np.bool_], needs: Sequence[str], c: float, features: Sequence[str]
) -> Logistic:
    pipeline = _classifier(c).fit(matrix, truth, logisticregression__sample_weight=_weights(needs))
    scaler, regression = pipeline[0], pipeline[1]
    weights = regression.coef_[0] / scaler.scale_  # standardisation folded into the weights
    intercept = float(regression.intercept_[0] - np.dot(weights, scaler.mean_))
    return Logistic(
        features=tuple(features),
        weights=tuple(round(float(weight), 6) for weight in weights),
        intercept=round(intercept, 6),
    )


def main(arguments: Sequence[str]) -> int:
    """Fit on the shipped corpus and write the default policy."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), mode="extractive")
        with Assistant.open(settings) as assistant:
            questions = development()
            policy = Policy.default()
            evidence, held = fit_evidence(assistant, questions)
            policy = policy.with_parts(evidence=policy.evidence.model_copy(update={"model": evidence}))
            matrix = signs_of(assistant.with_policy(policy), [one.text for one in questions])
            enough, sufficed = fit_answerability(matrix, questions, answerability.FEATURES)
            scale_free = [name for name in answerability.FEATURES if name not in answerability.COSINES]
            without, unfitted = fit_answerability(matrix, questions, scale_free)
            policy = policy.with_parts(answerability=enough, unfitted=without, embedder=assistant.collection.embedder)
    policy = policy.with_parts(writing=policy.writing.model_copy(update={"prompts": prompts.version()}))
    print(held, sufficed, unfitted, f"policy {policy.version}", sep="\n")
    if "--dry-run" not in arguments:
        DEFAULT.write_text(json.dumps(policy.record(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
