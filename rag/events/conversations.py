"""A person's conversations: everything here is about one user, and never touches another's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, null, or_, select, update

from rag.events.errors import EventRefused, EventUnknown
from rag.events.feedback import TEXT_KINDS, storable
from rag.events.reading import select_episodes
from rag.events.records import Conversation, ConversationSummary, Counts, Episode
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
    return Conversation(_summary(row), current_turns(everything))


def current_turns(episodes: list[Episode]) -> tuple[Episode, ...]:
    """The turns that count: asking a turn again replaces it and what was said after it."""
    turns: list[Episode] = []
    for episode in episodes:
        number = episode.interaction.turn or 1
        while turns and (turns[-1].interaction.turn or 1) >= number:
            turns.pop()
        turns.append(episode)
    return tuple(turns)


def rename(connection: Connection, user: str, conversation: str, title: str) -> None:
    """Give the conversation a title. Raises EventUnknown, or EventRefused for an empty or very long title."""
    title = " ".join(storable(title).split())
    if not 0 < len(title) <= TITLE_CHARS:
        raise EventRefused(f"A title has 1 to {TITLE_CHARS} characters.")
    mine = (conversations.c.user_id == user) & (conversations.c.id == conversation)
    done = connection.execute(update(conversations).where(mine, conversations.c.deleted.is_(None)).values(title=title))
    if not done.rowcount:
        raise EventUnknown(UNKNOWN)


def delete(connection: Connection, user: str, conversation: str, at: datetime) -> Counts:
    """Delete what was said and forget who said it; papers, scores and signals stay, tied to nobody.

    Raises EventUnknown if this user has no such conversation.
    """
    mine = (conversations.c.user_id == user) & (conversations.c.id == conversation)
    done = connection.execute(
        update(conversations).where(mine, conversations.c.deleted.is_(None)).values(title=None, deleted=at)
    )
    if not done.rowcount:
        raise EventUnknown(UNKNOWN)
    turns = (interactions.c.user_id == user) & (interactions.c.conversation_id == conversation)
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
                )
            )
        )
    )
    return Counts(asked.rowcount, signals.rowcount, 1)


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
    ).where(conversations.c.user_id == user, conversations.c.deleted.is_(None))


def _summary(row: Row[Any]) -> ConversationSummary:
    return ConversationSummary(row.id, row.title, row.started, row.updated)
