"""Putting events into the tables: what exactly is stored of an answer, and of feedback on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, insert, select, update

from rag.events.codec import answer_json, finite, options_json
from rag.events.errors import EventRefused, EventUnknown
from rag.events.feedback import TEXT_KINDS, check_paper, checked_id, storable
from rag.events.reading import feedback_from_row
from rag.events.records import Exposure, Feedback, Kind, Source
from rag.events.schema import clock, conversations, exposures, feedback, interactions
from rag.types import Answer, Options

Scores = Mapping[str, Mapping[str, float]]  # paper id -> stage -> score


@dataclass(frozen=True, slots=True)
class Asked:
    """One interaction on its way into the record."""

    answer: Answer
    user: str
    conversation: str | None
    turn: int
    shown: tuple[str, ...] | None
    scores: Scores | None
    source: Source
    latency_ms: float | None
    at: datetime
    parent: str | None = None
    options: Options = Options()


def tick(connection: Connection, steps: int) -> int:
    """Reserve the next positions and return the first of them. Other writers wait until this one commits."""
    last = connection.execute(
        update(clock).values(position=clock.c.position + steps).returning(clock.c.position)
    ).scalar_one()
    return int(last) - steps + 1


def write_interactions(connection: Connection, batch: Sequence[Asked], *, keep_texts: bool) -> None:
    """Store all. Raises EventRefused if one of them cannot be stored, e.g. because it already is."""
    first = tick(connection, len(batch))
    rows: list[dict[str, Any]] = []
    papers: list[dict[str, Any]] = []
    for position, asked in enumerate(batch, start=first):
        check(asked)
        deleted = enter_conversation(connection, asked)
        row = interaction_row(asked, keep_texts=keep_texts and not deleted)
        if deleted:
            row |= {"user_id": None, "conversation_id": None, "turn": None, "parent_id": None}
        rows.append({"position": position, **row})
        papers += [exposure_row(position, exposure) for exposure in exposures_of(asked)]
    connection.execute(insert(interactions), rows)
    if papers:
        connection.execute(insert(exposures), papers)


def check(asked: Asked) -> None:
    """Raise EventRefused for an interaction that readers could not make sense of."""
    checked_id("answer", asked.answer.id)
    checked_id("user", asked.user)
    if asked.conversation is not None:
        checked_id("conversation", asked.conversation)
    if asked.source not in get_args(Source):
        raise EventRefused(f"Unknown source of a question: use one of {', '.join(get_args(Source))}.")
    if asked.parent is not None:
        checked_id("answer it follows", asked.parent)
    if asked.turn < 1:
        raise EventRefused("Turns are counted from 1.")


def enter_conversation(connection: Connection, asked: Asked) -> bool:
    """Note that the conversation went on. Whether its owner has deleted it: then nothing of it may come back."""
    if asked.conversation is None:
        return False
    mine = (conversations.c.user_id == asked.user) & (conversations.c.id == asked.conversation)
    found = connection.execute(select(conversations.c.deleted, conversations.c.updated).where(mine)).first()
    if found is None:
        connection.execute(
            insert(conversations).values(
                user_id=asked.user,
                id=asked.conversation,
                started=asked.at,
                updated=asked.at,
                current=asked.answer.id,
                revision=1,
            )
        )
        return False
    if found.deleted is None:
        changed: dict[str, Any] = {"current": asked.answer.id, "revision": conversations.c.revision + 1}
        if found.updated < asked.at:
            changed["updated"] = asked.at
        connection.execute(update(conversations).where(mine).values(changed))
    return found.deleted is not None


def interaction_row(asked: Asked, *, keep_texts: bool) -> dict[str, Any]:
    """Columns of the interaction, all but its position."""
    answer = asked.answer
    latency_ms = asked.latency_ms if asked.latency_ms is not None else answer.timings_ms.get("total")
    texts: dict[str, str | None] = dict.fromkeys(("question", "standalone_question", "answer_text", "answer"))
    if keep_texts:
        texts = {
            "question": storable(answer.question),
            "standalone_question": storable(answer.standalone_question),
            "answer_text": storable(answer.text),
            "answer": answer_json(answer),
        }
    return {
        "id": answer.id,
        "at": asked.at,
        "user_id": asked.user,
        "conversation_id": asked.conversation,
        "turn": None if asked.conversation is None else asked.turn,
        "source": asked.source,
        "mode": answer.mode,
        "model": None if answer.model is None else storable(answer.model),
        "abstained": answer.abstained,
        "policy_version": storable(answer.policy_version),
        "latency_ms": finite(latency_ms),
        "prompt_tokens": answer.usage.prompt_tokens,
        "completion_tokens": answer.usage.completion_tokens,
        "cost_usd": finite(answer.usage.cost_usd),
        "parent_id": asked.parent,
        "options": options_json(asked.options, keep_texts=keep_texts),
        **texts,
    }


def exposures_of(asked: Asked) -> list[Exposure]:
    """Every paper that was retrieved or shown, by rank. Unless told, the cards are what was shown: the papers cited,
    in the order of their markers, or the closest ones when abstaining.
    """
    answer = asked.answer
    cards = answer.citations or answer.closest
    shown = asked.shown if asked.shown is not None else tuple(card.paper_id for card in cards)
    position = {paper: place for place, paper in enumerate(dict.fromkeys(shown), start=1)}
    cited = {citation.paper_id for citation in answer.citations}
    ranked = {paper.paper_id: paper for paper in reversed(answer.retrieved)}  # reversed: the best rank wins
    papers = [paper.paper_id for paper in answer.retrieved] + list(position) + sorted(cited)
    scores = asked.scores or answer.trace.get("papers", {})
    return [
        Exposure(
            paper_id=paper,
            rank=ranked[paper].rank if paper in ranked else None,
            score=finite(ranked[paper].score) if paper in ranked else None,
            position=position.get(paper),
            cited=paper in cited,
            scores={stage: score for stage, score in scores.get(paper, {}).items() if finite(score) is not None},
        )
        for paper in dict.fromkeys(papers)
    ]


def exposure_row(interaction: int, exposure: Exposure) -> dict[str, Any]:
    """Columns of one paper of an interaction."""
    return {
        "interaction": interaction,
        "paper_id": storable(exposure.paper_id),
        "rank": exposure.rank,
        "score": exposure.score,
        "shown_at": exposure.position,
        "cited": exposure.cited,
        "scores": json.dumps(dict(exposure.scores)) if exposure.scores else None,
    }


def write_feedback(
    connection: Connection,
    interaction_id: str,
    *,
    id: str,
    user: str,
    kind: Kind,
    value: str | float | None,
    paper_id: str | None,
    at: datetime,
    keep_texts: bool,
) -> Feedback:
    """Store feedback whose kind and value are checked; the same id again is the same feedback, stored once.

    Raises EventUnknown if this person has no such answer, EventRefused for a paper the kind cannot be about.
    """
    position = tick(connection, 1)
    interaction = connection.execute(
        select(interactions.c.position).where(interactions.c.id == interaction_id, interactions.c.user_id == user)
    ).scalar()
    if interaction is None:  # the same words for a foreign one: nobody learns which ids exist
        raise EventUnknown("There is no such answer of yours to give feedback on.")
    earlier = connection.execute(
        select(feedback, interactions.c.id.label("interaction_id")).join(interactions).where(feedback.c.id == id)
    ).first()
    if earlier is not None:
        known = feedback_from_row(earlier)
        if (known.interaction_id, known.user, known.kind) != (interaction_id, user, kind):
            raise EventRefused("This id belongs to other feedback.")
        return known
    papers = connection.execute(select(exposures.c.paper_id).where(exposures.c.interaction == interaction)).scalars()
    check_paper(kind, paper_id, set(papers))
    if kind in TEXT_KINDS and not keep_texts:
        value = None
    connection.execute(
        insert(feedback).values(
            position=position,
            id=id,
            at=at,
            interaction=interaction,
            user_id=user,
            kind=kind,
            value=value if isinstance(value, str) else None,
            number=value if isinstance(value, float) else None,
            paper_id=paper_id,
        )
    )
    return Feedback(id, position, at, interaction_id, user, kind, value, paper_id)
