"""The catalog's tables, and how values are kept in their columns."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rag.index.ports import Entry, Row
from rag.ports import Vectors
from rag.types import Paper

LIVE = "since IS NOT NULL AND until IS NULL"
STAGED = "since IS NULL AND until IS NULL"
TABLES = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # since, until: the generations with which an entry became, and ceased to be, part of the collection.
    # edition: what was made with the same settings; a rebuild makes another one beside it
    """CREATE TABLE entry (
        number INTEGER PRIMARY KEY AUTOINCREMENT, edition TEXT NOT NULL, id TEXT NOT NULL, fingerprint TEXT NOT NULL,
        position INTEGER, since INTEGER, until INTEGER, parts INTEGER NOT NULL, spans TEXT NOT NULL,
        counts BLOB NOT NULL, record TEXT NOT NULL, dimension INTEGER NOT NULL, passages BLOB NOT NULL,
        sentences BLOB NOT NULL)""",
    f"CREATE INDEX live ON entry (position, id, fingerprint, parts) WHERE {LIVE}",
    "CREATE INDEX by_id ON entry (id)",
    "CREATE INDEX aside ON entry (edition) WHERE since IS NULL OR until IS NOT NULL",
    """CREATE TABLE word (number INTEGER PRIMARY KEY AUTOINCREMENT, edition TEXT NOT NULL, stem TEXT NOT NULL,
        vector BLOB, UNIQUE (edition, stem))""",
)
FROM_SCHEMA_1 = (  # the papers alone: a catalog of another schema can only be rebuilt
    """INSERT INTO entry (edition, id, fingerprint, position, since, parts, spans, counts, record, dimension, passages,
        sentences) SELECT '', id, fingerprint, position, 0, 0, '[]', x'', record, dimension, x'', vectors FROM paper""",
    "DROP TABLE paper",
)


def paper_of(record: str) -> Paper:
    """A paper from its JSON."""
    values = json.loads(record)
    values["authors"] = tuple(values["authors"])
    return Paper(**values)


def rows_of(paper_id: str, fingerprint: str, spans: str) -> list[Row]:
    """The passages of an entry. spans: JSON."""
    return [(paper_id, fingerprint, start, end) for start, end in json.loads(spans)]


def packed_counts(entry: Entry, numbers: Mapping[str, int]) -> bytes:
    """int32 rows: place of the passage, number of the word, how often. numbers: of stems."""
    found = [(at, numbers[stem], n) for at, words in enumerate(entry.words) for stem, n in words.items()]
    return np.asarray(found, dtype=np.int32).tobytes()


def packed(vectors: NDArray[np.float32]) -> bytes:
    """Vectors as float16."""
    return vectors.astype(np.float16).tobytes()


def unpacked(kept: bytes, dimension: int) -> Vectors:
    """Vectors from what ``packed`` made of them."""
    return np.frombuffer(kept, dtype=np.float16).astype(np.float32).reshape(-1, dimension)
