"""Asking: limits, the stream of one answer, and its record, also when its reader has stopped it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, cast

from rag.errors import QuestionError, ReadbackError
from rag.types import Answer, Options, Paper, Retrieved, RetrievedPaper, StreamEvent, TextDelta
from ui.services.conversations import Place

if TYPE_CHECKING:
    from rag.engine import Assistant
    from rag.events.records import Source
    from rag.settings import Settings
    from ui.services.conversations import Conversations
    from ui.services.metrics import Metrics
    from ui.services.rates import Rates

log = logging.getLogger(__name__)
DEFAULT = Options()
ALONE = Place()
STOPPED = "Stopped before it was finished."  # the notice of an answer whose reader wanted no more of it


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: under which name it is recorded, and whom the limits count."""

    user: str  # pseudonymous id
    address: str | None = None  # None: a program on this machine that came through no network
    returning: bool = True  # False: a browser without a cookie, whose next request will come under another id

    @property
    def counted(self) -> str:
        """Whose questions are counted together."""
        return self.user if self.returning or self.address is None else self.address


@dataclass(frozen=True, slots=True)
class Found:
    """One paper close to a question, with its sentence closest to it: ``abstract[start:end] == quote``."""

    paper: Paper
    score: float  # comparable within one result only
    quote: str
    start: int
    end: int


class Asking:
    """Questions to answers, for every face alike."""

    def __init__(
        self, settings: Settings, assistant: Assistant, conversations: Conversations, rates: Rates, metrics: Metrics
    ) -> None:
        self._settings, self._assistant, self._conversations = settings, assistant, conversations
        self._rates, self._metrics = rates, metrics
        self._chores = ThreadPoolExecutor(1, thread_name_prefix="readback-chores")

    def close(self) -> None:
        """Wait until every stop has been recorded."""
        self._chores.shutdown(wait=True)

    def stream(
        self, question: str, *, asker: Asker, source: Source, place: Place = ALONE, options: Options = DEFAULT
    ) -> Generator[StreamEvent]:
        """Answer, and record the interaction when its Answer has been made.

        Closing it early stops the model; what was shown by then is recorded with a "stop". Raises
        QuestionError, RateLimited or another ReadbackError, and then nothing is recorded.
        """
        self.check(question)
        self._rates.question(asker.counted, asker.address)
        began = perf_counter()
        partial = Partial(question)
        try:
            # closed first of all when the reader leaves: the model costs money
            with closing(
                cast("Generator[StreamEvent]", self._assistant.stream(question, place.history, options))
            ) as events:
                for event in events:
                    partial.add(event)
                    if isinstance(event, Answer):
                        latency_ms = (perf_counter() - began) * 1000
                        self._conversations.record(event, asker.user, place, source, latency_ms)
                        self._metrics.answered(event, source)
                    yield event
        except GeneratorExit:
            if not partial.finished:
                latency_ms = (perf_counter() - began) * 1000
                stopped = partial.answer(self._settings, options, latency_ms)
                self._conversations.record(stopped, asker.user, place, source, latency_ms)
                self._metrics.stopped(stopped, source)
                self._chores.submit(self._record_stop, stopped.id, asker.user)
            raise
        except Exception:
            self._metrics.failed(source)
            raise

    def ask(
        self, question: str, *, asker: Asker, source: Source, place: Place = ALONE, options: Options = DEFAULT
    ) -> Answer:
        """As ``stream``, for the Answer alone."""
        *_, answer = self.stream(question, asker=asker, source=source, place=place, options=options)
        assert isinstance(answer, Answer), "a stream ends with its answer"
        return answer

    def search(self, question: str, limit: int) -> list[Found]:
        """The papers closest to a question, best first. limit: their maximum number. Raises QuestionError."""
        self.check(question)
        return [
            Found(one.paper, round(one.hit.score, 4), one.best.text, one.best.span.start, one.best.span.end)
            for one in self._assistant.search(question, limit)
        ]

    def check(self, question: str) -> None:
        """Raise QuestionError for a question that is empty or too long."""
        if not question.strip():
            raise QuestionError("The question is empty.")
        if len(question) > self._settings.question_chars:
            raise QuestionError(
                f"The question has {len(question):,} characters; {self._settings.question_chars:,} are allowed: "
                "ask a question, not a document."
            )

    def _record_stop(self, answer_id: str, user: str) -> None:
        try:
            self._conversations.feedback(answer_id, user=user, kind="stop")
        except ReadbackError as error:  # the reader has gone: nobody to tell
            log.warning("a stop was not recorded: %s", error)


class Partial:
    """What a reader has seen of an answer so far."""

    def __init__(self, question: str) -> None:
        """question: as asked."""
        self.question = question
        self.standalone: str | None = None
        self.papers: tuple[RetrievedPaper, ...] = ()
        self.text = ""
        self.finished = False

    def add(self, event: StreamEvent) -> None:
        """Take note of one event."""
        if isinstance(event, Retrieved):
            self.standalone, self.papers = event.standalone_question, event.papers
        elif isinstance(event, TextDelta):
            self.text += event.text
        else:
            self.finished = True

    def answer(self, settings: Settings, options: Options, latency_ms: float) -> Answer:
        """An Answer that says this much and no more: nobody was shown evidence, so none is claimed."""
        mode = options.mode or ("generative" if settings.writes else "extractive")
        return Answer(
            id=uuid.uuid4().hex,
            question=self.question,
            standalone_question=self.standalone or self.question,
            text=self.text,
            abstained=False,
            abstain_reason=None,
            sentences=(),
            citations=(),
            retrieved=self.papers,
            mode=mode,
            model=(options.model or settings.chat_model) if mode == "generative" else None,
            timings_ms={"total": latency_ms},
            notice=STOPPED,
        )
