"""Deleting for good: a person's data, and what is older than the retention allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select

from rag.events.database import Database
from rag.events.errors import EventRefused
from rag.events.feedback import TEXT_KINDS
from rag.events.records import Counts
from rag.events.schema import conversations, exposures, feedback, interactions

Gone = Callable[
    [Collection[str]], None
]  # told texts of people before they are deleted, to delete what was made of them


def words(connection: Connection, asked: ColumnElement[bool]) -> list[str]:
    """All that was said in some interactions, and about them."""
    column = interactions.c
    rows = connection.execute(select(column.question, column.standalone_question, column.answer_text).where(asked))
    said = select(feedback.c.value).join(interactions).where(asked, feedback.c.kind.in_(TEXT_KINDS))
    return [text for row in (*rows, *connection.execute(said)) for text in row if text]


def forget(connection: Connection, user: str, gone: Gone) -> Counts:
    """Delete every row about this user."""
    gone(words(connection, interactions.c.user_id == user))
    return _delete(connection, interactions.c.user_id == user, conversations.c.user_id == user)


def purge(connection: Connection, before: datetime, gone: Gone) -> Counts:
    """Delete interactions from before that moment, with all feedback on them, and conversations untouched since."""
    gone(words(connection, interactions.c.at < before))
    return _delete(connection, interactions.c.at < before, conversations.c.updated < before)


def purge_before(database: Database, moment: datetime, gone: Gone) -> Counts:
    """Delete what is older than the moment, out of the write-ahead log too."""
    with database.write() as connection:
        counts = purge(connection, moment, gone)
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
