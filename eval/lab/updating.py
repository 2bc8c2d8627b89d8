"""What the index costs: to build, to keep on disk, to change by one paper, to search.

    python -m eval.lab.updating FOLDER [--papers 1000]

FOLDER holds a BEIR corpus.jsonl(.gz), such as SciFact's. The embedder's own speed is measured in the same run, on the
texts that indexing embeds, because a shared machine is not the same an hour later; processor seconds say what wall time
hides.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import click

from eval.lab.beir import read_papers
from rag.collection import Collection, View
from rag.embed.onnx import OnnxEmbedder
from rag.index import Index
from rag.policy import Policy
from rag.ports import Embedder
from rag.query.understand import make_search
from rag.settings import Settings
from rag.text import sentences
from rag.types import Options, Paper

SAMPLE = 200  # papers embedded alone, to know the embedder's own speed
CHANGES = 8  # papers added one by one
SEARCHES = 400
DEPTH = 200  # passages of each search, as an answer asks for


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--papers", default=4900, help="Papers to index before one is added at a time.")
def main(folder: Path, papers: int) -> None:
    """Measure an index of so many papers of FOLDER and print the costs."""
    found = read_papers(folder)
    base, more = found[: min(papers, len(found) - CHANGES)], found[-CHANGES:]
    with tempfile.TemporaryDirectory() as data:
        settings, embedder = Settings(data_dir=Path(data)), OnnxEmbedder()
        index = Index(settings, embedder)
        collection = Collection(index, embedder)
        print(f"{len(base)} papers, load average {os.getloadavg()[0]:.1f}")
        build(base, index, embedder)
        size = sum(file.stat().st_size for file in Path(data).rglob("*") if file.is_file())
        print(f"on disk: {size / len(base) / 1000:.1f} kB a paper; peak memory {peak_mb():.0f} MB", flush=True)
        change(more, collection)
        search([paper.title for paper in base], collection.view())
        collection.close()


def build(papers: Sequence[Paper], index: Index, embedder: Embedder) -> None:
    """Indexing, in papers a second, beside the embedder alone on the same texts, and on the abstracts alone.

    The sentences of an abstract are embedded too, so that indexing cannot reach its speed on abstracts alone.
    """
    sample = papers[:SAMPLE]
    whole = [f"{paper.title}\n{paper.abstract}" for paper in sample]
    parts = [span.of(paper.abstract) for paper in sample for span in sentences(paper.abstract)]
    wall, cpu = timed(lambda: index.update(papers))
    reached = len(papers) / wall
    print(f"indexing: {reached:.1f} papers/s, {1000 * cpu / len(papers):.1f} ms of processor a paper", flush=True)
    for name, texts in (("abstracts and their sentences", [*whole, *parts]), ("abstracts alone", whole)):
        wall, cpu = timed(partial(embedder.embed, texts, "document"))
        own = len(sample) / wall
        print(
            f"embedder, {name}: {own:.1f} papers/s, {len(texts) / wall:.0f} texts/s, {1000 * cpu / len(sample):.1f} ms "
            f"of processor a paper; indexing reaches {reached / own:.2f} of it",
            flush=True,
        )


def change(papers: Sequence[Paper], collection: Collection) -> None:
    """One paper more, and what the next searches take: medians of several."""
    times: dict[str, list[tuple[float, float]]] = {"update": [], "first search": [], "next search": []}
    search_for("warm up", collection)
    for paper in papers:
        times["update"].append(timed(partial(collection.index.update, [paper])))
        times["first search"].append(timed(partial(search_for, paper.title, collection)))
        times["next search"].append(timed(partial(search_for, f"{paper.title} again", collection)))
    for name, found in times.items():
        wall, cpu = (1000 * median(values) for values in zip(*found, strict=True))
        print(f"one more paper, {name}: {wall:.0f} ms, {cpu:.0f} ms of processor", flush=True)


def search(texts: Sequence[str], view: View) -> None:
    """Dense searches a second, by threads that ask at once."""
    vectors = [view.embed(text) for text in texts[:SEARCHES]]
    for threads in (1, 2, 4):
        with ThreadPoolExecutor(threads) as pool:
            wall, _ = timed(partial(list, pool.map(lambda vector: view.nearest(vector, DEPTH, Options()), vectors)))
        print(f"dense searches, {threads} at once: {len(vectors) / wall:.0f}/s", flush=True)


def search_for(text: str, collection: Collection) -> None:
    """Both searches for one question."""
    view = collection.view()
    policy = Policy.default().retrieval
    wanted = make_search(text, 1.0, view, policy.expansion)
    view.nearest(wanted.vector, DEPTH, Options())
    view.matching(wanted.words, wanted.expansions, DEPTH, Options(), policy.bm25)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_mb() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
