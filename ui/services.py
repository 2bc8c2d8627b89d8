"""What every face of Readback works with: asking and recording in one place, and the collection."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Self

from rag.errors import CorpusError, ReadbackError
from rag.events.records import Feedback, Kind, Source
from rag.types import Answer, Options, Retrieved, RetrievedPaper, StreamEvent, TextDelta, Turn
from ui.access.rates import Rates
from ui.api.metrics import Metrics

if TYPE_CHECKING:
    from rag.engine import Assistant
    from rag.events import EventStore
    from rag.settings import Settings

log = logging.getLogger(__name__)
DEFAULT = Options()
STOPPED = "Stopped before it was finished."  # the notice of an answer whose reader wanted no more of it


class ReadOnly(ReadbackError):
    """The settings forbid changing the collection from here."""


class UploadTooLarge(ReadbackError):
    """More bytes than the settings allow in one upload."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One record of an upload that could not be read."""

    line: int | None  # from 1; None: the whole file is at fault
    reason: str  # a sentence for the user, without the file's name


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What one upload did to the collection, in papers."""

    file: str
    format: str | None  # as recognised; None if nothing could be read
    added: int
    changed: int
    unchanged: int
    merged: int  # identical records within the file
    total: int  # in the collection afterwards
    paper_ids: tuple[str, ...]  # all that the file holds, in its order
    faults: tuple[Fault, ...]  # in the order of their lines


class Services:
    """The assistant, the record of events, and the operations that need both. Safe to use from many threads."""

    def __init__(self, settings: Settings, assistant: Assistant, store: EventStore) -> None:
        """``Services.open`` makes all three; close() closes assistant and store."""
        self.settings, self.assistant, self.store = settings, assistant, store
        self.metrics = Metrics()
        self.rates = Rates(settings.user_per_minute, settings.address_per_minute)
        self._collection_lock = threading.Lock()  # the index refuses a second writer instead of waiting for the first
        self._chores = ThreadPoolExecutor(1, thread_name_prefix="readback-chores")

    @classmethod
    def open(cls, settings: Settings, progress: Callable[[int], None] = lambda _: None) -> Self:
        """Open assistant and record. progress: told how many more papers of the shipped corpus are indexed.

        Raises SettingsError, IndexUnusable or EventError.
        """
        from rag.engine import Assistant
        from rag.events.opening import open_store

        store = open_store(settings)  # the quicker of the two, and the one that may refuse
        try:
            return cls(settings, Assistant.open(settings, progress=progress), store)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Finish what waits to be recorded and let go of everything. Doing it again is fine."""
        self._chores.shutdown(wait=True)
        self.store.close()
        self.assistant.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # asking

    def answer_stream(
        self,
        question: str,
        *,
        user: str,
        conversation: str | None = None,
        turn: int = 1,
        history: Sequence[Turn] = (),
        options: Options = DEFAULT,
        source: Source,
    ) -> Iterator[StreamEvent]:
        """Answer, and record the interaction when its Answer has been made.

        user: pseudonymous id. turn: from 1; a turn that is asked again replaces itself and what followed it. Closing
        the iterator early stops the model; what was shown by then is recorded with a "stop". Raises ReadbackError,
        RateLimited among them, and then nothing is recorded.
        """
        self.rates.question_of(user)
        began = perf_counter()
        partial = Partial(question)
        events: Iterator[StreamEvent] = iter(())
        try:
            events = self.assistant.stream(question, history, options)
            for event in events:
                partial.add(event)
                if isinstance(event, Answer):
                    latency_ms = (perf_counter() - began) * 1000
                    self.store.record(
                        event, user=user, source=source, conversation=conversation, turn=turn, latency_ms=latency_ms
                    )
                    self.metrics.answered(event, source)
                yield event
        except GeneratorExit:
            getattr(events, "close", lambda: None)()  # first of all: the model costs money
            if not partial.finished:
                stopped = partial.answer(self.settings, options, (perf_counter() - began) * 1000)
                self.store.record(stopped, user=user, source=source, conversation=conversation, turn=turn)
                self.metrics.stopped(stopped, source)
                self._chores.submit(self._record_stop, stopped.id, user)
            raise
        except Exception:
            self.metrics.failed(source)
            raise

    def ask(
        self,
        question: str,
        *,
        user: str,
        conversation: str | None = None,
        turn: int = 1,
        history: Sequence[Turn] = (),
        options: Options = DEFAULT,
        source: Source,
    ) -> Answer:
        """As ``answer_stream``, for the Answer alone."""
        *_, answer = self.answer_stream(
            question,
            user=user,
            conversation=conversation,
            turn=turn,
            history=history,
            options=options,
            source=source,
        )
        assert isinstance(answer, Answer), "a stream ends with its answer"
        return answer

    def history_of(self, user: str, conversation: str) -> list[Turn]:
        """The turns of a conversation, oldest first; none where the record keeps no words.

        Raises EventUnknown if this user has no such conversation.
        """
        episodes = self.store.conversation(user, conversation).turns
        return [Turn.of(one.interaction.answer) for one in episodes if one.interaction.answer is not None]

    def feedback(
        self,
        answer_id: str,
        *,
        user: str,
        kind: Kind | str,
        value: str | float | None = None,
        paper_id: str | None = None,
        id: str | None = None,
    ) -> Feedback:
        """``EventStore.feedback``, and counted. Raises EventRefused, EventUnknown or EventsUnavailable."""
        stored = self.store.feedback(answer_id, user=user, kind=kind, value=value, paper_id=paper_id, id=id)
        self.metrics.feedback(stored)
        return stored

    # the collection

    def add_papers(
        self, name: str, data: bytes, skip_bad: bool = True, progress: Callable[[int], None] = lambda _: None
    ) -> UploadReport:
        """Read a file of any known format and index its papers; they can be asked about when this returns.

        name: the file's, for its format and for messages. progress: told how many more papers are done. Without
        skip_bad, a fault raises CorpusError and nothing is added. Raises ReadOnly, UploadTooLarge or IndexUnusable.
        """
        self._check_writable()
        if len(data) > self.settings.upload_mb * 1_000_000:
            raise UploadTooLarge(f"The file is larger than the {self.settings.upload_mb} MB that are taken at once.")
        from rag.corpus import read_bytes

        reading = read_bytes(name, data, skip_bad=skip_bad)
        with self._collection_lock:
            done = self.assistant.index.update(reading.papers, progress=progress)
        return UploadReport(
            file=name,
            format=reading.format,
            added=done.added,
            changed=done.changed,
            unchanged=done.unchanged,
            merged=reading.merged,
            total=done.total,
            paper_ids=tuple(paper.id for paper in reading.papers),
            faults=tuple(_fault(error) for error in reading.faults),
        )

    def remove_papers(self, ids: Iterable[str]) -> int:
        """Take papers out of the collection; returns how many were there. Raises ReadOnly or IndexUnusable."""
        self._check_writable()
        with self._collection_lock:
            return self.assistant.index.remove(ids)

    def _check_writable(self) -> None:
        if self.settings.read_only:
            raise ReadOnly("This collection cannot be changed from here: READBACK_READ_ONLY is set.")

    def _record_stop(self, answer_id: str, user: str) -> None:
        try:
            self.feedback(answer_id, user=user, kind="stop")
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


def _fault(error: CorpusError) -> Fault:
    return Fault(error.line, error.reason)
