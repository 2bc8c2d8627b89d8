"""Fit the two small models of ``rag/answer/fitted.json`` on development questions, and say how well they do.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.gold import GoldQuestion, expand, load_gold
from eval.metrics.facts import holds_fact
from eval.natural import load_natural
from rag.answer import evidence, sufficiency
from rag.answer.evidence import PaperEvidence
from rag.answer.fitted import PATH, Logistic
from rag.corpus import read
from rag.finder import Finder
from rag.question import Question
from rag.settings import Settings, shipped_corpus
from rag.types import Hit, Options, Passage

SELECTION_C, SUFFICIENCY_C = 0.3, 0.03  # inverse strength of the penalty, by cross-validation
RELEVANCE = 0.25  # added to the weights of nearness: the fit alone prefers any result to the one that was asked for
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
    natural = [Labelled(one.id, one.text, one.answerable, one.central, one.facts) for one in load_natural("fit")]
    return [*natural, *(one for question in load_gold("dev", kinds) for one in _phrasings(question))]


def _phrasings(question: GoldQuestion) -> list[Labelled]:
    gold = tuple(paper_id for paper_id, grade in question.gold.items() if grade == 2)
    return [
        Labelled(question.id, item.turns[-1], question.answerable, gold, question.facts) for item in expand(question)
    ]


def fit_selection(finder: Finder, questions: Sequence[Labelled]) -> tuple[Logistic, str]:
    """Which sentence of the right paper holds a fact that is asked for."""
    blank = Logistic(evidence.FEATURES, (0.0,) * len(evidence.FEATURES), 0.0)
    papers: list[PaperEvidence] = []
    needs, labels, owners, rows = [], [], [], []
    asked = [one for one in questions if one.answerable and len(one.gold) == 1 and one.facts]
    for number, one in enumerate(asked):
        paper = evidence.gather(finder.analyse(one.text, one.text), [_hit(one.gold[0])], finder.catalog, blank)[0]
        papers.append(paper)
        for sentence in paper.sentences:
            rows.append(sentence.features)
            labels.append(any(holds_fact(sentence.text, fact) for fact in one.facts))
            needs.append(one.need)
            owners.append(number)
    matrix, truth = np.array(rows), np.array(labels)
    nearness = np.array([RELEVANCE * (name in {"cosine_here", "coverage_here"}) for name in evidence.FEATURES])
    guessed = _cross_validate(matrix, truth, needs, SELECTION_C)
    guessed = np.log(guessed / (1 - guessed)) + matrix @ nearness
    fitted = _fit(matrix, truth, needs, SELECTION_C, evidence.FEATURES)
    weights = tuple(round(float(weight), 6) for weight in fitted.weights + nearness)
    model = Logistic(fitted.features, weights, fitted.intercept)
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
        f"selection, facts held by the best sentences of the right paper ({len(asked)} texts): {', '.join(report)}",
    )


def fit_sufficiency(finder: Finder, questions: Sequence[Labelled], selection: Logistic) -> tuple[Logistic, float, str]:
    """Whether the collection answers a question, and the threshold below which to abstain."""
    from sklearn.metrics import roc_auc_score

    rows = [_signs(finder, finder.analyse(one.text, one.text), selection) for one in questions]
    matrix, truth = np.array(rows), np.array([one.answerable for one in questions])
    needs = [one.need for one in questions]
    guessed = _cross_validate(matrix, truth, needs, SUFFICIENCY_C)
    model = _fit(matrix, truth, needs, SUFFICIENCY_C, sufficiency.FEATURES)
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
    threshold = float(np.mean(THRESHOLDS[np.array(costs) <= min(costs) + 1e-9]))
    invented = float(np.mean(guessed[written & ~truth] >= threshold))
    report = (
        f"sufficiency ({written.sum()} questions, {(written & ~truth).sum()} unanswerable): "
        f"AUC {roc_auc_score(truth[written], guessed[written]):.3f}; at threshold {threshold:.3f} "
        f"refused {np.mean(guessed[written & truth] < threshold):.3f}, invented {invented:.3f}; "
        f"further phrasings refused {np.mean(guessed[~written & truth] < threshold):.3f}"
    )
    return model, threshold, report


def _signs(finder: Finder, question: Question, selection: Logistic) -> list[float]:
    hits = finder.find(question, 10, Options())
    return sufficiency.signs(question, evidence.gather(question, hits, finder.catalog, selection))


def _hit(paper_id: str) -> Hit:
    return Hit(Passage(paper_id, "", 0, ""), 1.0)


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
    return Logistic(tuple(features), tuple(round(float(weight), 6) for weight in weights), round(intercept, 6))


def main(arguments: Sequence[str]) -> int:
    """Fit both models on the shipped corpus and write them."""
    with tempfile.TemporaryDirectory() as folder:
        finder = Finder.open(Settings(data_dir=Path(folder)))
        finder.index.update(read(shipped_corpus()).papers)
        questions = development()
        selection, selected = fit_selection(finder, questions)
        enough, threshold, sufficed = fit_sufficiency(finder, questions, selection)
        finder.close()
    print(selected)
    print(sufficed)
    if "--dry-run" not in arguments:
        stored = {
            "selection": _stored(selection),
            "sufficiency": {**_stored(enough), "threshold": round(threshold, 4)},
        }
        PATH.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {PATH.name}")
    return 0


def _stored(model: Logistic) -> dict[str, object]:
    return {"features": list(model.features), "weights": list(model.weights), "intercept": model.intercept}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
