"""From rows to records, and the walk over all of them that learners and exports take."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, case, exists, func, select

from rag.events.codec import answer_from_json, options_from_json
from rag.events.database import Database
from rag.events.records import Episode, Exposure, Feedback, Interaction, Stats
from rag.events.schema import clock, conversations, exposures, feedback, interactions

if TYPE_CHECKING:
    from rag.types import Answer

PAGE = 500  # interactions read in one transaction, so that a long walk holds nothing up
log = logging.getLogger("rag.events")


def position(connection: Connection) -> int:
    """The position of the newest event; 0 before the first."""
    return int(connection.execute(select(clock.c.position)).scalar_one())


def episodes(database: Database, since: int, until: int | None, user: str | None = None) -> Iterator[Episode]:
    """Interactions that are new after ``since`` or got feedback after it, oldest first, each with all its feedback."""
    with database.read() as connection:
        last = position(connection) if until is None else until
    news = exists().where(
        feedback.c.interaction == interactions.c.position, feedback.c.position > since, feedback.c.position <= last
    )
    after = 0
    while True:
        wanted = [interactions.c.position > after, interactions.c.position <= last]
        if since > 0:
            wanted.append((interactions.c.position > since) | news)
        if user is not None:
            wanted.append(interactions.c.user_id == user)
        with database.read() as connection:
            page = select_episodes(connection, *wanted, until=last, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].interaction.position


def select_episodes(
    connection: Connection, *wanted: ColumnElement[bool], until: int | None = None, limit: int | None = None
) -> list[Episode]:
    """The interactions that meet all conditions, by position, with their papers and their feedback up to ``until``."""
    rows = connection.execute(select(interactions).where(*wanted).order_by(interactions.c.position).limit(limit)).all()
    if not rows:
        return []
    chosen = select(interactions.c.position).where(*wanted).order_by(interactions.c.position).limit(limit).subquery()
    papers: dict[int, list[Exposure]] = defaultdict(list)
    for row in connection.execute(
        select(exposures)
        .join(chosen, exposures.c.interaction == chosen.c.position)
        .order_by(exposures.c.rank.is_(None), exposures.c.rank, exposures.c.shown_at, exposures.c.paper_id)
    ):
        papers[row.interaction].append(exposure_from_row(row))
    said: dict[int, list[Feedback]] = defaultdict(list)
    about = select(feedback, interactions.c.id.label("interaction_id")).select_from(feedback).join(interactions)
    about = about.join(chosen, feedback.c.interaction == chosen.c.position).order_by(feedback.c.position)
    if until is not None:
        about = about.where(feedback.c.position <= until)
    for row in connection.execute(about):
        said[row.interaction].append(feedback_from_row(row))
    return [Episode(interaction_from_row(row, papers[row.position]), tuple(said[row.position])) for row in rows]


def interaction_from_row(row: Row[Any], papers: Sequence[Exposure]) -> Interaction:
    """The record of one row of ``interactions``."""
    return Interaction(
        id=row.id,
        position=row.position,
        at=row.at,
        user=row.user_id,
        conversation=row.conversation_id,
        turn=row.turn,
        source=row.source,
        question=row.question,
        standalone_question=row.standalone_question,
        answer=_answer(row),
        papers=tuple(papers),
        mode=row.mode,
        model=row.model,
        abstained=row.abstained,
        policy_version=row.policy_version,
        latency_ms=row.latency_ms,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost_usd=row.cost_usd,
        parent=row.parent_id,
        options=options_from_json(row.options),
    )


def _answer(row: Row[Any]) -> Answer | None:
    if row.answer is None:
        return None
    try:
        return answer_from_json(row.answer)
    except ValueError:
        log.warning("The stored answer %s cannot be read", row.id)
        return None


def exposure_from_row(row: Row[Any]) -> Exposure:
    """The record of one row of ``exposures``."""
    scores = json.loads(row.scores) if row.scores else {}
    return Exposure(row.paper_id, row.rank, row.score, row.shown_at, row.cited, scores)


def feedback_from_row(row: Row[Any]) -> Feedback:
    """The record of one row of ``feedback``, joined with its interaction's id as ``interaction_id``."""
    value = row.number if row.number is not None else row.value
    return Feedback(row.id, row.position, row.at, row.interaction_id, row.user_id, row.kind, value, row.paper_id)


def stats(connection: Connection) -> Stats:
    """Sums over everything stored."""
    column = interactions.c
    sums = connection.execute(
        select(
            func.count().label("interactions"),
            func.count(column.user_id.distinct()).label("users"),
            func.coalesce(func.sum(case((column.abstained, 1), else_=0)), 0).label("abstained"),
            func.min(column.at).label("first"),
            func.max(column.at).label("last"),
            func.coalesce(func.sum(column.prompt_tokens), 0).label("prompt_tokens"),
            func.coalesce(func.sum(column.completion_tokens), 0).label("completion_tokens"),
            func.coalesce(func.sum(column.cost_usd), 0.0).label("cost_usd"),
        ).select_from(interactions)
    ).one()
    living = select(func.count()).select_from(conversations).where(conversations.c.deleted.is_(None))
    chosen = case((feedback.c.kind.in_(("answered", "reason", "withdraw", "evidence")), feedback.c.value), else_=None)
    kinds = connection.execute(
        select(feedback.c.kind, chosen.label("value"), func.count().label("number")).group_by(feedback.c.kind, chosen)
    )
    counted = {f"{row.kind}:{row.value}" if row.value else str(row.kind): int(row.number) for row in kinds}
    return Stats(
        interactions=sums.interactions,
        users=sums.users,
        conversations=connection.execute(living).scalar_one(),
        abstained=int(sums.abstained),
        first=sums.first,
        last=sums.last,
        prompt_tokens=int(sums.prompt_tokens),
        completion_tokens=int(sums.completion_tokens),
        cost_usd=float(sums.cost_usd),
        feedback=dict(sorted(counted.items())),
    )
