"""Fitting which sentence of the right paper holds a fact that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.fit.models import cross_validate, fit, need_weights
from eval.fit.questions import Labelled
from eval.metrics.facts import holds_fact
from rag.engine import Assistant
from rag.evidence import weigh
from rag.policy import Logistic
from rag.types import Options
from rag.values.evidence import PaperEvidence

C = 0.3  # inverse strength of the penalty, by cross-validation
# Added to what was fitted. The fit alone prefers any result to the one that was asked for, and does not know that
# whoever asks for a number wants to see one first.
LEANINGS = {"cosine_here": 0.15, "coverage_here": 0.15, "number_asked": 0.8}


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
    matrix, truth, weights = np.array(rows), np.array(labels), need_weights(needs)
    leaning = np.array([LEANINGS.get(name, 0.0) for name in weigh.FEATURES])
    guessed = cross_validate(matrix, truth, needs, weights, C)
    guessed = np.log(guessed / (1 - guessed)) + matrix @ leaning
    fitted = fit(matrix, truth, weights, C, weigh.FEATURES)
    leant = tuple(round(float(weight), 6) for weight in fitted.weights + leaning)
    model = Logistic(features=fitted.features, weights=leant, intercept=fitted.intercept)
    report, led = [], []
    for top in (1, 2, 3):
        held = []
        for number, one in enumerate(asked):
            mine = np.flatnonzero(np.array(owners) == number)
            chosen = sorted(np.argsort(-guessed[mine], kind="stable")[:top])
            text = " ".join(papers[number].sentences[i].text for i in chosen)
            found = [holds_fact(text, fact) for fact in one.facts]
            held.append(np.mean(found))
            if top == 1:
                led.append(any(found))
        report.append(f"{top}: {np.mean(held):.3f}")
    return (
        model,
        f"evidence, facts held by the best sentences of the right paper ({len(asked)} texts): {', '.join(report)}; "
        f"one of them in the first {np.mean(led):.3f}",
    )
