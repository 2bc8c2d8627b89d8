"""Verdicts of a judge and labels of people on stored runs, and what both together say.

What people say is what counts; the judge's verdicts on further questions make it more precise, whatever the judge is
worth (``eval.lab.ppi``). People label questions in random order, which is what makes their few labels speak for the
others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256

from eval.compare import Side
from eval.gold import GoldQuestion
from eval.lab.judge import Case, grade, win
from eval.lab.ppi import Estimate, estimate_mean
from eval.results import ESTIMATES, Run
from rag.errors import ProviderError
from rag.ports import ChatModel
from rag.types import Answer, Paper

LABELS, JUDGED = "labels.jsonl", "judged.jsonl"
AT_ONCE = 4  # verdicts in the air
ALONE = ""  # against nobody: is this reply right?


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked about one run: is it right, or, against another one, is it better?"""

    side: Side
    against: Side | None = None

    @property
    def name(self) -> str:
        """What distinguishes it among the labels of a run; also for people."""
        return f"{self.side.system}, win over {self.against}" if self.against else f"{self.side.system}, right"

    @property
    def run(self) -> Run:
        """Where verdicts and labels are kept."""
        return self.side.run

    def pairs(self) -> dict[str, tuple[Answer, Answer | None]]:
        """Question id → the reply and its rival's, in an order left to chance, but the same every time."""
        mine = _answers(self.side)
        theirs = _answers(self.against) if self.against else {}
        both = [one for one in mine if not self.against or one in theirs]
        both.sort(key=lambda one: sha256(f"{self.run.id} {one}".encode()).digest())
        return {one: (mine[one], theirs.get(one)) for one in both}


@dataclass(frozen=True, slots=True)
class Found:
    """One label or verdict: in [0, 1], of one question of one task."""

    task: str
    question_id: str
    value: float
    by: str  # who labelled, or the judge's model


def read(run: Run, name: str, task: Task) -> dict[str, float]:
    """Question id → value, of LABELS or JUDGED; the newest one of each question."""
    found = [Found(**line) for line in run.lines(name)]
    return {one.question_id: one.value for one in found if one.task == task.name}


def keep(run: Run, name: str, found: Found) -> None:
    """Append one; it is on disk when this returns."""
    with (run.folder / name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(found), ensure_ascii=False) + "\n")


def judge(
    task: Task,
    model: ChatModel,
    cases: Mapping[str, Case],
    *,
    limit: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[int, list[str]]:
    """Judge what this task has not judged yet, at most `limit` (0: all). Returns how many, and what went wrong."""
    known = read(task.run, JUDGED, task)
    todo = [(one, pair) for one, pair in task.pairs().items() if one in cases and one not in known]
    todo = todo[:limit] if limit else todo
    done, errors = 0, []

    def verdict(entry: tuple[str, tuple[Answer, Answer | None]]) -> tuple[str, float | ProviderError]:
        question, (mine, theirs) = entry
        try:
            if theirs is None:
                return question, grade(model, cases[question], mine).correctness
            return question, win(model, cases[question], theirs, mine)
        except ProviderError as error:
            return question, error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for question, value in pool.map(verdict, todo):
            progress(1)
            if isinstance(value, ProviderError):
                errors.append(f"{question}: {value}")
            else:
                keep(task.run, JUDGED, Found(task.name, question, value, model.name))
                done += 1
    return done, errors


def estimate(task: Task) -> Estimate | None:
    """What people would say on average about all questions; None with fewer than two labels."""
    labels, judged = read(task.run, LABELS, task), read(task.run, JUDGED, task)
    both = [one for one in labels if one in judged]
    if len(both) < 2:  # the judge has not seen what people have
        return estimate_mean(list(labels.values()), [0.0] * len(labels), []) if len(labels) > 1 else None
    alone = [value for one, value in judged.items() if one not in labels]
    return estimate_mean([labels[one] for one in both], [judged[one] for one in both], alone)


def store(task: Task, found: Estimate) -> None:
    """Keep an estimate for the report, in the place of an earlier one."""
    line = {
        "what": task.name,
        "value": found.value,
        "low": found.interval.low,
        "high": found.interval.high,
        "labels": found.labels,
        "verdicts": found.verdicts,
        "saved": found.labels_saved,
    }
    kept = [one for one in task.run.lines(ESTIMATES) if one["what"] != task.name]
    task.run.put(ESTIMATES, "".join(json.dumps(one) + "\n" for one in [*kept, line]))


def said(found: Estimate) -> str:
    """An estimate in words."""
    text = f"{found.value:.3f} [{found.interval.low:.3f}, {found.interval.high:.3f}] by {found.labels} labels"
    if found.weight:
        saved = "very many" if found.labels_saved > 10_000 else f"{found.labels_saved:.0f}"
        text += f" and {found.verdicts} verdicts of the judge alone, which saved {saved} labels"
    return text


def cases(questions: Sequence[GoldQuestion], papers: Mapping[str, Paper]) -> dict[str, Case]:
    """What a judge or a person is shown with each question."""
    return {
        one.id: Case(one, tuple(papers[paper] for paper in (one.gold or one.near) if paper in papers))
        for one in questions
    }


def _answers(side: Side) -> dict[str, Answer]:
    rows = [row for row in side.run.rows() if row.system == side.system and row.asker is None]
    return {row.question_id: row.answer for row in rows if row.answer}


def unlabelled(task: Task, known: Mapping[str, Case]) -> Iterator[tuple[str, Answer, Answer | None]]:
    """What people have not labelled yet, in the task's order."""
    done = read(task.run, LABELS, task)
    for question, (mine, theirs) in task.pairs().items():
        if question in known and question not in done:
            yield question, mine, theirs
