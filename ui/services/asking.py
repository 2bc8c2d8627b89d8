"""Asking: limits, answers made in the background, and their record, also when somebody has stopped them."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, replace
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, cast

from rag.errors import QuestionError, ReadbackError, Stopped
from rag.events.errors import EventError
from rag.types import Answer, Options, Paper, StreamEvent
from ui.services.conversations import Place
from ui.services.discretion import discreet
from ui.services.runs import LOCAL, Asker, Crowded, Late, Run, Stopping

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
AT_ONCE, AT_ONCE_OF_ONE = 300, 100  # questions in work, of all and of one user: each has a thread
COMPUTED_AT_ONCE = (os.cpu_count() or 1) + 1  # answers without a model
WATCH_S = 0.5  # between two looks at how long answers take
WISHES = 500  # to stop questions that have not come yet
RECORD_S = 3.0  # longest wait of an answer for its record, which may still write it later
STOPPED = "Stopped before it was finished."  # the notice of an answer whose reader wanted no more of it
UNRECORDED = (
    "This answer could not be recorded: it may be missing from the conversation later, and feedback on it may fail."
)
LATE = "The answer took too long and was cut off here."
RESTARTED = "Readback was restarted before this was finished."


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
        self._lock = threading.Lock()
        self._runs: dict[tuple[str, str], Run] = {}  # by user and id, until they are over
        self._wishes: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._processors = threading.BoundedSemaphore(COMPUTED_AT_ONCE)
        self._closing = threading.Event()
        threading.Thread(target=self._watch, name="readback-watch", daemon=True).start()

    def use(self, settings: Settings) -> None:
        """Go by these settings from the next question on."""
        self._settings = settings

    def start(
        self,
        question: str,
        *,
        asker: Asker,
        source: Source,
        place: Place = ALONE,
        options: Options = DEFAULT,
        id: str | None = None,
    ) -> Run:
        """Begin to answer, and record the interaction when its Answer has been made, whoever follows it by then.

        id: chosen by the caller, to stop it or find it again. Raises QuestionError, RateLimited, Crowded or Stopping.
        """
        self.check(question)
        if self._closing.is_set():
            raise Stopping
        self._rates.question(asker.counted, asker.address)
        run = Run(question, asker, source, place, options, id or uuid.uuid4().hex)
        key = asker.user, run.id
        with self._lock:
            if key in self._runs:
                raise QuestionError("This question is being answered already.")
            theirs = sum(one.asker.counted == asker.counted for one in self._runs.values())
            if len(self._runs) >= AT_ONCE or theirs >= AT_ONCE_OF_ONE:
                raise Crowded
            self._runs[key] = run
            if self._wishes.pop(key, run) is None:
                run.stop.wish()
        threading.Thread(target=self._work, args=(run,), name="readback-answer", daemon=True).start()
        return run

    def stream(
        self, question: str, *, asker: Asker, source: Source, place: Place = ALONE, options: Options = DEFAULT
    ) -> Generator[StreamEvent]:
        """As ``start``, for somebody who waits. Closing it stops the model; what was told by then is recorded.

        Raises what ``start`` raises, and any other ReadbackError, after which nothing is recorded.
        """
        run = self.start(question, asker=asker, source=source, place=place, options=options)
        try:
            yield from run.follow()
        finally:
            run.stop.wish()

    def ask(
        self, question: str, *, asker: Asker, source: Source, place: Place = ALONE, options: Options = DEFAULT
    ) -> Answer:
        """As ``stream``, for the Answer alone."""
        *_, answer = self.stream(question, asker=asker, source=source, place=place, options=options)
        assert isinstance(answer, Answer), "a stream ends with its answer"
        return answer

    def find(self, user: str, run_id: str) -> Run | None:
        """A question of this user's that is being answered."""
        return self._runs.get((user, run_id))

    def running(self, user: str, conversation: str) -> Run | None:
        """What is being answered in this conversation."""
        with self._lock:
            mine = [run for (asker, _), run in self._runs.items() if asker == user]
        return next((run for run in mine if run.place.conversation == conversation and not run.stop.on), None)

    def stop(self, user: str, run_id: str) -> None:
        """Let this question end at once; the wish may come before the question."""
        with self._lock:
            run = self._runs.get((user, run_id))
            if run is not None:
                run.stop.wish()
                return
            self._wishes[user, run_id] = None
            while len(self._wishes) > WISHES:
                self._wishes.popitem(last=False)

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

    def close(self, timeout_s: float = 2.0) -> None:
        """Take no more questions, let those in work end, and record how far the others came.

        timeout_s: how long to wait for them. Those who still follow one get Stopping.
        """
        self._closing.set()
        deadline = monotonic() + timeout_s
        with self._lock:
            left = list(self._runs.values())
        for run in left:
            if run.wait(max(0.0, deadline - monotonic())):
                continue
            if run.claim():
                answer = run.so_far(self._settings, RESTARTED, 0.0)
                self._conversations.record(answer, run.asker.user, run.place, run.source, run.options, None)
            run.stop.wish()
            run.end(Stopping())

    def _work(self, run: Run) -> None:
        # without a model it is all computing, and more threads than processors would only slow down each other
        written = run.options.mode == "generative" or (run.options.mode is None and self._settings.writes)
        with nullcontext() if written else self._processors:
            self._answer(run)
        self._shadow(run)

    def _shadow(self, run: Run) -> None:
        """Compare the answer with the policy in the shadow, if there is one; nobody waits for it any more."""
        from rag.learning.trial import compare_shadow

        last = run.events[-1] if run.events else None
        if not isinstance(last, Answer) or not last.policy_version:  # what was stopped halfway names no policy
            return
        try:
            with self._processors:
                compare_shadow(self._assistant, last, run.options)
        except Exception:
            log.exception("an answer was not compared with the policy in the shadow")

    def _answer(self, run: Run) -> None:
        began = perf_counter()
        error: Exception | None = None
        ours = False  # whether it is this thread that says how it ends: whoever claims the outcome first does
        try:
            # closed first of all when it is stopped: the model costs money
            assistant = self._assistant.for_asker(_person(run))
            answering = assistant.stream(run.question, run.place.history, run.options, run.stop)
            with suppress(Stopped), closing(cast("Generator[StreamEvent]", answering)) as events:
                for event in events:
                    if isinstance(event, Answer):
                        if run.stop.on:  # it is made of what was said by then, and may say that this is not enough
                            break
                        ours = True
                        ours = self._finish(run, self._discreet(run, event), (perf_counter() - began) * 1000)
                        return
                    run.tell(event)
            latency_ms = (perf_counter() - began) * 1000
            ours = True
            ours = self._finish(run, run.so_far(self._settings, STOPPED, latency_ms), latency_ms, stopped=True)
        except Exception as failure:  # told to whoever follows
            ours = ours or run.claim()
            self._metrics.failed(run.source)
            error = failure
            if isinstance(failure, ReadbackError) and run.asker.address is not None:
                log.warning("a question was not answered: %s", failure)
                failure.args = (discreet(str(failure), self._settings),)
        finally:
            with self._lock:
                del self._runs[run.asker.user, run.id]
            if ours:
                run.end(error)

    def _discreet(self, run: Run, answer: Answer) -> Answer:
        """An answer whose notice says to others no more than they need. The engine has logged the rest."""
        if answer.notice is None or run.asker.address is None:
            return answer
        return replace(answer, notice=discreet(answer.notice, self._settings))

    def _watch(self) -> None:
        """Cut off what takes too long, whatever it waits for."""
        while not self._closing.wait(WATCH_S):
            longest_s = self._settings.answer_s
            with self._lock:
                late = [run for run in self._runs.values() if monotonic() - run.began > longest_s and not run.over]
            for run in late:
                answer = run.so_far(self._settings, LATE, longest_s * 1000)
                if answer.text:
                    if self._finish(run, answer, longest_s * 1000):
                        run.end()
                elif run.claim():
                    self._metrics.failed(run.source)
                    run.end(Late())
                run.stop.wish()

    def _finish(self, run: Run, answer: Answer, latency_ms: float, *, stopped: bool = False) -> bool:
        """Record and tell the outcome, unless somebody else has or will; whether this was it."""
        if not run.claim():
            return False
        written = self._conversations.record(answer, run.asker.user, run.place, run.source, run.options, latency_ms)
        recorded = _settled(written)
        notice = answer.notice if recorded else " ".join(filter(None, (answer.notice, UNRECORDED)))
        run.tell(replace(answer, recorded=recorded, notice=notice))
        if not stopped:
            self._metrics.answered(answer, run.source)
            return True
        self._metrics.stopped(answer, run.source)
        if not recorded:
            return True
        try:
            self._conversations.feedback(answer.id, user=run.asker.user, kind="stop")
        except ReadbackError as error:  # the reader has gone: nobody to tell
            log.warning("a stop was not recorded: %s", error)
        return True


def _settled(written: Future[None]) -> bool:
    """Whether an answer is on disk, or will be in a moment."""
    try:
        written.result(RECORD_S)
    except (EventError, TimeoutError) as error:
        log.warning("an answer is given without being recorded: %s", str(error) or "the record is slow")
        return False
    return True


def _person(run: Run) -> str:
    """Who gets one policy throughout: programs on this machine are told apart by their conversations."""
    return (run.place.conversation or run.id) if run.asker.user == LOCAL else run.asker.user
