"""Uploads are read and indexed in a process of their own, so that a large or hostile one holds nobody else up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic
from typing import TYPE_CHECKING

from rag.corpus import Limits, Reading, read_bytes
from rag.errors import CorpusError, IndexUnusable, ReadbackError
from ui.services.runs import Stopping

if TYPE_CHECKING:
    from rag.index import Index
    from rag.index.index import IndexReport
    from rag.settings import Settings

SMALL = 20_000  # bytes that are dealt with where they arrive: starting a process would take longer
READ_S = 120.0  # longest time for reading a file
LOOK_S = 0.5  # between two looks whether the server is being stopped
NICE = 10  # of that process: whoever asks goes first
LIMITS = Limits(records=50_000)  # larger collections are indexed from the command line


@dataclass(frozen=True, slots=True)
class Added:
    """What came of a file."""

    reading: Reading  # without its papers
    paper_ids: tuple[str, ...]  # of all its papers, in their order
    done: IndexReport


def add_here(index: Index, name: str, data: bytes, *, skip_bad: bool, progress: Callable[[int], None]) -> Added:
    """Read a file and index its papers. Raises CorpusError, or IndexUnusable."""
    reading = read_bytes(name, data, skip_bad=skip_bad, limits=LIMITS)
    return _indexed(index, reading, progress)


def add_apart(
    settings: Settings,
    name: str,
    data: bytes,
    *,
    skip_bad: bool,
    progress: Callable[[int], None],
    stopping: threading.Event,
    read_s: float = READ_S,
) -> Added:
    """The same, elsewhere. stopping: that the server is, which raises Stopping; the next run finishes this one.

    Raises CorpusError also for a file that takes longer than read_s to read.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_add, args=(sender, settings, name, data, skip_bad), daemon=True)
    until, read = monotonic() + read_s, False
    with receiver:
        process.start()
        sender.close()
        try:
            while True:
                if stopping.is_set():
                    raise Stopping
                if not read and monotonic() >= until:
                    raise CorpusError(name, None, "it takes too long to read: split it into smaller files")
                if not receiver.poll(LOOK_S):
                    continue
                outcome = receiver.recv()
                if not isinstance(outcome, int):
                    break
                read = True
                progress(outcome)
        except EOFError:
            if read:
                raise IndexUnusable(f"Indexing {name} ended halfway. Add it again: what is done is kept.") from None
            raise CorpusError(name, None, "it could not be read: it may need more memory than there is") from None
        finally:
            process.kill()
            process.join()
    if isinstance(outcome, ReadbackError):
        raise outcome
    assert isinstance(outcome, Added)
    return outcome


def _indexed(index: Index, reading: Reading, progress: Callable[[int], None]) -> Added:
    done = index.update(reading.papers, progress=progress)
    return Added(replace(reading, papers=(), lines=()), tuple(paper.id for paper in reading.papers), done)


def _add(sender: Connection, settings: Settings, name: str, data: bytes, skip_bad: bool) -> None:
    """What the other process does: it sends how many more papers are done, zero once they are read, and the outcome."""
    from rag.collection import Collection

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts both processes; the server ends this one
    if hasattr(os, "nice"):
        os.nice(NICE)
    outcome: Added | ReadbackError
    try:
        try:
            reading = read_bytes(name, data, skip_bad=skip_bad, limits=LIMITS)
            sender.send(0)
            collection = Collection.open(settings)
            outcome = _indexed(collection.index, reading, sender.send)
        except ReadbackError as error:
            outcome = error
        sender.send(outcome)
    except BrokenPipeError:
        return  # the server has gone
