"""Tables of parts of a run: decisions by class of question, follow-ups, and every kind and style by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from eval.graded import Graded
from eval.measures import BY_NAME
from eval.metrics.decision import Class, Verdict, decision_cost
from eval.metrics.retrieval import CENTRAL

Rows = list[Sequence[str]]
CLASSES: tuple[Class, ...] = ("answerable", "in the field", "off topic")
VERDICTS: tuple[Verdict, ...] = ("answered", "closest", "refused")
SHOWN = ("decision_cost", "right", "recall@1", "recall@5", "coverage@90", "first_sentence", "false_refusals",
         "false_answers", "list_f1", "length")  # fmt: skip
SWITCH = ("topic switch", "topic change")  # how the note of a conversation begins whose last turn leaves its topic


def slices(graded: Sequence[Graded]) -> dict[str, Rows]:
    """Title → rows of all tables; the first row is the heading. graded: replies of one system."""
    written = [one for one in graded if one.asker is None]
    tables = {"Decisions": decisions(written), "Follow-ups": follow_ups(written), "By kind": by_kind(written)}
    return {title: rows for title, rows in tables.items() if len(rows) > 1}


def decisions(written: Sequence[Graded]) -> Rows:
    """What was decided for each class of question, what that costs, and what one decision for all would cost."""
    rows: Rows = [["", "n", *VERDICTS, "right paper, answered", "right paper, closest", "cost", *ALWAYS]]
    costs: dict[str, list[float]] = {name: [] for name in ("cost", *ALWAYS)}
    for kind in CLASSES:
        some = [one for one in written if one.kind == kind and one.question.expects != "correct"]
        if not some:
            continue
        shares = [f"{fmean(one.verdict == verdict for one in some):.3f}" for verdict in VERDICTS]
        papers = [
            _mean([one.shows_right_paper for one in some if kind == "answerable" and one.verdict == verdict])
            for verdict in VERDICTS[:2]
        ]
        found = {"cost": fmean(_cost(one) for one in some)}
        found |= {name: fmean(_cost(one, verdict) for one in some) for name, verdict in ALWAYS.items()}
        for name, value in found.items():
            costs[name].append(value)
        rows.append([kind, str(len(some)), *shares, *papers, *(f"{value:.3f}" for value in found.values())])
    if len(rows) > 2:
        rows.append(["mean of the classes", "", *[""] * 5, *(f"{fmean(values):.3f}" for values in costs.values())])
    return rows


ALWAYS: Mapping[str, Verdict] = {"always answer": "answered", "always closest": "closest"}


def _cost(one: Graded, instead: Verdict | None = None) -> float:
    """Cost of the decision that was made, or of another one for the same evidence."""
    if instead is None:
        return decision_cost(one.kind, one.verdict, right_paper=one.shows_right_paper)
    quotes = [*one.answer.citations, *one.answer.closest] if one.answer else []
    nearest = [quote.paper_id for quote in quotes] or one.ranked[:1]
    right_paper = any(one.question.gold.get(paper, 0) >= CENTRAL for paper in nearest)
    return decision_cost(one.kind, instead, right_paper=right_paper)


def follow_ups(written: Sequence[Graded]) -> Rows:
    """Last turns of conversations that can be answered, by whether they keep to the topic."""
    asked = [one for one in written if len(one.question.turns) > 1 and one.kind == "answerable"]
    names = ("recall@1", "recall@5", "false_refusals", "decision_cost", "right")
    rows: Rows = [["", "n", *names]]
    for title, switch in (("topic kept", False), ("topic switch", True)):
        some = [one for one in asked if one.question.note.startswith(SWITCH) is switch]
        if some:
            rows.append([title, str(len(some)), *(_measured(some, name) for name in names)])
    return rows


def by_kind(written: Sequence[Graded]) -> Rows:
    """Each kind of question, then each style of asking."""
    rows: Rows = [["", "n", *SHOWN]]
    rows += _grouped(written, lambda one: one.question.kind)
    rows += _grouped(written, lambda one: f"style {one.question.style}" if one.question.style else None)
    return rows


def _grouped(written: Sequence[Graded], key: Callable[[Graded], str | None]) -> Rows:
    groups: dict[str, list[Graded]] = {}
    for one in written:
        if name := key(one):
            groups.setdefault(name, []).append(one)
    return [[name, str(len(some)), *(_measured(some, each) for each in SHOWN)] for name, some in sorted(groups.items())]


def _measured(some: Sequence[Graded], name: str) -> str:
    measure = BY_NAME[name]
    assert measure.score is not None
    values = [value for one in some if (value := measure.score(one)) is not None]
    return _mean(values, digits=3 if measure.bounds else 0)


def _mean(values: Sequence[float], digits: int = 3) -> str:
    return f"{fmean(values):.{digits}f}" if values else "–"
