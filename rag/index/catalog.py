"""What the collection holds at this moment: papers, passages and sentence vectors, in one SQLite file.

Vectors live in Chroma and the lexical index in a folder, but only what the catalog names is part of the collection.
Indexing first writes the new things beside the old ones and then changes the catalog in one transaction, so a reader
sees a paper as it was or as it is, and a killed indexer leaves nothing but unnamed leftovers.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import IndexUnusable
from rag.ports import Vectors
from rag.types import Paper, Passage

SCHEMA = 1
CACHED = 4096  # papers kept parsed in memory


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that decides whether an index fits the settings."""

    embedder: str
    dimension: int
    chunking: str
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper as it is indexed: where its passages and sentences are, and its sentences' vectors."""

    paper: Paper
    spans: tuple[tuple[int, int], ...]  # the passages, as offsets into the abstract
    sentence_vectors: Vectors  # [number of sentences, dimension], rows of unit length

    def passages(self) -> list[Passage]:
        """The passages in order."""
        paper = self.paper
        return [Passage(paper.id, paper.title, start, paper.abstract[start:end]) for start, end in self.spans]


class Catalog:
    """The catalog file. Reading is safe at any time from any thread or process; one process may write."""

    def __init__(self, path: Path) -> None:
        """path: the SQLite file; it is created at the first write."""
        self._path = path
        self._read: dict[tuple[str, str], tuple[Paper, Vectors]] = {}  # by id and fingerprint, so never stale

    @property
    def exists(self) -> bool:
        """Whether anything was ever indexed here."""
        return self._path.is_file()

    def damaged(self) -> bool:
        """Whether the file is there but is no catalog that can be read, now or later."""
        try:
            self.meta()
        except IndexUnusable as error:
            cause = error.__cause__
            return not isinstance(cause, sqlite3.OperationalError) or "no such table" in str(cause)
        return False

    def set_aside(self) -> None:
        """Rename a damaged file, so that a new one can be made and the old one can be looked at."""
        for end in ("", "-wal", "-shm"):
            path = Path(f"{self._path}{end}")
            if path.exists():
                path.replace(f"{self._path}.damaged{end}")

    def generation(self) -> int:
        """A number that grows with every commit; 0 before the first."""
        return int(self.meta().get("generation", "0")) if self.exists else 0

    def meta(self) -> dict[str, str]:
        """The manifest and the names of the parts that make up the current generation."""
        if not self.exists:
            return {}
        with self._connect() as db:
            return dict(db.execute("SELECT key, value FROM meta"))

    def manifest(self) -> Manifest | None:
        """What the current generation was made with; None before the first commit."""
        stored = self.meta().get("manifest")
        if not stored:
            return None
        facts = json.loads(stored)  # a later schema may say more, but its number alone makes it another manifest
        return Manifest(**{one.name: facts[one.name] for one in fields(Manifest) if one.name in facts})

    def fingerprints(self) -> dict[str, str]:
        """Paper id → fingerprint, in the order in which the papers first came."""
        if not self.exists:
            return {}
        with self._connect() as db:
            return dict(db.execute("SELECT id, fingerprint FROM paper ORDER BY position"))

    def papers(self) -> list[Paper]:
        """All papers, in the order in which they first came."""
        if not self.exists:
            return []
        with self._connect() as db:
            return [_paper(record) for (record,) in db.execute("SELECT record FROM paper ORDER BY position")]

    def paper(self, paper_id: str) -> Paper | None:
        """One paper, or None if the collection does not hold it."""
        found = self.some([paper_id])
        return found[paper_id][0] if found else None

    def some(self, paper_ids: Iterable[str]) -> dict[str, tuple[Paper, Vectors]]:
        """Paper and sentence vectors of those of the ids that the collection holds."""
        if not self.exists:
            return {}
        wanted = list(dict.fromkeys(paper_ids))
        with self._connect() as db, db:
            versions = dict(_in(db, "SELECT id, fingerprint FROM paper WHERE id IN", wanted))
            found = {paper_id: self._read.get((paper_id, version)) for paper_id, version in versions.items()}
            missing = [paper_id for paper_id, held in found.items() if held is None]
            columns = "SELECT id, fingerprint, record, dimension, vectors FROM paper WHERE id IN"
            for paper_id, version, record, dimension, blob in _in(db, columns, missing):
                vectors = np.frombuffer(blob, dtype=np.float16).astype(np.float32).reshape(-1, dimension)
                found[paper_id] = (_paper(record), vectors)
                if len(self._read) >= CACHED:
                    self._read.clear()
                self._read[paper_id, version] = (_paper(record), vectors)
        return {paper_id: held for paper_id, held in found.items() if held is not None}

    def passages(self) -> Iterator[tuple[str, Passage]]:
        """(fingerprint of the paper, passage) of the whole collection, in order."""
        with self._connect() as db:
            rows = db.execute("SELECT fingerprint, record, spans FROM paper ORDER BY position")
            for fingerprint, record, spans in rows:
                paper = _paper(record)
                for start, end in json.loads(spans):
                    yield fingerprint, Passage(paper.id, paper.title, start, paper.abstract[start:end])

    def set_meta(self, **values: str) -> None:
        """Write facts that are not part of a generation."""
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """One transaction: everything done to the Change becomes visible at once at the end, or nothing does."""
        with self._writing() as db:
            yield Change(db)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self.exists:
            self._create()
        with closing(sqlite3.connect(self._path, timeout=30)) as db:
            db.execute("PRAGMA synchronous=FULL")
            with db:
                db.execute("BEGIN IMMEDIATE")
                yield db

    def _create(self) -> None:
        """Make the file under another name first: whoever sees it sees its tables."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with closing(sqlite3.connect(fresh)) as db:
            db.execute("PRAGMA journal_mode=WAL")  # stays in force for the file
            with db:
                for statement in _TABLES:
                    db.execute(statement)
        fresh.replace(self._path)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as db:
                yield db
        except sqlite3.DatabaseError as error:
            raise IndexUnusable(
                f"The catalog {self._path} cannot be read ({error}). "
                "Run: readback index --rebuild FILES, with all files of the collection"
            ) from error


_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE paper (
        position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
        record TEXT NOT NULL, spans TEXT NOT NULL, dimension INTEGER NOT NULL, vectors BLOB NOT NULL)""",
)


class Change:
    """The writes of one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """db: inside a transaction that the caller commits."""
        self._db = db

    def put(self, entries: Sequence[Entry]) -> None:
        """Add papers, or replace those with the same id, which keep their place."""
        self._db.executemany(
            """INSERT INTO paper (id, fingerprint, record, spans, dimension, vectors) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET fingerprint=excluded.fingerprint, record=excluded.record,
               spans=excluded.spans, dimension=excluded.dimension, vectors=excluded.vectors""",
            [
                (
                    entry.paper.id,
                    entry.paper.fingerprint,
                    json.dumps(asdict(entry.paper), ensure_ascii=False),
                    json.dumps(entry.spans),
                    entry.sentence_vectors.shape[1],
                    entry.sentence_vectors.astype(np.float16).tobytes(),
                )
                for entry in entries
            ],
        )

    def remove(self, paper_ids: Iterable[str]) -> None:
        """Take papers out of the collection."""
        self._db.executemany("DELETE FROM paper WHERE id = ?", [(paper_id,) for paper_id in paper_ids])

    def clear(self) -> None:
        """Take all papers out, as a rebuild does before it puts them back."""
        self._db.execute("DELETE FROM paper")

    def passages(self) -> list[tuple[str, Passage]]:
        """(fingerprint, passage) of the whole collection as this transaction leaves it."""
        rows = self._db.execute("SELECT fingerprint, record, spans FROM paper ORDER BY position")
        return [
            (fingerprint, Passage(paper.id, paper.title, start, paper.abstract[start:end]))
            for fingerprint, record, spans in rows
            for paper in (_paper(record),)
            for start, end in json.loads(spans)
        ]

    def commit_generation(self, facts: Mapping[str, str]) -> int:
        """Write the facts and the next generation's number, and return that number."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
        generation = int(row[0]) + 1 if row else 1
        values = {**facts, "generation": str(generation)}
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())
        return generation


def _in(db: sqlite3.Connection, select: str, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(keys), 500):  # below SQLite's limit of bound variables
        part = keys[start : start + 500]
        yield from db.execute(f"{select} ({','.join('?' * len(part))})", part)


def _paper(record: str) -> Paper:
    values = json.loads(record)
    values["authors"] = tuple(values["authors"])
    return Paper(**values)
