"""Deleting for good: a person's data, and what is older than the retention allows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select

from rag.events.records import Counts
from rag.events.schema import conversations, exposures, feedback, interactions


def forget(connection: Connection, user: str) -> Counts:
    """Delete every row about this user."""
    return _delete(connection, interactions.c.user_id == user, conversations.c.user_id == user)


def purge(connection: Connection, before: datetime) -> Counts:
    """Delete interactions from before that moment, with all feedback on them, and conversations untouched since."""
    return _delete(connection, interactions.c.at < before, conversations.c.updated < before)


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
