"""/api/conversations: a person's own, and nobody else's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rag.events.records import Conversation, ConversationSummary, Kind
from rag.types import Answer
from ui.api.ask import ERRORS
from ui.api.asking import PRINTABLE, AskOptions, IdentityDep, RecordId, ServicesDep
from ui.services.export import cited_papers, conversation_bibtex, conversation_markdown, conversation_ris

router = APIRouter(prefix="/api/conversations", tags=["Conversations"])
WITHOUT_TRACE: dict[str, Any] = {"turns": {"__all__": {"answer": {"trace"}}}}
ConversationId = Annotated[str, Path(max_length=200, pattern=PRINTABLE)]


class FeedbackItem(BaseModel):
    """Feedback given on a turn."""

    kind: Kind
    value: str | float | None
    paper_id: str | None
    at: datetime


class TurnReply(BaseModel):
    """One question and its answer, in the version that is current; None where words are not kept."""

    turn: int | None
    at: datetime
    answer_id: str
    question: str | None
    answer: Answer | None
    feedback: list[FeedbackItem]
    versions: list[str] = Field(description="Ids of all answers to this turn, oldest first.")
    options: AskOptions = Field(description="How it was steered.")


class ConversationReply(BaseModel):
    """One conversation in full."""

    id: str
    title: str | None
    started: datetime
    updated: datetime
    turns: list[TurnReply]


class ConversationList(BaseModel):
    """Conversations, last used first."""

    conversations: list[ConversationSummary]


class ChosenVersion(BaseModel):
    """A version of a turn."""

    model_config = ConfigDict(extra="forbid")

    answer_id: RecordId = Field(description="One of the versions of a turn; what followed it becomes current too.")


class Rename(BaseModel):
    """A new title."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200)


@router.get("", responses=ERRORS)
def conversations(
    services: ServicesDep,
    identity: IdentityDep,
    q: Annotated[str, Query(max_length=500, description="Those with all these words somewhere.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> ConversationList:
    """Your conversations."""
    return ConversationList(conversations=services.store.conversations(identity.user, q, limit=limit, offset=offset))


@router.get("/{conversation}", responses=ERRORS, response_model_exclude={"turns": {"__all__": {"answer": {"trace"}}}})
def conversation(conversation: ConversationId, services: ServicesDep, identity: IdentityDep) -> ConversationReply:
    """One conversation of yours."""
    return reply_of(services.store.conversation(identity.user, conversation))


@router.patch("/{conversation}", responses=ERRORS)
def rename(
    conversation: ConversationId, body: Rename, services: ServicesDep, identity: IdentityDep
) -> ConversationSummary:
    """Give it another title."""
    services.store.rename_conversation(identity.user, conversation, body.title)
    return services.store.conversation(identity.user, conversation).summary


@router.put("/{conversation}/current", responses=ERRORS, response_model_exclude=WITHOUT_TRACE)
def choose(
    conversation: ConversationId, body: ChosenVersion, services: ServicesDep, identity: IdentityDep
) -> ConversationReply:
    """Go to another version of a turn."""
    services.store.choose_version(identity.user, conversation, body.answer_id)
    return reply_of(services.store.conversation(identity.user, conversation))


@router.delete("/{conversation}", status_code=204, responses=ERRORS)
def delete(conversation: ConversationId, services: ServicesDep, identity: IdentityDep) -> None:
    """Delete its questions, answers and comments for good."""
    services.store.delete_conversation(identity.user, conversation)


@router.get(
    "/{conversation}/export",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {}, "application/x-bibtex": {}}}, **ERRORS},
)
def export(
    conversation: ConversationId,
    services: ServicesDep,
    identity: IdentityDep,
    format: Literal["markdown", "bibtex", "ris"] = "markdown",
) -> Response:
    """The conversation as Markdown with BibTeX of the papers cited, or BibTeX or RIS alone."""
    held = services.store.conversation(identity.user, conversation)
    papers = cited_papers(held, services.assistant.paper)
    if format == "bibtex":
        text, kind, name = conversation_bibtex(papers), "application/x-bibtex", "conversation.bib"
    elif format == "ris":
        text, kind, name = conversation_ris(papers), "application/x-research-info-systems", "conversation.ris"
    else:
        text, kind, name = conversation_markdown(held, papers), "text/markdown", "conversation.md"
    return Response(text, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def reply_of(held: Conversation) -> ConversationReply:
    """The conversation in the form of the API."""
    summary = held.summary
    return ConversationReply(
        id=summary.id,
        title=summary.title,
        started=summary.started,
        updated=summary.updated,
        turns=[
            TurnReply(
                turn=one.interaction.turn,
                at=one.interaction.at,
                answer_id=one.interaction.id,
                question=one.interaction.question,
                answer=one.interaction.answer,
                feedback=[
                    FeedbackItem(kind=said.kind, value=said.value, paper_id=said.paper_id, at=said.at)
                    for said in one.feedback
                ],
                versions=list(held.versions.get(one.interaction.id, ())),
                options=AskOptions.of(one.interaction.options),
            )
            for one in held.turns
        ],
    )
