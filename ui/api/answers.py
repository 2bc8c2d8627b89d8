"""/api/answers: how one came about."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from ui.api.ask import ERRORS
from ui.api.asking import PRINTABLE, IdentityDep, ServicesDep

router = APIRouter(prefix="/api/answers", tags=["Asking"])


class TraceReply(BaseModel):
    """What each stage of an answer got and gave."""

    answer_id: str
    policy_version: str
    trace: dict[str, Any] = Field(description="Stages, scores of papers by stage, what was left out and why, times.")


@router.get("/{answer_id}/trace", responses=ERRORS)
def trace(
    answer_id: Annotated[str, Path(max_length=200, pattern=PRINTABLE)], services: ServicesDep, identity: IdentityDep
) -> TraceReply:
    """How an answer of yours was found."""
    answer = services.conversations.answer(identity.user, answer_id)
    return TraceReply(answer_id=answer_id, policy_version=answer.policy_version, trace=dict(answer.trace))
