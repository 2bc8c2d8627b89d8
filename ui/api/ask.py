"""POST /api/ask: a question to an Answer, at once or as a stream."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rag.errors import QuestionError, ReadbackError
from rag.types import Answer, Retrieved, SentenceVerdict, StreamEvent, TextDelta, Turn
from ui.api.asking import (
    AskerDep,
    AskOptions,
    RecordId,
    ServerSentEvents,
    ServicesDep,
    begun,
    frame,
)
from ui.problems import BUG, ErrorReply, error_body, log, status_of

router = APIRouter(prefix="/api", tags=["Asking"])


class PastTurn(BaseModel):
    """One finished exchange that a follow-up may refer to."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=4000)
    answer: str = Field(default="", max_length=20_000)
    standalone_question: str | None = Field(default=None, max_length=4000)
    cited: list[str] = Field(
        default=[], max_length=100, description="Titles of the papers cited, in order of their markers."
    )

    def to_turn(self) -> Turn:
        """The same for the engine."""
        return Turn(self.question, self.standalone_question or self.question, self.answer, tuple(self.cited))


class AskRequest(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: str
    conversation: RecordId | None = Field(
        default=None,
        description="A conversation of yours to go on with; a new one is begun without it.",
    )
    turn: int | None = Field(
        default=None, ge=1, description="Ask this turn again: it gets a further version, and its earlier ones stay."
    )
    history: list[PastTurn] = Field(
        default=[], description="Earlier turns, oldest first, where the caller keeps them instead of a conversation."
    )
    options: AskOptions = AskOptions()
    stream: bool = Field(
        default=False, description="Server-sent events: retrieved, delta, verdict, and answer or error."
    )


class AskReply(BaseModel):
    """An answer, and where it stands."""

    conversation: str
    turn: int
    answer: Answer


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorReply} for status in (401, 404, 413, 422, 429, 500, 502, 503, 504)
}


@router.post(
    "/ask",
    responses={200: {"content": {"text/event-stream": {}}}, **ERRORS},
    response_model=AskReply,
    response_model_exclude={"answer": {"trace"}},
)
def ask(body: AskRequest, services: ServicesDep, asker: AskerDep) -> Response | AskReply:
    """Answer a question with exact quotes, or say that the collection does not hold the answer."""
    services.asking.check(body.question)
    services.conversations.check_length(len(body.history))
    if body.history and body.conversation is not None:
        raise QuestionError("Give either a conversation or a history.")
    place = services.conversations.place(asker.user, body.conversation, body.turn)
    if body.history:
        place = replace(place, history=[past.to_turn() for past in body.history])
    assert place.conversation is not None, "one has been begun"
    events = services.asking.stream(
        body.question, asker=asker, source="api", place=place, options=body.options.to_options()
    )
    if body.stream:
        return ServerSentEvents(frames(begun(events), place.conversation, place.turn))
    *_, answer = events
    assert isinstance(answer, Answer), "a stream ends with its answer"
    return AskReply(conversation=place.conversation, turn=place.turn, answer=answer)


def frames(events: Generator[StreamEvent], conversation: str, turn: int) -> Generator[str]:
    """The events of a stream as server-sent events; an error on the way is the last of them."""
    try:
        for event in events:
            if isinstance(event, Retrieved):
                yield frame(asdict(event), "retrieved")
            elif isinstance(event, TextDelta):
                yield frame(asdict(event), "delta")
            elif isinstance(event, SentenceVerdict):
                yield frame(asdict(event), "verdict")
            else:
                yield frame({"conversation": conversation, "turn": turn, "answer": event.to_dict()}, "answer")
    except ReadbackError as error:
        status, code = status_of(error)
        yield frame(error_body(status, str(error), code), "error")
    except Exception:
        log.exception("a bug, halfway through an answer")
        yield frame(error_body(500, BUG, "bug"), "error")
    finally:
        events.close()
