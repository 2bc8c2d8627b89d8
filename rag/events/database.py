"""One database of either kind behind two verbs: read and write. SQLAlchemy's errors become ours here."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rag.events.errors import EventError, EventRefused, EventsUnavailable

WAL_TRIES = 100  # times 50 ms: switching a new file to WAL does not wait for others by itself
FULL = (
    "The record of events cannot be written: its disk is full or failing, so this was not stored. "
    "Whoever runs Readback must make room on it."
)
UNAVAILABLE = "The record of events cannot be used now: it is busy, full or away. Please try again in a minute."


class Database:
    """SQLite or PostgreSQL. Safe to use from several threads."""

    def __init__(self, where: str | Path, *, busy_timeout_s: float = 10.0) -> None:
        """where: a file, or a URL of SQLite or PostgreSQL. busy_timeout_s: how long a write waits for others.

        Raises EventError for a URL of another kind or a file that is no database; EventsUnavailable for a file that
        cannot be written. A server is not contacted before it is needed.
        """
        self._url = parsed_url(where)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._turn: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        )
        self._file = Path(self._url.database or "")
        if self.is_sqlite:
            found_or_made(self._file)
            self._identity = identity(self._file)
        self._engine = (
            sqlite_engine(self._url, busy_timeout_s) if self.is_sqlite else postgres_engine(self._url, busy_timeout_s)
        )
        self._reading = (
            self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._writing = self._engine.execution_options(readback_writes=True)
        try:
            if self.is_sqlite:
                self._switch_to_wal()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of everything, whatever others write meanwhile. Raises EventsUnavailable if it cannot be had now."""
        with translated(), self._reading.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, on disk when the block has been left. Raises EventsUnavailable, or EventRefused for a
        record that contradicts another. In one process writers queue here: SQLite's own way of waiting is polling.
        """
        with translated(), self._turn, self._writing.begin() as connection:
            yield connection
            self._check_file()  # before it is acknowledged

    def check(self, *, thorough: bool = False) -> None:
        """Raise EventsUnavailable if the database cannot be reached or its file was taken away.

        thorough: look at the whole of a SQLite file. Raises EventError if it is damaged.
        """
        self._check_file()
        with self.read() as connection:
            connection.execute(text("SELECT 1"))
            if thorough and self.is_sqlite:
                said = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
                if said != "ok":
                    raise EventError(damaged(self._file, said.splitlines()[-1]))

    def _check_file(self) -> None:
        if self.is_sqlite and identity(self._file) != self._identity:
            raise EventsUnavailable(
                f"The record of events {self._file} was deleted or replaced while Readback runs: what is said now "
                "cannot be stored. Put the file back, or restore a backup, and start Readback again."
            )

    def scrub(self) -> None:
        """Have deleted text leave the write-ahead log too, as far as readers allow. PostgreSQL does so by itself."""
        if self.is_sqlite:
            file = self._url.database or ""
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(sqlite3.connect(file, timeout=1.0)) as connection,
            ):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def _switch_to_wal(self) -> None:
        file = self._url.database or ""
        for left in range(WAL_TRIES, -1, -1):
            with contextlib.closing(sqlite3.connect(file, timeout=1.0)) as connection:
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError as error:
                    if not left or "locked" not in str(error):
                        raise EventsUnavailable(UNAVAILABLE) from error
                except sqlite3.DatabaseError as error:
                    raise EventError(damaged(self._file, "it is no SQLite file")) from error
                else:
                    return
            time.sleep(0.05)


def parsed_url(where: str | Path) -> URL:
    """The database meant. Raises EventError, without repeating a URL that may hold a password."""
    if isinstance(where, Path) or "://" not in where:
        if not str(where) or str(where) == ":memory:":
            raise EventError("The record of events needs a file or the URL of a database.")
        return URL.create("sqlite", database=str(Path(where).expanduser()))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise EventError("The URL of the event database cannot be read: see .env.example.") from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return URL.create("sqlite", database=url.database)
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise EventError("The event database must be a file, or a URL that starts with sqlite:/// or postgresql://.")


def found_or_made(file: Path) -> None:
    """Make sure that the file is there, with a note beside it that says so: a record that has gone is not begun anew.

    Raises EventError if it has gone or is empty, EventsUnavailable if it cannot be written.
    """
    note = file.with_name(f"{file.name}.note")
    try:
        if not file.exists():
            if note.exists():
                raise EventError(
                    f"The record of events {file} has gone. Restore a backup; or delete {note} to begin a new record."
                )
            create_private(file)
        with file.open("r+b"):  # whether it can be written
            pass
        if not file.stat().st_size:
            raise EventError(damaged(file, "it is empty"))
        if not note.exists():
            note.touch(0o600)
            note.write_text(f"{file.name} holds what people asked and said. This note tells when it has gone.\n")
    except OSError as error:
        raise EventsUnavailable(f"{file} cannot be written: {error.strerror}.") from error


def create_private(file: Path) -> None:
    """Make an empty database, for its owner's eyes alone: it will hold what people asked. It appears whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with contextlib.closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        with contextlib.suppress(FileExistsError):  # another process has just made it
            os.link(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)


def identity(file: Path) -> tuple[int, int] | None:
    """Which file this is on the disk; None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def damaged(file: Path, reason: str) -> str:
    """What to say of a record that cannot be read."""
    return (
        f"The record of events {file} is damaged ({reason}). Restore a backup; or move it away, with the note beside "
        "it, to begin a new record."
    )


def sqlite_engine(url: URL, busy_timeout_s: float) -> Engine:
    """SQLite with transactions that begin when ours do, and commits that are on disk."""
    engine = create_engine(url, hide_parameters=True, pool_size=8, max_overflow=56)

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver would begin late, and so deadlock two writers
        connection.execute(f"PRAGMA busy_timeout = {int(busy_timeout_s * 1000)}")
        connection.execute("PRAGMA synchronous = FULL")  # an acknowledged commit survives a power cut
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # deleted means overwritten
        connection.create_function("lower", 1, _lower, deterministic=True)  # the built-in one knows ASCII only

    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("readback_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def postgres_engine(url: URL, busy_timeout_s: float) -> Engine:
    """PostgreSQL, where a lost connection is noticed before it is used."""
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=8,
            max_overflow=24,
            connect_args={"connect_timeout": 10},
        )
    except ImportError:
        raise EventError("PostgreSQL needs a driver: pip install '.[postgres]'.") from None

    def on_connect(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            cursor.execute(f"SET lock_timeout = {int(busy_timeout_s * 1000)}")
        connection.commit()

    event.listen(engine, "connect", on_connect)
    return engine


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """SQLAlchemy's errors as ours: for the user in the message, in full in the cause."""
    try:
        yield
    except IntegrityError as error:
        raise EventRefused("This is recorded already.") from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise EventsUnavailable(unavailable(str(getattr(error, "orig", "")))) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise EventsUnavailable(UNAVAILABLE) from error
        raise EventError("The record of events could not do this.") from error
    except SQLAlchemyError as error:
        raise EventError("The record of events could not do this.") from error


def unavailable(reason: str) -> str:
    """What to tell people. reason: the database's own words."""
    return FULL if "full" in reason or "disk I/O" in reason else UNAVAILABLE


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
