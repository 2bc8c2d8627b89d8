"""What all ways of asking over HTTP share: limits, options, the place in a conversation, and streams."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from rag.errors import QuestionError
from rag.types import Mode, Options, StreamEvent, Turn
from ui.access.door import Identity
from ui.services import Services

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from rag.settings import Settings

MOST_IDS = 1000  # of papers to include or exclude


def services_of(request: Request) -> Services:
    """The services behind this server."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def identity_of(request: Request) -> Identity:
    """Who is asking; the gate let nobody else through."""
    identity = request.state.identity
    assert isinstance(identity, Identity)
    return identity


ServicesDep = Annotated[Services, Depends(services_of)]
IdentityDep = Annotated[Identity, Depends(identity_of)]
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"  # not every database can store, or even look for, the others
RecordId = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]  # of a conversation or an answer
PaperId = Annotated[str, Field(min_length=1, max_length=300)]


class AskOptions(BaseModel):
    """What a question may ask for beyond its words."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode | None = Field(
        default=None, description="extractive: quotes only. generative: written by the model. Default: as configured."
    )
    model: str | None = Field(default=None, max_length=200, description="Another model of the configured server.")
    papers: int | None = Field(default=None, ge=1, le=50, description="At most so many papers in the answer.")
    include: list[PaperId] = Field(default=[], max_length=MOST_IDS, description="Answer from these papers alone.")
    exclude: list[PaperId] = Field(default=[], max_length=MOST_IDS, description="Never answer from these papers.")
    standalone_question: str | None = Field(
        default=None, max_length=4000, description="Search for this, whatever the conversation says."
    )

    def to_options(self) -> Options:
        """The same for the engine."""
        return Options(
            self.mode,
            self.model,
            self.papers,
            frozenset(self.include),
            frozenset(self.exclude),
            self.standalone_question,
        )


def checked_question(settings: Settings, question: str) -> str:
    """The question. Raises QuestionError if it is empty or too long."""
    if not question.strip():
        raise QuestionError("The question is empty.")
    if len(question) > settings.question_chars:
        raise QuestionError(
            f"The question has {len(question):,} characters; {settings.question_chars:,} are allowed: "
            "ask a question, not a document."
        )
    return question


def checked_turns(settings: Settings, turns: int) -> None:
    """Raise QuestionError if a request brings too long a conversation along."""
    if turns > settings.history_turns:
        raise QuestionError(f"The history has {turns:,} turns; {settings.history_turns:,} are allowed.")


def place_in(
    services: Services, user: str, conversation: str | None, turn: int | None
) -> tuple[str, int, Sequence[Turn]]:
    """(conversation, turn, earlier turns) of a question; a new conversation if none is named.

    turn: to be asked again, None for the next one. Raises EventUnknown for a conversation that is not this user's, and
    QuestionError for a turn that it does not have yet.
    """
    if conversation is None:
        if turn not in (None, 1):
            raise QuestionError("A new conversation begins with turn 1.")
        return uuid.uuid4().hex, 1, ()
    episodes = services.store.conversation(user, conversation).turns
    following = max((one.interaction.turn or 0 for one in episodes), default=0) + 1
    turn = following if turn is None else turn
    if turn > following:
        raise QuestionError(f"The next turn of this conversation is {following}.")
    earlier = (one.interaction.answer for one in episodes if (one.interaction.turn or 0) < turn)
    return conversation, turn, [Turn.of(answer) for answer in earlier if answer is not None]


def begun(events: Iterator[StreamEvent]) -> Iterator[StreamEvent]:
    """The same events, the first of them made already: what fails before it can still become an HTTP status."""
    first = next(events)

    def all_of_them() -> Iterator[StreamEvent]:
        try:
            yield first
            yield from events
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    return all_of_them()


class ServerSentEvents(StreamingResponse):
    """A stream of events from an iterator that blocks; when the reader leaves, the iterator is closed."""

    def __init__(self, frames: Iterator[str]) -> None:
        """frames: whole events, with the empty line after each."""
        self._frames = frames
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the latter for nginx: send at once
        super().__init__(self._pump(), media_type="text/event-stream", headers=headers)

    async def _pump(self) -> Any:
        while (frame := await run_in_threadpool(next, self._frames, None)) is not None:
            yield frame

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until done or until the reader leaves."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            close = getattr(self._frames, "close", None)
            if close is not None:
                with anyio.CancelScope(shield=True):  # the reader's leaving has cancelled this task
                    await run_in_threadpool(close)


def frame(data: Mapping[str, Any] | str, event: str | None = None) -> str:
    """One server-sent event. JSON has no raw line ends, so its data is one line."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {event}\ndata: {text}\n\n" if event else f"data: {text}\n\n"
