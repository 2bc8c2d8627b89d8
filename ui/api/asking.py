"""What all ways of asking over HTTP share: who asks, options, and streams."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Self

import anyio
from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from rag.types import Mode, Options, StreamEvent
from ui.access.door import Identity, asker_of, identity_of
from ui.services import Asker, Services

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MOST_IDS = 1000  # of papers to include or exclude


def services_of(request: Request) -> Services:
    """The services behind this server."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
IdentityDep = Annotated[Identity, Depends(identity_of)]
AskerDep = Annotated[Asker, Depends(asker_of)]
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
    papers: int | None = Field(default=None, ge=1, le=50, description="Maximum number of papers in the answer.")
    include: list[PaperId] = Field(default=[], max_length=MOST_IDS, description="Answer from these papers alone.")
    exclude: list[PaperId] = Field(default=[], max_length=MOST_IDS, description="Never answer from these papers.")
    standalone_question: str | None = Field(
        default=None, max_length=4000, description="Search for this, whatever the conversation says."
    )

    @classmethod
    def of(cls, options: Options) -> Self:
        """The same from the engine's."""
        return cls(
            mode=options.mode,
            model=options.model,
            papers=options.papers,
            include=sorted(options.include),
            exclude=sorted(options.exclude),
            standalone_question=options.standalone_question,
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


def begun(events: Generator[StreamEvent]) -> Generator[StreamEvent]:
    """The same events, the first of them made already: what fails before it can still become an HTTP status."""
    first = next(events)

    def all_of_them() -> Generator[StreamEvent]:
        with closing(events):
            yield first
            yield from events

    return all_of_them()


class ServerSentEvents(StreamingResponse):
    """A stream of events from a generator that blocks; when the reader leaves, the generator is closed."""

    def __init__(self, frames: Generator[str]) -> None:
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
            with anyio.CancelScope(shield=True):  # the reader's leaving has cancelled this task
                await run_in_threadpool(self._frames.close)


def frame(data: Mapping[str, Any] | str, event: str | None = None) -> str:
    """One server-sent event. JSON has no raw line ends, so its data is one line."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {event}\ndata: {text}\n\n" if event else f"data: {text}\n\n"
