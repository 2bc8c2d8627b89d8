"""Which window and passage length find papers best, and how fast papers are indexed.

    python -m eval.lab.indexing

"one" is recall of the central papers of development questions about one paper, "all" the share of all right papers for
questions about several; dense search alone, then the whole way. A text beyond the window is embedded in several windows
whose vectors are averaged, so that none is cut off in any row.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.gold import GoldQuestion, load_gold
from rag.collection import Collection
from rag.corpus import read
from rag.embed.onnx import RECIPE, WEIGHTS, OnnxEmbedder
from rag.engine import Assistant
from rag.index import Index
from rag.settings import Settings, shipped_corpus
from rag.types import Options

CONFIGURATIONS = ((256, 400), (512, 400), (512, 200), (512, 128))  # window, chunk_tokens
DEPTHS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration's results."""

    window: int
    chunk_tokens: int
    passages: int
    papers_per_s: float
    dense: tuple[float, ...]  # recall at DEPTHS for one paper, then at the last depth for several
    whole: tuple[float, ...]  # the same of the whole way: both searches, fused and reranked


def main() -> None:
    """Measure all configurations and print one table."""
    questions = load_gold("dev", {"single", "fact", "multi"})
    papers = len(read(shipped_corpus()).papers)
    print(f"{papers} papers, {len(questions)} development questions, load average {os.getloadavg()[0]:.1f}")
    measures = [*(f"one@{depth}" for depth in DEPTHS), f"all@{DEPTHS[-1]}"]
    print(f"{'':34}{'dense':<32}whole")
    print(f"{'window':>7}{'chunk':>7}{'passages':>10}{'papers/s':>10}{''.join(f'{one:>8}' for one in measures * 2)}")
    for window, chunk_tokens in CONFIGURATIONS:
        row = measure(window, chunk_tokens, questions)
        recalls = "".join(f"{value:8.3f}" for value in (*row.dense, *row.whole))
        print(f"{row.window:>7}{row.chunk_tokens:>7}{row.passages:>10}{row.papers_per_s:>10.1f}{recalls}", flush=True)


def measure(window: int, chunk_tokens: int, questions: Sequence[GoldQuestion]) -> Row:
    """Index the shipped papers anew, with no cache, and search for the questions."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", chunk_tokens=chunk_tokens)
        embedder = OnnxEmbedder(with_window(Path(folder) / "model", window))
        papers = read(shipped_corpus()).papers
        index = Index(settings, embedder)
        start = time.perf_counter()
        index.update(papers)
        took = time.perf_counter() - start
        assistant = Assistant(settings, Collection(index, embedder))
        view = assistant.collection.view()
        dense, whole = [], []
        for question in questions:
            rows = view.nearest(view.embed(question.standalone), 100, Options())
            dense.append(list(dict.fromkeys(row[0] for row, _ in rows)))
            whole.append([hit.passage.paper_id for hit in assistant.rank(question.standalone)[: max(DEPTHS)]])
        passages = sum(1 for _ in index.catalog.passages())
        assistant.close()
    return Row(window, chunk_tokens, passages, len(papers) / took, recalls(dense, questions), recalls(whole, questions))


def recalls(rankings: Sequence[Sequence[str]], questions: Sequence[GoldQuestion]) -> tuple[float, ...]:
    """Mean recall at DEPTHS for questions about one paper, then at the last depth for those about several."""
    asked = list(zip(rankings, questions, strict=True))
    one = [(ranked, _right(question)) for ranked, question in asked if question.kind != "multi"]
    several = [(ranked, _right(question)) for ranked, question in asked if question.kind == "multi"]
    return (*(_recall(one, depth) for depth in DEPTHS), _recall(several, DEPTHS[-1]))


def _right(question: GoldQuestion) -> set[str]:
    least = 1 if question.kind == "multi" else 2
    return {paper_id for paper_id, grade in question.gold.items() if grade >= least}


def _recall(cases: Sequence[tuple[Sequence[str], set[str]]], depth: int) -> float:
    return sum(len(set(ranked[:depth]) & right) / min(len(right), depth) for ranked, right in cases) / len(cases)


def with_window(folder: Path, window: int) -> Path:
    """The shipped model in a folder of its own, with another window."""
    folder.mkdir(parents=True)
    for file in WEIGHTS.iterdir():
        if file.name != RECIPE and file.is_file():
            (folder / file.name).symlink_to(file)
    recipe = json.loads((WEIGHTS / RECIPE).read_text(encoding="utf-8")) | {"max_tokens": window}
    (folder / RECIPE).write_text(json.dumps(recipe), encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
