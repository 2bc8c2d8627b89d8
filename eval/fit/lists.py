"""Fitting which of the papers that were read belong on a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from eval.fit.models import cross_validate, fit
from eval.gold import GoldQuestion, load_gold, load_natural
from eval.metrics.citation import cited_precision, cited_recall
from rag.answer.lists import FEATURES, features_of, likeliest
from rag.engine import Assistant
from rag.policy import Logistic
from rag.stages import Context, Reader
from rag.types import Hit
from rag.values.evidence import Reading
from rag.values.query import Query

C = 0.2  # inverse strength of the penalty, by cross-validation
LISTS = ("multi", "list")


@dataclass(frozen=True, slots=True)
class Candidates:
    """A question for several papers, and the papers that were read for it, best first."""

    question: GoldQuestion
    papers: tuple[str, ...]
    rows: tuple[list[float], ...]  # of each paper, FEATURES

    def f1(self, places: Sequence[int]) -> float:
        """Of a list of these papers."""
        shown = [self.papers[place] for place in places]
        precision, found = cited_precision(shown, self.question.gold), cited_recall(shown, self.question.gold)
        return 2 * precision * found / (precision + found) if precision and found else 0.0


class _Recorder:
    """A reader that keeps what it read."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.read_last: tuple[Query, Reading] | None = None

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        reading = self._inner.read(query, hits, context)
        self.read_last = query, reading
        return reading


def candidates(assistant: Assistant) -> list[Candidates]:
    """The development questions for several papers that are recognised as such."""
    recorder = _Recorder(assistant.stages.reader)
    recording = assistant.with_stages(replace(assistant.stages, reader=recorder))
    found = []
    natural = [one for one in load_natural("fit") if one.kind in LISTS]
    for one in (*natural, *load_gold("dev", LISTS)):
        recording.search(one.question, assistant.policy().evidence.papers)
        if recorder.read_last is None:
            continue
        query, reading = recorder.read_last
        if query.wants_many and not query.sides and reading.evidence:
            papers = tuple(paper.paper.id for paper in reading.evidence)
            found.append(Candidates(one, papers, tuple(features_of(query, reading.evidence))))
    return found


def fit_lists(lists: Sequence[Candidates], most: int) -> tuple[Logistic, str]:
    """The model, and a line that says how well lists do that it has not seen. most: papers on a list."""
    rows = np.array([row for one in lists for row in one.rows])
    truth = np.array([paper in one.question.gold for one in lists for paper in one.papers])
    owners = [one.question.id for one in lists for _ in one.papers]
    guessed = cross_validate(rows, truth, owners, np.ones(len(truth)), C)
    held = [one.f1(likeliest(guessed[np.array(owners) == one.question.id], most)) for one in lists]
    report = f"lists, cross-validated ({len(lists)}): F1 {fmean(held):.3f}"
    return fit(rows, truth, np.ones(len(truth)), C, FEATURES), report
