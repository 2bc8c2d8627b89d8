"""Where evaluations are kept: one folder a run, plain JSON that a person or another program can read.

::

    <data folder>/eval/<run id>/meta.json     what was asked of what, by which code, when
    <data folder>/eval/<run id>/questions.jsonl, papers.jsonl    what was asked, and about what
    <data folder>/eval/<run id>/rows.jsonl    one line per system and thing asked: the whole answer, or the error
    <data folder>/eval/<run id>/scores.json   measure -> question -> score, and the figures of the table
    <data folder>/eval/cache/                 replies by all that decides them, and the indexes that were searched

A run's id is a hash of all that decides its results, so the same evaluation is the same run, and one that was
interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from eval.gold import GoldQuestion
from eval.measures import Values
from eval.summary import Figure
from rag.errors import ReadbackError
from rag.types import Answer, Paper

ESTIMATES = "estimates.jsonl"  # what people and a judge say
META, ROWS, SCORES = "meta.json", "rows.jsonl", "scores.json"
QUESTIONS, PAPERS = "questions.jsonl", "papers.jsonl"
NEWEST = "latest"
_ANSWER, _QUESTION, _PAPER = TypeAdapter(Answer), TypeAdapter(GoldQuestion), TypeAdapter(Paper)


class ResultsError(ReadbackError):
    """A stored run is missing or cannot be read: says which."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reply of one system. Either an answer or an error."""

    system: str
    item: str  # "single-001", or "single-001#terse"
    question_id: str
    asker: str | None
    turns: tuple[str, ...]
    answer: Answer | None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """One line of rows.jsonl."""
        return {**asdict(self), "answer": self.answer.to_dict() if self.answer else None}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Row:
        """From a line of rows.jsonl."""
        answer = answer_of(record["answer"]) if record["answer"] else None
        return cls(**{**record, "turns": tuple(record["turns"]), "answer": answer})


def answer_of(record: Mapping[str, Any]) -> Answer:
    """The Answer that ``to_dict`` was called on. Keys that a newer version added are ignored."""
    return _ANSWER.validate_python(record)


@dataclass(frozen=True, slots=True)
class Run:
    """One stored evaluation."""

    folder: Path

    @property
    def id(self) -> str:
        """Name of the folder: split and hash."""
        return self.folder.name

    @property
    def meta(self) -> dict[str, Any]:
        """What was asked of what, by which code, when."""
        return self._json(META)

    def rows(self) -> list[Row]:
        """All replies."""
        try:
            return [Row.of(json.loads(line)) for line in (self.folder / ROWS).read_text("utf-8").splitlines()]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"The run {self.id} cannot be read: {ROWS}: {error}. Run it again.") from error

    def questions(self) -> list[GoldQuestion]:
        """The questions as they were when they were asked."""
        return [_QUESTION.validate_python(record) for record in self.lines(QUESTIONS)]

    def papers(self) -> list[Paper]:
        """The collection as it was."""
        return [_PAPER.validate_python(record) for record in self.lines(PAPERS)]

    def values(self, system: str) -> dict[str, Values]:
        """Measure → question id → score of one system. Raises ResultsError if it was not part of the run."""
        return {name: dict(values) for name, values in self._system(system)["values"].items()}

    def figures(self, system: str) -> dict[str, Figure]:
        """Measure → figure of one system."""
        return {name: Figure(**figure) for name, figure in self._system(system)["figures"].items()}

    @property
    def systems(self) -> list[str]:
        """Names of the systems that were asked, Readback first."""
        return list(self._json(SCORES))

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Objects of a JSON lines file of the run; empty if there is none."""
        file = self.folder / name
        try:
            return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
        except ValueError as error:
            raise ResultsError(f"{file} is damaged: {error}") from error

    def write(
        self,
        meta: Mapping[str, Any],
        questions: Iterable[GoldQuestion],
        papers: Iterable[Paper],
        rows: Iterable[Row],
        scores: Mapping[str, Any],
    ) -> None:
        """Store everything; each file appears whole. meta comes last: a folder with it is a finished run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.put_lines(QUESTIONS, (question.to_dict() for question in questions))
        self.put_lines(PAPERS, map(asdict, papers))
        self.put_lines(ROWS, (row.to_dict() for row in rows))
        self.put(SCORES, json.dumps(scores, indent=1))
        self.put(META, json.dumps(meta, indent=1, ensure_ascii=False))

    def put_lines(self, name: str, records: Iterable[Mapping[str, Any]]) -> Path:
        """Write one file of JSON lines, in one go."""
        return self.put(name, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))

    def put(self, name: str, text: str) -> Path:
        """Write one file of the run, in one go."""
        file = self.folder / name
        fresh = file.with_name(f".{name}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)
        return file

    def _system(self, name: str) -> Any:
        scores = self._json(SCORES)
        if name not in scores:
            raise ResultsError(f"The run {self.id} has no system {name!r}: it has {', '.join(scores)}.")
        return scores[name]

    def _json(self, name: str) -> dict[str, Any]:
        try:
            record = json.loads((self.folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ResultsError(f"The run {self.id} cannot be read: {name}: {error}. Run it again.") from error
        assert isinstance(record, dict)
        return record


def runs(home: Path) -> list[Run]:
    """All finished runs, oldest first. home: ``<data folder>/eval``."""
    found = [Run(file.parent) for file in home.glob(f"*/{META}")]
    return sorted(found, key=lambda run: (str(run.meta.get("finished", "")), run.id))


def find(home: Path, name: str) -> Run:
    """A run by its id, the beginning of it, its folder, or "latest": the one last asked for. Raises ResultsError."""
    if (Path(name) / META).is_file():
        return Run(Path(name).resolve())
    known = runs(home)
    if name == NEWEST and known:
        return max(known, key=lambda run: (run.folder / META).stat().st_mtime_ns)  # also if it was there before
    fitting = [run for run in known if run.id == name] or [run for run in known if run.id.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ResultsError(f"{name!r} is the beginning of several runs: {', '.join(run.id for run in fitting)}.")
    listed = ", ".join(run.id for run in known[-5:]) or "there is none yet: readback eval run"
    raise ResultsError(f"There is no run {name!r}. The newest: {listed}.")


class AnswerCache:
    """Replies by the hash of all that decides them. Safe for threads; errors are never kept."""

    def __init__(self, file: Path) -> None:
        """file: an SQLite file, created if missing."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._lock = threading.Lock()
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID")

    def get(self, key: str) -> Answer | None:
        """The reply of an earlier run."""
        with self._lock, self._open() as db:
            found = db.execute("SELECT answer FROM reply WHERE key = ?", (key,)).fetchone()
        return answer_of(json.loads(found[0])) if found else None

    def put(self, key: str, answer: Answer) -> None:
        """Keep a reply; it is on disk when this returns, so a killed run loses at most the questions in the air."""
        with self._lock, self._open() as db:
            text = json.dumps(answer.to_dict(), ensure_ascii=False)
            db.execute("INSERT OR REPLACE INTO reply VALUES (?, ?)", (key, text))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30)) as db, db:
            yield db
