"""A person's conversations: everything here is about one user, and never touches another's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, null, or_, select, update

from rag.events import tree
from rag.events.errors import EventRefused, EventUnknown
from rag.events.feedback import TEXT_KINDS, storable
from rag.events.privacy import Gone, words
from rag.events.reading import select_episodes
from rag.events.records import Conversation, ConversationSummary, Counts
from rag.events.schema import conversations, feedback, interactions

TITLE_CHARS = 200
SEARCH_CHARS = 500
UNKNOWN = "There is no such conversation of yours."


def summaries(connection: Connection, user: str, search: str, limit: int, offset: int) -> list[ConversationSummary]:
    """The user's conversations, newest first; with ``search``, those that hold all its words somewhere."""

    def holds(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
        return func.lower(column).contains(word, autoescape=True)

    chosen = _selected(user)
    for word in storable(search[:SEARCH_CHARS]).lower().split():
        said = select(interactions.c.conversation_id).where(
            interactions.c.user_id == user,
            or_(holds(interactions.c.question, word), holds(interactions.c.answer_text, word)),
        )
        chosen = chosen.where(holds(conversations.c.title, word) | conversations.c.id.in_(said))
    rows = connection.execute(
        chosen.order_by(conversations.c.updated.desc(), conversations.c.id).limit(limit).offset(offset)
    )
    return [_summary(row) for row in rows]


def read(connection: Connection, user: str, conversation: str) -> Conversation:
    """The conversation as it now stands. Raises EventUnknown if this user has no such one."""
    row = connection.execute(_selected(user).where(conversations.c.id == conversation)).first()
    if row is None:
        raise EventUnknown(UNKNOWN)
    everything = select_episodes(
        connection, interactions.c.user_id == user, interactions.c.conversation_id == conversation
    )
    up = tree.parents(everything)
    beside = tree.versions(up)
    return Conversation(
        _summary(row),
        tree.path(everything, row.current),
        {answer: beside[parent] for answer, parent in up.items()},
        tuple(everything),
        row.revision,
    )


def choose(connection: Connection, user: str, conversation: str, answer_id: str) -> None:
    """Make this version of its turn the current one. Raises EventUnknown."""
    theirs = (interactions.c.user_id == user) & (interactions.c.conversation_id == conversation)
    if connection.execute(select(interactions.c.id).where(theirs, interactions.c.id == answer_id)).first() is None:
        raise EventUnknown(UNKNOWN)
    _change(connection, user, conversation, current=answer_id)


def hide(connection: Connection, user: str, conversation: str, at: datetime) -> None:
    """Take the conversation out of sight, to be deleted later. Raises EventUnknown."""
    _change(connection, user, conversation, hidden=at)


def restore(connection: Connection, user: str, conversation: str) -> None:
    """Bring a hidden conversation back. Raises EventUnknown if it is not there any more."""
    _change(connection, user, conversation, seen=False, hidden=None)


def hidden(connection: Connection) -> list[tuple[str, str, datetime]]:
    """(user, conversation, since when) of all that wait to be deleted."""
    column = conversations.c
    waiting = select(column.user_id, column.id, column.hidden).where(column.hidden.is_not(None))
    return [(row.user_id, row.id, row.hidden) for row in connection.execute(waiting)]


def rename(connection: Connection, user: str, conversation: str, title: str) -> None:
    """Give the conversation a title. Raises EventUnknown, or EventRefused for an empty or very long title."""
    title = " ".join(storable(title).split())
    if not 0 < len(title) <= TITLE_CHARS:
        raise EventRefused(f"A title has 1 to {TITLE_CHARS} characters.")
    _change(connection, user, conversation, title=title)


def delete(connection: Connection, user: str, conversation: str, at: datetime, gone: Gone) -> Counts:
    """Delete what was said and forget who said it; papers, scores and signals stay, tied to nobody.

    Raises EventUnknown if this user has no such conversation.
    """
    mine = (conversations.c.user_id == user) & (conversations.c.id == conversation)
    done = connection.execute(
        update(conversations)
        .where(mine, conversations.c.deleted.is_(None))
        .values(title=None, deleted=at, hidden=None, current=None)
    )
    if not done.rowcount:
        raise EventUnknown(UNKNOWN)
    turns = (interactions.c.user_id == user) & (interactions.c.conversation_id == conversation)
    gone(words(connection, turns))
    signals = connection.execute(
        update(feedback)
        .where(feedback.c.interaction.in_(select(interactions.c.position).where(turns)))
        .values(user_id=None, value=case((feedback.c.kind.in_(TEXT_KINDS), null()), else_=feedback.c.value))
    )
    asked = connection.execute(
        update(interactions)
        .where(turns)
        .values(
            dict.fromkeys(
                (
                    "user_id",
                    "conversation_id",
                    "turn",
                    "question",
                    "standalone_question",
                    "answer_text",
                    "answer",
                    "parent_id",
                    "options",
                )
            )
        )
    )
    return Counts(asked.rowcount, signals.rowcount, 1)


def _change(connection: Connection, user: str, conversation: str, *, seen: bool = True, **values: Any) -> None:
    """Change a row of this user's. seen: whether it must be one that is in sight. Raises EventUnknown."""
    mine = (conversations.c.user_id == user) & (conversations.c.id == conversation) & conversations.c.deleted.is_(None)
    if seen:
        mine &= conversations.c.hidden.is_(None)
    changed = update(conversations).where(mine).values(**values, revision=conversations.c.revision + 1)
    if not connection.execute(changed).rowcount:
        raise EventUnknown(UNKNOWN)


def _selected(user: str) -> Select[Any]:
    first_question = (
        select(interactions.c.question)
        .where(interactions.c.user_id == conversations.c.user_id, interactions.c.conversation_id == conversations.c.id)
        .order_by(interactions.c.turn, interactions.c.position.desc())  # desc: a first turn may be asked again
        .limit(1)
        .scalar_subquery()
    )
    return select(
        conversations.c.id,
        func.coalesce(conversations.c.title, first_question).label("title"),
        conversations.c.started,
        conversations.c.updated,
        conversations.c.current,
        conversations.c.revision,
    ).where(conversations.c.user_id == user, conversations.c.deleted.is_(None), conversations.c.hidden.is_(None))


def _summary(row: Row[Any]) -> ConversationSummary:
    return ConversationSummary(row.id, row.title, row.started, row.updated)
