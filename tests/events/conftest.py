"""Stores to test with: a SQLite file, and a real PostgreSQL server that lives as long as the session."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from eval.lab.postgres import home, running
from rag.events import EventStore


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
    programs = home()
    if programs is None:
        message = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    assert programs is not None
    with running(programs) as server:
        yield server.url


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
