"""POST /api/feedback: what a person did with an answer."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from rag.events.records import Kind
from ui.api.ask import ERRORS
from ui.api.asking import IdentityDep, PaperId, RecordId, ServicesDep

router = APIRouter(prefix="/api", tags=["Feedback"])


class FeedbackRequest(BaseModel):
    """One thing that was done with one answer."""

    model_config = ConfigDict(extra="forbid")

    answer_id: RecordId = Field(description="The id of an answer of yours.")
    kind: Kind = Field(
        description="answered (yes, partly, no) · reason (wrong_paper, not_supported, incomplete, wrong_refusal, "
        "too_long) · withdraw (a reason given before) · comment · edit · evidence (useful, not_useful; needs paper_id) "
        "· open (needs paper_id) · copy · dwell (seconds) · stop · rephrase (the question asked instead)"
    )
    value: str | float | None = Field(default=None, description="As the kind demands; null for open, copy and stop.")
    paper_id: PaperId | None = None
    id: RecordId | None = Field(default=None, description="Chosen by you: sent twice, it is stored once.")


class FeedbackReply(BaseModel):
    """Stored: on disk, not on its way there."""

    id: str
    answer_id: str
    kind: Kind
    value: str | float | None
    paper_id: str | None
    at: datetime


@router.post("/feedback", status_code=201, responses=ERRORS)
def feedback(body: FeedbackRequest, services: ServicesDep, identity: IdentityDep) -> FeedbackReply:
    """Say something about an answer. Later feedback does not erase earlier feedback."""
    stored = services.conversations.feedback(
        body.answer_id,
        user=identity.user,
        kind=body.kind,
        value=body.value,
        paper_id=body.paper_id,
        id=body.id,
    )
    return FeedbackReply(
        id=stored.id,
        answer_id=stored.interaction_id,
        kind=stored.kind,
        value=stored.value,
        paper_id=stored.paper_id,
        at=stored.at,
    )
