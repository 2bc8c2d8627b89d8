"""An on-disk cache of document vectors, so that no text is embedded twice by the same model.

Questions are kept in memory only, and few: they are cheap to embed and belong to the people who asked them.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from rag.errors import SettingsError
from rag.ports import Embedder, Kind, Vectors

log = logging.getLogger(__name__)
BATCH = 32  # texts embedded between two writes: what a crash can lose


class CachedEmbedder:
    """An Embedder in front of another one. Safe for threads and processes; each batch is kept as it arrives."""

    def __init__(self, inner: Embedder, path: Path) -> None:
        """inner: embeds what is not cached. path: the SQLite file, created if missing."""
        self._inner = inner
        self._path = path
        # the stages of one answer ask for the same question's vector
        self._query = lru_cache(maxsize=256)(lambda text: inner.embed([text], "query")[0])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"READBACK_DATA_DIR: {path.parent} cannot be made ({error.strerror}).") from error
        try:
            self._create()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
                raise SettingsError(f"READBACK_DATA_DIR: {path} cannot be used ({error}).") from error
            # not a database, but only a cache: make it anew
            log.warning("%s is damaged (%s): starting an empty one", path, error)
            for end in ("", "-wal", "-shm"):
                Path(f"{path}{end}").unlink(missing_ok=True)
            self._create()

    @property
    def name(self) -> str:
        """The inner embedder's name: caching changes no vector."""
        return self._inner.name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._inner.dimension

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Like the inner embedder's. After an error, the batches that had arrived are kept for the next try."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if kind == "query":
            return np.stack([self._query(text) for text in texts])
        keys = [self._key(text) for text in texts]
        found = self._read(keys)
        missing = list({key: position for position, key in enumerate(keys) if key not in found}.values())
        for start in range(0, len(missing), BATCH):
            positions = missing[start : start + BATCH]
            vectors = self._inner.embed([texts[position] for position in positions], kind)
            fresh = {keys[position]: vector.tobytes() for position, vector in zip(positions, vectors, strict=True)}
            with self._connect() as db:
                db.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?)", fresh.items())
            found |= fresh
        return np.stack([np.frombuffer(found[key], dtype=np.float32) for key in keys])

    def _create(self) -> None:
        if not self._path.exists():
            # under another name first, so that a process which starts at the same time sees a file with its table
            fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}.{threading.get_ident()}")
            fresh.unlink(missing_ok=True)
            with closing(sqlite3.connect(fresh)) as db, db:
                db.execute("PRAGMA journal_mode=WAL")  # stays in force for the file
                db.execute("CREATE TABLE vector (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            with suppress(FileExistsError):
                os.link(fresh, self._path)
            fresh.unlink()
        with self._connect() as db:
            db.execute("SELECT 1 FROM vector LIMIT 1")

    def _key(self, text: str) -> bytes:
        return sha256(f"{self._inner.name}\n{text}".encode()).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        with self._connect() as db:
            for start in range(0, len(keys), 500):  # below SQLite's limit of bound variables
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                found.update(db.execute(f"SELECT key, value FROM vector WHERE key IN ({marks})", part))
        return found

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as db, db:
            yield db
