"""Running a retrieval benchmark: all rankers, one after the other, a table, and scores that are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import fmean, median

from eval.baselines import Ranker
from eval.lab.beir import MEASURES, RERANKED, Benchmark, Scores, measure
from eval.provenance import code_version, commit, corpus_hash, versions
from eval.stats import bootstrap_interval, compare
from eval.table import aligned

Started = tuple[Ranker, Callable[[], None]]


def run_retrieval(
    benchmark: Benchmark,
    first: Started,
    others: Iterable[Started],
    home: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Scores]:
    """Ranker → scores; also stored as ``<home>/retrieval/<benchmark>.json``. Each ranker is closed after its turn."""
    found = {}
    for ranker, close in _one_by_one(first, others):
        try:
            found[ranker.name] = measure(ranker, benchmark, progress)
        finally:
            close()
    meta = {
        "benchmark": benchmark.name,
        "corpus_hash": corpus_hash(benchmark.papers),
        "queries": len(benchmark.queries),
        "code": code_version(),
        "commit": commit(),
        "versions": versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    folder = home / "retrieval"
    folder.mkdir(parents=True, exist_ok=True)
    record = {"meta": meta, "scores": {name: asdict(scores) for name, scores in found.items()}}
    (folder / f"{benchmark.name}.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    return found


def retrieval_table(found: Mapping[str, Scores]) -> str:
    """One row a ranker: means with 95 % intervals, milliseconds, and on nDCG@10 whether Readback is better than it."""
    rows = [["", *MEASURES, "ms median", "ms mean", "readback against it, ndcg@10"]]
    for name, scores in found.items():
        cells = []
        for values in scores.values.values():
            interval = bootstrap_interval(list(values.values()), bounds=(0.0, 1.0))
            cells.append(f"{fmean(values.values()):.4f} [{interval.low:.3f}, {interval.high:.3f}]")
        ms = list(scores.ms.values())
        rows.append([name, *cells, f"{median(ms):.1f}", f"{fmean(ms):.1f}", _verdict(name, found)])
    return aligned(rows)


def _verdict(name: str, found: Mapping[str, Scores]) -> str:
    if name == RERANKED or RERANKED not in found:
        return ""
    one = compare(found[name].values["ndcg@10"], found[RERANKED].values["ndcg@10"])
    p_value = f"p = {one.p_value:.3f}" if one.p_value >= 0.001 else "p < 0.001"
    return f"{one.verdict} ({one.difference:+.3f}, {p_value})"


def _one_by_one(first: Started, others: Iterable[Started]) -> Iterator[Started]:
    return chain([first], others)
