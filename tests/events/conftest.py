"""Stores to test with: a SQLite file, and a real PostgreSQL server that lives as long as the session."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rag.events import EventStore

POSTGRES_HOMES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
UNPRIVILEGED = "postgres"  # the user that Debian's package makes: the server refuses to run as root


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """A second later than at the last call, so that an order can be seen."""
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of the maintenance database of a server on loopback, in a folder of its own, run by an ordinary user."""
    if not POSTGRES_HOMES and not shutil.which("initdb"):
        message = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    home = POSTGRES_HOMES[-1] if POSTGRES_HOMES else Path(shutil.which("initdb") or "").parent
    user = UNPRIVILEGED if os.geteuid() == 0 else getpass.getuser()
    switch: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="readback-postgres-"))
    password = secrets.token_hex(8)
    (folder / "password").write_text(password)
    if switch:
        shutil.chown(folder, user, user)
        shutil.chown(folder / "password", user, user)

    def run(*command: str | Path) -> None:
        with (folder / "log").open("ab") as log:  # a file: the server would keep a pipe open for ever
            done = subprocess.run(
                [str(part) for part in command], cwd=folder, check=False, timeout=120, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, **switch,
            )  # fmt: skip
        assert done.returncode == 0, (folder / "log").read_text()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    try:
        run(
            home / "initdb", "-D", data, "-U", "readback", "-A", "scram-sha-256", "--pwfile", folder / "password",
            "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=60"
        run(home / "pg_ctl", "-D", data, "-w", "-l", folder / "server.log", "-o", options, "start")
        try:
            yield f"postgresql://readback:{password}@127.0.0.1:{port}/postgres"
        finally:
            run(home / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_postgres(postgres: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases and returns their URLs."""
    made: list[str] = []

    def make() -> str:
        name = f"events_{secrets.token_hex(6)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        made.append(name)
        return postgres.rsplit("/", 1)[0] + f"/{name}"

    yield make
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in made:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "events.db")
    url: str = request.getfixturevalue("new_postgres")()
    return url


@pytest.fixture
def store(where: str, clock: Clock) -> Iterator[EventStore]:
    with EventStore.open(where, clock=clock) as opened:
        yield opened


@pytest.fixture
def sqlite(tmp_path: Path, clock: Clock) -> Iterator[EventStore]:
    """For what does not depend on the database."""
    with EventStore.open(tmp_path / "events.db", clock=clock) as opened:
        yield opened
