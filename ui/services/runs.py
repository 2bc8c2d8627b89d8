"""A question being answered in a thread of its own, so that whoever waits for it can leave, come back, or stop it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Generator
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from rag.errors import ReadbackError
from rag.stopping import Stop
from rag.told import Told
from rag.types import Answer, Options, StreamEvent

if TYPE_CHECKING:
    from rag.events.records import Source
    from rag.settings import Settings
    from ui.services.conversations import Place


LOCAL = "local"  # the user id of programs on this machine, where no login is needed


class Stopping(ReadbackError):
    """The server is being stopped, so no answer is made any more."""

    def __init__(self) -> None:
        super().__init__("Readback is being restarted. Please ask again in a minute.")


class Crowded(ReadbackError):
    """More questions are being answered at once than there is room for."""

    def __init__(self) -> None:
        super().__init__("Too many questions are being answered at once. Please try again in a minute.")


class Late(ReadbackError):
    """An answer took longer than is allowed, and nothing of it could be told by then."""

    def __init__(self) -> None:
        super().__init__("The answer took too long. Please ask again, or something simpler.")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: under which name it is recorded, and whom the limits count."""

    user: str  # pseudonymous id
    address: str | None = None  # None: a program on this machine that came through no network
    returning: bool = True  # False: a browser without a cookie, whose next request will come under another id
    operator: bool = False  # may also run this Readback

    @property
    def counted(self) -> str:
        """Whose questions are counted together."""
        return self.user if self.returning or self.address is None else self.address


@dataclass(eq=False)
class Run:
    """One question on its way. Safe to follow from several threads."""

    question: str
    asker: Asker
    source: Source
    place: Place
    options: Options
    id: str
    events: list[StreamEvent] = field(default_factory=list)
    began: float = field(default_factory=monotonic)
    stop: Stop = field(default_factory=Stop)  # once it is on, nobody wants more of it
    over: bool = False
    error: Exception | None = None
    _claimed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, event: StreamEvent) -> None:
        """Hand an event to those who follow."""
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def end(self, error: Exception | None = None) -> None:
        """There is nothing more to come. The first to say so is right."""
        with self._changed:
            if not self.over:
                self.over, self.error = True, error
            self._changed.notify_all()

    def claim(self) -> bool:
        """Whether the caller is the first who wants to record the outcome."""
        with self._changed:
            first, self._claimed = not self._claimed, True
            return first

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is over; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.over, timeout_s)

    def follow(self) -> Generator[StreamEvent]:
        """All events from the beginning, as they come. Raises what answering raised."""
        for events in self.batches():
            yield from events

    def batches(self) -> Generator[list[StreamEvent]]:
        """The same, but all that came meanwhile at once."""
        seen = 0
        while True:
            with self._changed:
                while not self.over and len(self.events) == seen:
                    self._changed.wait()
                fresh, over = self.events[seen:], self.over
            seen += len(fresh)
            if fresh:
                yield fresh
            if over and seen == len(self.events):
                if self.error is not None:
                    raise self.error
                return

    def so_far(self, settings: Settings, notice: str, latency_ms: float) -> Answer:
        """An Answer that says what was told by now and no more, with the evidence for it. notice: why it ends here."""
        mode = self.options.mode or ("generative" if settings.writes else "extractive")
        told = Told()
        for event in self.events:
            told.hear(event)
        return Answer(
            id=uuid.uuid4().hex,
            question=self.question,
            standalone_question=told.standalone_question or self.question,
            text=told.text,
            abstained=False,
            abstain_reason=None,
            sentences=told.sentences,
            citations=told.citations,
            retrieved=told.papers,
            mode=mode,
            model=(self.options.model or settings.chat_model) if mode == "generative" else None,
            timings_ms={"total": latency_ms},
            notice=notice,
        )
