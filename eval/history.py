"""How good it was, run after run: the headline measures of Readback over time, as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.config import READBACK
from eval.report import charts
from eval.report.page import document, esc, figure, table, tag
from eval.results import Run, runs
from eval.run import OWN
from eval.summary import Figure

HISTORY = "history.html"
SHOWN = ("right", "ndcg@10", "fact_coverage", "false_answers", "false_refusals")


def of_split(home: Path, split: str) -> list[Run]:
    """Readback's runs on all questions of a split, oldest first."""
    whole = []
    for run in runs(home):
        config = run.meta["config"]
        ours = run.meta.get("dataset", OWN) == OWN
        if (
            ours
            and config["split"] == split
            and not config["kinds"]
            and not config["limit"]
            and READBACK in run.systems
        ):
            whole.append(run)
    return whole


def write_history(home: Path, split: str) -> Path:
    """Write the page and return its file. Runs of other gold questions, or of quotes and of a model, stand apart."""
    found = of_split(home, split)
    generations: dict[tuple[str, str], list[Run]] = {}
    for run in found:
        generations.setdefault((str(run.meta["gold_hash"]), str(run.meta.get("mode", ""))), []).append(run)
    body = [tag("h1", "How good it was"), tag("p", esc(f"{len(found)} runs on the {split} questions."), class_="soft")]
    for (gold, mode), some in reversed(generations.items()):  # the newest kind first
        body += _generation(some, gold, mode)
    if not found:
        body.append(tag("p", "There is no full run yet: ", tag("code", "readback eval run"), "."))
    file = home / HISTORY
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document("Readback over time", body, plots=bool(found)), encoding="utf-8")
    return file


def _generation(some: Sequence[Run], gold: str, mode: str) -> list[str]:
    series: dict[str, list[tuple[str, Figure, str]]] = {}
    rows = []
    for run in some:
        meta, figures = run.meta, run.figures(READBACK)
        when, commit = str(meta["finished"]), str(meta["commit"] or "")
        label = f"{run.id} {meta.get('name') or ''} {commit[:10]}"
        for name in SHOWN:
            if name in figures:
                series.setdefault(name, []).append((when, figures[name], label))
        shown = [f"{figures[name].value:.3f}" if name in figures else "–" for name in SHOWN]
        commit = commit[:10] + ("+" if commit.endswith("+") else "")
        rows.append([esc(when), esc(run.id), esc(meta.get("name") or ""), esc(commit), *shown])
    caption = "Means with 95 % intervals. Points that overlap need a paired comparison: readback eval compare A B."
    head = ["finished", "run", "name", "commit", *(esc(name) for name in SHOWN)]
    return [
        tag("h2", "Gold questions ", tag("code", esc(gold[:10])), f", {esc(mode)} answers"),
        figure(charts.lines(series), caption),
        table(head, reversed(rows)),
    ]
