"""The file of the catalog: made, opened, checked and set aside; which statements run on it is not known here."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rag.errors import IndexUnusable
from rag.index.faults import advice
from rag.index.schema import TABLES


class CatalogFile:
    """One SQLite file. What is wrong with it becomes IndexUnusable, with what to do next."""

    def __init__(self, path: Path) -> None:
        """path: it is created at the first write."""
        self._path = path
        # held, or each connection would be the last one and clear up the log as it closes
        self._open: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever indexed here."""
        return self._path.is_file()

    def damaged(self) -> bool:
        """Whether the file is there but is no catalog that can be read, now or later."""
        try:
            self._rows("SELECT key, value FROM meta")
        except IndexUnusable as error:
            cause = error.__cause__
            return not isinstance(cause, sqlite3.OperationalError) or "no such table" in str(cause)
        return False

    def check(self) -> None:
        """Look at the whole file. Raises IndexUnusable if SQLite finds a fault in it."""
        (said,) = self._rows("PRAGMA quick_check(1)") or [("ok",)]
        if said[0] != "ok":
            raise self._damaged(str(said[0]).splitlines()[-1])

    def set_aside(self) -> None:
        """Rename a damaged file, so that a new one can be made and the old one can be looked at."""
        for end in ("", "-wal", "-shm"):
            path = Path(f"{self._path}{end}")
            if path.exists():
                path.replace(f"{self._path}.damaged{end}")
        self._open = None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self.exists:
                self._create()
            with closing(sqlite3.connect(self._path, timeout=30)) as db:
                db.execute("PRAGMA synchronous=FULL")
                db.execute("PRAGMA secure_delete=ON")  # what was removed is overwritten
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    yield db
        except (sqlite3.OperationalError, OSError) as error:
            raise IndexUnusable(
                f"The catalog {self._path} cannot be written ({error}). {advice(str(error))}"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _create(self) -> None:
        """Make the file under another name first: whoever sees it sees its tables."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with closing(sqlite3.connect(fresh)) as db:
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            db.execute("PRAGMA journal_mode=WAL")  # stays in force for the file
            with db:
                for statement in TABLES:
                    db.execute(statement)
        fresh.replace(self._path)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as db:
                if self._open is None:
                    held = sqlite3.connect(self._path, check_same_thread=False)
                    held.execute("SELECT 1 FROM meta").close()
                    weakref.finalize(self, held.close)
                    self._open = held
                yield db
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, reason: str) -> IndexUnusable:
        return IndexUnusable(
            f"The catalog {self._path} cannot be read ({reason}). Restore a backup, or run: "
            "readback index --rebuild FILES, with all files of the collection"
        )

    def _rows(self, select: str, *values: str) -> list[Any]:
        """All rows; none before the first write."""
        if not self.exists:
            return []
        with self._connect() as db:
            return db.execute(select, values).fetchall()

    def _among(self, select: str, keys: Sequence[str | int], *values: str) -> list[Any]:
        """All rows of a statement that ends with IN and is given the keys."""
        if not keys or not self.exists:
            return []
        with self._connect() as db:
            return list(among(db, select, keys, *values))


def among(db: sqlite3.Connection, select: str, keys: Sequence[str | int], *values: str) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(keys), 500):  # below SQLite's limit of bound variables
        part = keys[start : start + 500]
        yield from db.execute(f"{select} ({','.join('?' * len(part))})", [*values, *part])
