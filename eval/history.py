"""How good it was, run after run: the headline measures of Readback over time, as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.config import READBACK
from eval.report import charts
from eval.report.page import render
from eval.results import Run, runs
from eval.run import OWN
from eval.summary import Figure

HISTORY = "history.html"
SHOWN = ("right", "ndcg@10", "fact_coverage", "false_answers", "false_refusals")


def write_history(home: Path, split: str) -> Path:
    """Write the page and return its file. Runs of other gold questions, or of quotes and of a model, stand apart."""
    found = [run for run in runs(home) if _is_full(run, split)]
    generations: dict[tuple[str, str], list[Run]] = {}
    for run in found:
        generations.setdefault((str(run.meta["gold_hash"]), str(run.meta.get("mode", ""))), []).append(run)
    newest_first = [_generation(some, *key) for key, some in reversed(generations.items())]
    file = home / HISTORY
    file.parent.mkdir(parents=True, exist_ok=True)
    page = render(
        "history.html", plots=bool(found), count=len(found), split=split, generations=newest_first, shown=list(SHOWN)
    )
    file.write_text(page, encoding="utf-8")
    return file


def _is_full(run: Run, split: str) -> bool:
    """Whether it asked Readback all questions of the split."""
    config = run.meta["config"]
    ours = run.meta.get("dataset", OWN) == OWN and config["split"] == split
    return ours and not config["kinds"] and not config["limit"] and READBACK in run.systems


def _generation(some: Sequence[Run], gold: str, mode: str) -> dict[str, Any]:
    series: dict[str, list[tuple[str, Figure, str]]] = {}
    told = [(run, run.meta, run.figures(READBACK)) for run in some]
    for run, meta, figures in told:
        label = f"{run.id} {meta.get('name') or ''} {str(meta['commit'] or '')[:10]}"
        for name in SHOWN:
            if name in figures:
                series.setdefault(name, []).append((str(meta["finished"]), figures[name], label))
    return {"gold": gold, "mode": mode, "runs": told, "plot": charts.history(series)}
