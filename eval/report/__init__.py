"""The report of one run: a single HTML page that needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.config import READBACK
from eval.failures import BLAMES, STAGES, Blame, failures, tally
from eval.gold import GOLD, STANDALONE
from eval.graded import Graded
from eval.measures import BUDGETS, BY_NAME, MEASURES
from eval.report import charts
from eval.report.page import render
from eval.report.taxonomy import by_kind, by_topic, findings, grow
from eval.results import ESTIMATES, Run
from eval.run import OWN, grade
from eval.slices import slices
from eval.stats import compare
from eval.summary import Figure, mean_figure
from eval.table import idle

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
GOLD_OUTPUTS = dict(
    zip(
        STAGES,
        (
            "the stand-alone question as the gold has it",
            "the gold papers among the candidates",
            "the gold papers in front",
            "the sentences that hold the facts",
            "every sentence let through",
            "the right decision between answer and silence",
        ),
        strict=True,
    )
)


def write_report(run: Run, *, gold: Path = GOLD) -> Path:
    """Write the report beside the run's results and return its file. gold: for the names of our topics."""
    topics = json.loads((gold / "split.json").read_text("utf-8"))["topics"]
    return run.put(REPORT, build(run, topics))


def build(run: Run, topics: Mapping[str, str]) -> str:
    """The page as text. topics: names of topics by id; one that is not among them is its own name."""
    meta, rows, questions = run.meta, run.rows(), run.questions()
    graded = grade(rows, questions)
    system = READBACK if READBACK in graded else next(iter(graded))
    systems = {name: run.figures(name) for name in run.systems}
    blames = {one.question_id: one for one in map(Blame.of, run.lines(BLAMES))}
    wrong = failures(graded[system])
    counts = tally([blames[one.question.id] for one in wrong if one.question.id in blames])
    scores = run.values(system)["right"]
    trees = [
        grow("All questions, by kind", questions, scores, by_kind(topics)),
        grow("All questions, by topic", questions, scores, by_topic(topics)),
    ]
    return render(
        "report.html",
        plots=True,
        meta=meta,
        source=f"{meta['config']['split']} split" if meta.get("dataset", OWN) == OWN else f"dataset {meta['dataset']}",
        system=system,
        systems=systems,
        headline=[(BY_NAME[name], systems[system][name]) for name in HEADLINE if name in systems[system]],
        forest=charts.forest(systems, [name for name in FOREST if name in systems[system]]),
        rows=_rows(run, systems, system),
        slices=slices(graded[system]),
        words=charts.curves(_by_words(systems), "words read", "facts held"),
        trees=trees,
        findings=[("Better", findings(trees, "strong")), ("Worse", findings(trees, "weak"))],
        risk=charts.risk(graded),
        calibration=charts.calibration(graded[system]) if system == READBACK else None,
        askers=_askers(graded[system]),
        estimates=run.lines(ESTIMATES),
        failures=wrong,
        blames=blames,
        blamed=charts.bars(counts) if counts else None,
        choices=[*counts, *sorted({one.question.kind for one in wrong})],
        titles={paper.id: paper.title for paper in run.papers()},
        errors={row.question_id: row.error for row in rows if row.system == system and row.asker is None},
        gold_outputs=GOLD_OUTPUTS,
        provenance=json.dumps(
            {key: value for key, value in meta.items() if key not in {"questions", "collection"}},
            indent=1,
            ensure_ascii=False,
        ),
    )


def _by_words(systems: Mapping[str, Mapping[str, Figure]]) -> dict[str, dict[float, float]]:
    """System → words read → facts held."""
    return {
        name: {words: figures[f"coverage@{words}"].value for words in BUDGETS if f"coverage@{words}" in figures}
        for name, figures in systems.items()
    }


def _rows(run: Run, systems: Mapping[str, Mapping[str, Figure]], system: str) -> list[tuple[Any, list[Any]]]:
    """(measure, one cell for each system): its figure, and whether it is better or worse than the one in question."""
    values = {name: run.values(name) for name in systems}
    rows = []
    for measure in MEASURES:
        have = [figures[measure.name] for figures in systems.values() if measure.name in figures]
        if have and not idle(measure, have):
            cells = [
                (
                    figures.get(measure.name),
                    "" if name == system else _against(values[system], values[name], measure.name),
                )
                for name, figures in systems.items()
            ]
            rows.append((measure, cells))
    return rows


def _against(mine: Mapping[str, Mapping[str, float]], theirs: Mapping[str, Mapping[str, float]], name: str) -> str:
    """Whether the other one is better or worse where both have a score."""
    better = BY_NAME[name].better
    both = sorted(set(mine.get(name, {})) & set(theirs.get(name, {})))
    if len(both) < 2 or better == "neither":
        return ""
    found = compare(
        {one: mine[name][one] for one in both},
        {one: theirs[name][one] for one in both},
        higher_is_better=better == "higher",
        resamples=2000,
    )
    return "" if found.verdict == "cannot tell" else found.verdict


def _askers(graded: Sequence[Graded]) -> list[tuple[str, Figure]]:
    """Asker → how right the replies to the questions in its words are."""
    both = {one.question.id for one in graded if one.asker}
    found = []
    for asker in sorted({one.asker for one in graded if one.asker} | {""}):
        scores = [one.right for one in graded if (one.asker or "") == asker and (asker or one.question.id in both)]
        if figure := mean_figure("right", scores):
            found.append((NAMED.get(asker, asker), figure))
    return found
