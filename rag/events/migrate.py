"""Bringing a database to the newest schema: at every open, by whoever comes first."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from rag.events.database import Database
from rag.events.errors import EventError
from rag.events.schema import HEAD

SCRIPTS = Path(__file__).with_name("migrations")
VERSION_TABLE = "readback_version"  # not alembic's default: the database may be shared with another program
POSTGRES_LOCK = 0x52454144  # any number, the same in every process


def migrate(database: Database, to: str | None = None) -> None:
    """Apply the migrations that are missing, all or none. to: a revision, None for the newest.

    Processes that open a new database at once take turns, and the later ones find nothing left to do.
    Raises EventError if a newer Readback has written the schema.
    """
    target = to or HEAD
    with database.read() as connection:
        if revision(connection) == target:
            return  # the usual case, without the cost of importing alembic
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
        found = revision(connection)
        if found == target:
            return
        _upgrade(connection, found, target)


def revision(connection: Connection) -> str | None:
    """The number of the newest migration applied; None for a database without our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection, found: str | None, target: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise EventError("The record of events was written by a newer Readback: update this one.")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
