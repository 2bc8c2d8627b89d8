"""The report of one run: a single HTML page that needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.config import READBACK
from eval.failures import BLAMES, Blame, failures, tally
from eval.gold import GOLD, STANDALONE, GoldQuestion
from eval.measures import BY_NAME, MEASURES, Graded, right
from eval.report import charts
from eval.report.failure import card
from eval.report.page import document, esc, figure, table, tag
from eval.report.taxonomy import Node, by_kind, by_topic, findings, grow
from eval.results import ESTIMATES, Run
from eval.run import OWN, grade
from eval.stats import compare
from eval.summary import Figure, mean_figure
from eval.table import ARROWS, digits_of, idle

REPORT = "report.html"
HEADLINE = (
    "right",
    "ndcg@10",
    "recall@10",
    "fact_coverage",
    "false_answers",
    "false_refusals",
    "quote_exactness",
    "citation_recall",
)
NAMED = {"": "as written, the same questions", STANDALONE: "follow-ups, stand-alone"}
FOREST = ("right", "ndcg@10", "recall@10", "all_gold@10", "fact_coverage", "cited_precision", "cited_recall")

__all__ = ["REPORT", "build", "write_report"]


def write_report(run: Run, *, gold: Path = GOLD) -> Path:
    """Write the report beside the run's results and return its file. gold: for the names of our topics."""
    topics = json.loads((gold / "split.json").read_text("utf-8"))["topics"]
    return run.put(REPORT, build(run, topics))


def build(run: Run, topics: Mapping[str, str]) -> str:
    """The page as text. topics: names of topics by id; one that is not among them is its own name."""
    meta, rows, questions = run.meta, run.rows(), run.questions()
    titles = {paper.id: paper.title for paper in run.papers()}
    graded = grade(rows, questions)
    system = READBACK if READBACK in graded else next(iter(graded))
    blames = {one.question_id: one for one in map(Blame.of, run.lines(BLAMES))}
    systems = {name: run.figures(name) for name in run.systems}
    body = [_head(meta, system)]
    body += [_cards(systems[system]), _systems(run, systems, system)]
    body += _breakdown(run, system, questions, topics)
    body += _abstention(graded, system)
    body += _askers(graded[system])
    body += _judged(run)
    errors = {row.question_id: row.error for row in rows if row.system == system and row.asker is None and row.error}
    body += _failures(graded[system], blames, titles, errors)
    body.append(_provenance(meta))
    return document(f"Readback, {run.id}", body)


def _head(meta: Mapping[str, Any], system: str) -> str:
    name = f" “{meta['name']}”" if meta.get("name") else ""
    facts = (
        f"Run {meta['id']}{name}: {len(meta['questions'])} questions of the {_questions_of(meta)}, "
        f"{meta['finished']}, commit {str(meta['commit'] or 'unknown')[:10]}. "
        "Intervals are 95 %, by bootstrap over questions."
    )
    which = f" The system in question: {esc(system)}."
    return tag("h1", "How good are the answers?") + tag("p", esc(facts), which, class_="soft")


def _questions_of(meta: Mapping[str, Any]) -> str:
    return f"{meta['config']['split']} split" if meta.get("dataset", OWN) == OWN else f"dataset {meta['dataset']}"


def _cards(figures: Mapping[str, Figure]) -> str:
    cards = []
    for name in HEADLINE:
        if name in figures:
            one, measure = figures[name], BY_NAME[name]
            value = tag("b", f"{one.value:.2f}") + tag(
                "small", f"{one.low:.2f} to {one.high:.2f}, {one.questions} questions"
            )
            cards.append(
                tag("li", esc(f"{name} {ARROWS[measure.better]}"), value, tag("p", tag("small", esc(measure.says))))
            )
    return tag("ul", *cards, class_="cards")


def _systems(run: Run, systems: Mapping[str, Mapping[str, Figure]], system: str) -> str:
    others = [name for name in systems if name != system]
    values = {name: run.values(name) for name in systems}
    rows: list[list[str]] = []
    group = ""
    for measure in MEASURES:
        have = [figures[measure.name] for figures in systems.values() if measure.name in figures]
        if not have or idle(measure, have):
            continue
        if measure.group != group:
            group = measure.group
            rows.append([esc(group)])
        cells = [_cell(systems[name].get(measure.name), digits_of(measure)) for name in systems]
        for place, name in enumerate(systems):
            if name in others:
                cells[place] += _against(values[system], values[name], measure.name)
        rows.append(
            [f'{esc(measure.name)} {ARROWS[measure.better]}<small class="soft">{esc(measure.says)}</small>', *cells]
        )
    head = ["", *(esc(name) for name in systems)]
    note = f"“better” and “worse”: a baseline against {system}, question by question. Without a word it may be chance."
    return (
        tag("h2", "Beside the baselines")
        + figure(
            charts.forest(systems, [name for name in FOREST if name in systems[system]]), "Means with 95 % intervals."
        )
        + table(head, rows)
        + tag("p", esc(note), class_="soft")
    )


def _cell(one: Figure | None, digits: int) -> str:
    if one is None:
        return "–"
    return f"{one.value:.{digits}f}" + tag("small", f"{one.low:.{digits}f} to {one.high:.{digits}f}", class_="soft")


def _against(mine: Mapping[str, Mapping[str, float]], theirs: Mapping[str, Mapping[str, float]], name: str) -> str:
    """Whether the other one is better or worse where both have a score."""
    better = BY_NAME[name].better
    both = set(mine.get(name, {})) & set(theirs.get(name, {}))
    if len(both) < 2 or better == "neither":
        return ""
    before = {one: mine[name][one] for one in both}
    found = compare(
        before, {one: theirs[name][one] for one in both}, higher_is_better=better == "higher", resamples=2000
    )
    if found.verdict == "cannot tell":
        return ""
    return tag("small", found.verdict, class_="good" if found.verdict == "better" else "bad")


def _breakdown(run: Run, system: str, questions: Sequence[GoldQuestion], topics: Mapping[str, str]) -> list[str]:
    scores = run.values(system)["right"]
    roots = [
        grow("All questions, by kind", questions, scores, by_kind(topics)),
        grow("All questions, by topic", questions, scores, by_topic(topics)),
    ]
    parts = [tag("h2", "Strong and weak")]
    for verdict, words in (
        ("strong", "Better than on the other questions"),
        ("weak", "Worse than on the other questions"),
    ):
        nodes = findings(roots, "strong" if verdict == "strong" else "weak")
        items = [
            tag(
                "li",
                tag("b", esc(node.name)),
                f": {np_mean(node):.2f} on {len(node.scores)} questions, {node.gap:+.2f} against the rest",
            )
            for node in nodes
        ]
        parts.append(tag("h3", words))
        parts.append(tag("ul", *items) if items else tag("p", "Nothing that chance could not explain.", class_="soft"))
    for root in roots:
        lines = [_branch(depth, node) for depth, node in root.walk()]
        parts.append(
            tag("details", tag("summary", esc(root.name)), table(["", "n", "right", "", "against the rest", ""], lines))
        )
    return parts


def np_mean(node: Node) -> float:
    """Mean score of a node."""
    return sum(node.scores) / len(node.scores)


def _branch(depth: int, node: Node) -> list[str]:
    one = node.figure
    assert one is not None, "a grown tree has figures"
    low, high = max(0.0, one.low), min(1.0, one.high)
    bar = tag(
        "span",
        tag("i", style=f"width:{100 * one.value:.1f}%"),
        tag("u", style=f"left:{100 * low:.1f}%;right:{100 * (1 - high):.1f}%"),
        class_="bar",
    )
    word = tag("span", node.verdict, class_={"strong": "good", "weak": "bad"}.get(node.verdict, "soft"))
    gap = f"{node.gap:+.2f}" if depth else ""
    p_value = f" (p = {node.p_value:.3f})" if node.p_value is not None else ""
    name = f'<span style="padding-left:{1.2 * depth:.1f}rem">{esc(node.name)}</span>'
    return [name, str(one.questions), f"{one.value:.2f}", bar, gap + p_value, word if depth else ""]


def _abstention(graded: Mapping[str, Sequence[Graded]], system: str) -> list[str]:
    parts = [tag("h2", "Knowing when not to answer")]
    parts.append(
        figure(charts.risk(graded), "Loss of the answers given, when only the most confident are: lower is better.")
    )
    if system == READBACK:
        caption = "Stated confidence against how often the collection holds the answer; the dotted line is perfect."
        parts.append(figure(charts.calibration(graded[system]), caption))
    return parts


def _askers(graded: Sequence[Graded]) -> list[str]:
    askers = sorted({one.asker for one in graded if one.asker} | {""})
    both = {one.question.id for one in graded if one.asker}
    rows = []
    for asker in askers:
        scores = [right(one) for one in graded if (one.asker or "") == asker and (asker or one.question.id in both)]
        one = mean_figure("right", scores)
        if one:
            rows.append([esc(NAMED.get(asker, asker)), str(one.questions), _cell(one, 2)])
    if len(rows) < 2:
        return []
    return [tag("h2", "The same need in other words"), table(["Asker", "n", "right"], rows)]


def _judged(run: Run) -> list[str]:
    lines = run.lines(ESTIMATES)
    if not lines:
        return []
    rows = [
        [esc(one["what"]), f"{one['value']:.3f}", f"{one['low']:.3f} to {one['high']:.3f}", str(one["labels"]),
         str(one["verdicts"]), f"{one['saved']:.0f}"]
        for one in lines
    ]  # fmt: skip
    head = ["", "estimate", "95 % interval", "labels by people", "verdicts by the judge alone", "labels saved"]
    return [tag("h2", "What people and a judge say"), table(head, rows)]


def _failures(
    graded: Sequence[Graded], blames: Mapping[str, Blame], titles: Mapping[str, str], errors: Mapping[str, str | None]
) -> list[str]:
    wrong = failures(graded)
    parts = [tag("h2", f"Replies that are not all right: {len(wrong)}")]
    counts = tally([blames[one.question.id] for one in wrong if one.question.id in blames])
    if counts:
        parts.append(figure(charts.bars(counts), "The stage whose gold output would have made the reply right."))
    choices = [*counts, *sorted({one.question.kind for one in wrong})]
    buttons = [tag("button", "all", type="button", value="", aria_pressed="true")]
    buttons += [tag("button", esc(name), type="button", value=name, aria_pressed="false") for name in choices]
    if wrong:
        parts.append(tag("div", *buttons, class_="filters", role="group", aria_label="Show failures of"))
    parts += [card(one, blames.get(one.question.id), titles, errors.get(one.question.id)) for one in wrong]
    return parts


def _provenance(meta: Mapping[str, Any]) -> str:
    told = {key: value for key, value in meta.items() if key not in {"questions", "collection"}}
    return tag(
        "details", tag("summary", "What was run"), tag("pre", esc(json.dumps(told, indent=1, ensure_ascii=False)))
    )
