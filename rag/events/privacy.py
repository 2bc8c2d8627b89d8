"""Deleting for good: a person's data, and what is older than the retention allows."""

from __future__ import annotations

import math
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select

from rag.events.database import Database
from rag.events.errors import EventRefused
from rag.events.records import Counts
from rag.events.schema import conversations, exposures, feedback, interactions


def forget(connection: Connection, user: str) -> Counts:
    """Delete every row about this user."""
    return _delete(connection, interactions.c.user_id == user, conversations.c.user_id == user)


def purge(connection: Connection, before: datetime) -> Counts:
    """Delete interactions from before that moment, with all feedback on them, and conversations untouched since."""
    return _delete(connection, interactions.c.at < before, conversations.c.updated < before)


def purge_before(database: Database, moment: datetime) -> Counts:
    """Delete what is older than the moment, out of the write-ahead log too."""
    with database.write() as connection:
        counts = purge(connection, moment)
    if counts != Counts():
        database.scrub()
    return counts


def check_days(days: float | None) -> None:
    """Raise EventRefused unless this is a span of time."""
    if days is not None and not (math.isfinite(days) and 0 < days < 100_000):
        raise EventRefused("The number of days to keep events must be positive.")


def _delete(connection: Connection, asked: ColumnElement[bool], talks: ColumnElement[bool]) -> Counts:

    chosen = select(interactions.c.position).where(asked)
    living = connection.execute(
        select(func.count()).select_from(conversations).where(talks, conversations.c.deleted.is_(None))
    ).scalar_one()
    signals = connection.execute(delete(feedback).where(feedback.c.interaction.in_(chosen))).rowcount
    connection.execute(delete(exposures).where(exposures.c.interaction.in_(chosen)))
    gone = connection.execute(delete(interactions).where(asked)).rowcount
    connection.execute(delete(conversations).where(talks))
    return Counts(gone, signals, living)
