"""Retrieval on other people's collections: any folder in the format of BEIR.

A folder holds ``corpus.jsonl`` (or ``.jsonl.gz``; ``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``)
and ``qrels/test.tsv`` or ``qrels.tsv`` (query id, document id, grade; with or without a heading). Nothing else of a
query is read: a label that stands beside its text never reaches a system.

Source: Thakur, Reimers, Rücklé, Srivastava and Gurevych 2021, BEIR, arXiv:2104.08663.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.baselines import Bm25, EmbedderAlone, LlamaIndexStarter, Ranked, Ranker
from eval.collection import prepare
from eval.metrics.retrieval import ndcg, recall
from rag.collection import Collection
from rag.embed import open_embedder
from rag.engine import Assistant
from rag.errors import CorpusError
from rag.settings import Settings
from rag.types import Paper, ranked_papers

DEPTH = 100  # documents ranked for each query, as in BEIR
WARM_UP = "a question before the first one is timed"
HYBRID, RERANKED = "readback, no rerank", "readback"
MEASURES: Mapping[str, Callable[[list[str], Mapping[str, int]], float]] = {
    "ndcg@10": lambda ranked, gold: ndcg(ranked, gold, 10),
    "recall@10": lambda ranked, gold: recall(ranked, gold, 10),
    "recall@100": lambda ranked, gold: recall(ranked, gold, 100),
}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Documents, queries and judgements."""

    name: str
    papers: tuple[Paper, ...]
    queries: Mapping[str, str]  # id -> text, those with at least one relevant document
    qrels: Mapping[str, Mapping[str, int]]  # query id -> document id -> grade, 1 or more

    def first(self, count: int) -> Benchmark:
        """With this number of the queries; 0: with all."""
        return replace(self, queries=dict(list(self.queries.items())[:count])) if count else self


@dataclass(frozen=True, slots=True)
class Scores:
    """What one ranker reached: measure → query id → score, and milliseconds for each query."""

    values: Mapping[str, Mapping[str, float]]
    ms: Mapping[str, float]


def read_benchmark(folder: Path) -> Benchmark:
    """Read a folder. Raises CorpusError naming the file and line that cannot be read, or what is missing."""
    papers = read_papers(folder)
    file = _first(folder, "queries.jsonl", "queries.jsonl.gz")
    texts = {_text(record, "_id", file, line): _text(record, "text", file, line) for line, record in objects_of(file)}
    qrels = _qrels(_first(folder, "qrels/test.tsv", "qrels.tsv"))
    known = {paper.id for paper in papers}
    judged = {query: gold for query, gold in qrels.items() if query in texts and known.intersection(gold)}
    if not judged:
        raise CorpusError(str(folder), None, "no query has a relevant document in the corpus")
    return Benchmark(folder.resolve().name, papers, {query: texts[query] for query in judged}, judged)


def read_papers(folder: Path) -> tuple[Paper, ...]:
    """The documents of a folder as papers; one with a title alone is that title. Raises CorpusError."""
    file = _first(folder, "corpus.jsonl", "corpus.jsonl.gz")
    found = []
    for line, record in objects_of(file):
        title, text = (str(record.get(key) or "").strip() for key in ("title", "text"))
        if title or text:  # a few collections have empty documents; they cannot be found
            found.append(Paper(_text(record, "_id", file, line), title, text or title))
    return tuple(found)


class ReadbackRanker:
    """Readback's own search."""

    def __init__(self, assistant: Assistant, *, rerank: bool) -> None:
        """rerank: with reranking by the best papers' sentences, as in an answer."""
        self.name = RERANKED if rerank else HYBRID
        self._assistant = assistant
        self._rerank = rerank

    def rank(self, question: str, k: int) -> Ranked:
        """Papers by fused score, or by what reranking makes of it."""
        hits = self._assistant.rank(question, rerank=self._rerank)
        return [(paper.paper_id, paper.score) for paper in ranked_papers(hits)[:k]]


class MinMaxFusion:
    """The mean of two rankings' scores, each scaled to [0, 1] over its first hundred; hard to beat.

    Source: Bruch, Gai and Ingber 2023, An Analysis of Fusion Functions for Hybrid Retrieval, arXiv:2210.11934.
    """

    name = "min-max .5/.5"

    def __init__(self, *rankers: Ranker) -> None:
        """rankers: what is fused."""
        self._rankers = rankers

    def rank(self, question: str, k: int) -> Ranked:
        """Papers by their mean scaled score; one that a ranking does not hold has 0 there."""
        fused: dict[str, float] = {}
        for ranker in self._rankers:
            found = ranker.rank(question, DEPTH)
            low, high = min((score for _, score in found), default=0.0), max((score for _, score in found), default=0.0)
            for paper, score in found:
                scaled = (score - low) / (high - low) if high > low else 1.0
                fused[paper] = fused.get(paper, 0.0) + scaled / len(self._rankers)
        return sorted(fused.items(), key=lambda entry: (-entry[1], entry[0]))[:k]


def rankers(
    benchmark: Benchmark, settings: Settings, cache: Path, progress: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[Ranker, Callable[[], None]]]:
    """Each ranker with what closes it, one at a time, over an index that is built in the cache folder if need be.

    Each has an embedder of its own: vectors of queries are remembered, and the second one would get them for free.
    """
    own = prepare(settings, benchmark.papers, cache, progress)
    for rerank in (True, False):
        assistant = Assistant(own, Collection.open(own))
        yield ReadbackRanker(assistant, rerank=rerank), assistant.close
    yield Bm25(benchmark.papers), lambda: None
    alone = Collection.open(own)
    yield MinMaxFusion(Bm25(benchmark.papers), EmbedderAlone(alone)), alone.close
    alone = Collection.open(own)
    yield EmbedderAlone(alone), alone.close
    yield LlamaIndexStarter(benchmark.papers, open_embedder(own), own.data_dir / "llamaindex"), lambda: None


def measure(ranker: Ranker, benchmark: Benchmark, progress: Callable[[int], None] = lambda _: None) -> Scores:
    """Rank the documents for every query, one query at a time. progress: told of each query."""
    ranker.rank(WARM_UP, DEPTH)
    texts = {paper.id: paper.abstract for paper in benchmark.papers}
    values: dict[str, dict[str, float]] = {name: {} for name in MEASURES}
    ms = {}
    for query, text in benchmark.queries.items():
        began = time.perf_counter()
        found = ranker.rank(text, DEPTH + 1)
        ms[query] = (time.perf_counter() - began) * 1000
        # in some collections a query is one of the documents; finding itself is no merit
        ranked = [paper for paper, _ in found if not (paper == query and texts[paper] == text)][:DEPTH]
        for name, score in MEASURES.items():
            values[name][query] = score(ranked, benchmark.qrels[query])
        progress(1)
    return Scores(values, ms)


def _qrels(file: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_lines(file), start=1):
        cells = line.split()
        if len(cells) == 4:  # TREC's form, whose second column says nothing
            cells = [cells[0], *cells[2:]]
        try:
            query, document, grade = cells[0], cells[1], int(float(cells[2]))
        except (IndexError, ValueError) as error:
            if number == 1 or not cells:
                continue  # a heading, or an empty line
            raise CorpusError(str(file), number, "expected a query id, a document id and a grade") from error
        if grade > 0:
            found.setdefault(query, {})[document] = grade
    return found


def objects_of(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of a file of JSON lines, which may be packed with gzip. Raises CorpusError."""
    for number, line in enumerate(_lines(file), start=1):
        if line.strip():
            try:
                record = json.loads(line)
            except ValueError as error:
                raise CorpusError(str(file), number, f"not one JSON object: {error}") from error
            if not isinstance(record, dict):
                raise CorpusError(str(file), number, "not one JSON object")
            yield number, record


def _lines(file: Path) -> Sequence[str]:
    try:
        content = file.read_bytes()
        return (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise CorpusError(str(file), None, f"cannot be read: {error}") from error


def _first(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise CorpusError(str(folder), None, f"holds no {' or '.join(names)}")


def _text(record: Mapping[str, Any], key: str, file: Path, line: int) -> str:
    value = record.get(key)
    if not isinstance(value, str | int) or not str(value).strip():
        raise CorpusError(str(file), line, f"{key!r} must be a text that is not empty")
    return str(value)
