"""Writing in the background: whoever hands something over never waits and never sees an error."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from rag.events.errors import EventError, EventsUnavailable
from rag.events.records import Health

T = TypeVar("T")
log = logging.getLogger("rag.events")

BATCH = 100  # maximum number of records in one commit
QUIET_S = 60.0  # seconds from one logged loss to the next
PAUSES_S = (0.05, 0.2, 0.5, 1.0)  # between tries while the database is away; the last one repeats


class Writer(Generic[T]):
    """A bounded queue and the thread that empties it, first in, first out."""

    def __init__(
        self,
        write: Callable[[Sequence[T]], None],
        *,
        size: int,
        retry_s: float,
        chore: Callable[[], None],
        chore_every_s: float,
    ) -> None:
        """write: stores all or none. size: how many may wait. retry_s: how long to try while the database is away.

        chore: called from the same thread at the start and every chore_every_s seconds; its errors are logged.
        """
        self._write, self._size, self._retry_s = write, size, retry_s
        self._chore, self._chore_every_s, self._chore_due = chore, chore_every_s, time.monotonic()
        self._changed = threading.Condition()
        self._queue: deque[tuple[T, Future[None]]] = deque()
        self._accepted = self._settled = 0  # ever; settled means written or given up
        self._written = self._failed = self._dropped = 0
        self._last_error: str | None = None
        self._trouble: str | None = None  # why the last try to write failed; None once one has succeeded
        self._loud_after = 0.0
        self._closing = False
        self._give_up_at: float | None = None  # set when closing: there is no more time to retry
        self._thread = threading.Thread(target=self._run, name="readback-events", daemon=True)
        self._thread.start()

    def put(self, item: T) -> Future[None]:
        """Take charge of the item. The future is done when it is on disk, and fails with an EventError if it is lost.

        A loss is counted and logged, also of what the queue has no room for.
        """
        written: Future[None] = Future()
        with self._changed:
            full = len(self._queue) >= self._size
            if full or self._closing:
                self._dropped += 1
                self._trouble = "the queue is full" if full else "the record is closed"
                self._lost(self._trouble)
                written.set_exception(EventsUnavailable(self._trouble))
                return written
            self._queue.append((item, written))
            self._accepted += 1
            self._changed.notify_all()
            return written

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything put so far is settled; whether it is."""
        with self._changed:
            target = self._accepted
            return self._changed.wait_for(lambda: self._settled >= target, timeout_s)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Take nothing more, write what waits, stop. Whether all was settled in time. Closing again is fine."""
        with self._changed:
            self._closing = True
            self._give_up_at = time.monotonic() + timeout_s
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:  # a garbage collection may run anywhere
            self._thread.join(timeout_s + 1.0)
        with self._changed:
            return self._settled == self._accepted

    def health(self) -> Health:
        """Counts since the start."""
        with self._changed:
            return Health(
                queued=self._accepted - self._settled,
                written=self._written,
                failed=self._failed,
                dropped=self._dropped,
                last_error=self._last_error,
                trouble=self._trouble,
            )

    def _run(self) -> None:
        while True:
            self._do_chore()
            with self._changed:
                until_chore = max(0.0, self._chore_due - time.monotonic())
                self._changed.wait_for(lambda: self._queue or self._closing, min(until_chore, threading.TIMEOUT_MAX))
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                if not batch and self._closing:
                    return
            if batch:
                self._store(batch)

    def _store(self, batch: Sequence[tuple[T, Future[None]]]) -> None:
        try:
            self._insist([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, EventsUnavailable):
                for one in batch:  # one of them is at fault: the others shall not suffer
                    self._store([one])
                return
            self._settle(batch, error)
        else:
            self._settle(batch, None)

    def _insist(self, batch: Sequence[T]) -> None:
        give_up_at = time.monotonic() + self._retry_s
        tries = 0
        while True:
            try:
                return self._write(batch)
            except EventsUnavailable as error:
                with self._changed:
                    self._trouble = reason(error)
                pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
                if time.monotonic() + pause > min(give_up_at, self._give_up_at or give_up_at):
                    raise
                tries += 1
                time.sleep(pause)

    def _settle(self, batch: Sequence[tuple[T, Future[None]]], error: Exception | None) -> None:
        with self._changed:
            self._settled += len(batch)
            if error is None:
                self._written += len(batch)
                self._trouble = None
            else:
                self._failed += len(batch)
                self._trouble = reason(error)
                self._lost(self._trouble)
            self._changed.notify_all()
        for _, written in batch:
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error if isinstance(error, EventError) else EventError(reason(error)))

    def _lost(self, why: str) -> None:
        self._last_error = why
        if time.monotonic() >= self._loud_after:
            self._loud_after = time.monotonic() + QUIET_S
            log.warning(
                "An interaction could not be recorded: %s (%d failed, %d dropped so far)",
                why,
                self._failed,
                self._dropped,
            )

    def _do_chore(self) -> None:
        if time.monotonic() < self._chore_due:
            return
        self._chore_due = time.monotonic() + self._chore_every_s
        try:
            self._chore()
        except Exception as error:
            log.warning("The record of events could not be tidied: %s", reason(error))


def reason(error: BaseException) -> str:
    """The innermost cause in one line. SQL parameters are hidden where the error is made, so no question is in it."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(": ")
