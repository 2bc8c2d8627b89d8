"""Reading uploaded files in a process of their own, so that a large or hostile one holds nobody else up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection

from rag.corpus import Limits, Reading, read_bytes
from rag.errors import CorpusError
from rag.types import Paper

SMALL = 100_000  # bytes that are read where they arrive: starting a process would take longer
PATIENCE_S = 120.0
BATCH = 500  # papers taken over at once: the interpreter does nothing else meanwhile
LIMITS = Limits(records=50_000)  # larger collections are indexed from the command line


def read_apart(name: str, data: bytes, *, skip_bad: bool, patience_s: float = PATIENCE_S) -> Reading:
    """``rag.corpus.read_bytes``, elsewhere. Raises CorpusError, also for a file that takes longer than patience_s."""
    if len(data) <= SMALL:
        return read_bytes(name, data, skip_bad=skip_bad, limits=LIMITS)
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_read, args=(sender, name, data, skip_bad), daemon=True)
    with receiver:
        process.start()
        sender.close()
        try:
            if not receiver.poll(patience_s):
                raise CorpusError(name, None, "it takes too long to read: split it into smaller files")
            outcome = receiver.recv()
            if isinstance(outcome, Reading):
                outcome = replace(outcome, papers=tuple(_received(receiver)))
        except EOFError:
            raise CorpusError(name, None, "it could not be read: it may need more memory than there is") from None
        finally:
            process.kill()
            process.join()
    if isinstance(outcome, CorpusError):
        raise outcome
    assert isinstance(outcome, Reading)
    return outcome


def _received(receiver: Connection) -> Iterator[Paper]:
    while papers := receiver.recv():
        yield from papers


def _read(sender: Connection, name: str, data: bytes, skip_bad: bool) -> None:
    """What the other process does."""
    try:
        reading = read_bytes(name, data, skip_bad=skip_bad, limits=LIMITS)
        sender.send(replace(reading, papers=()))
        for start in range(0, len(reading.papers), BATCH):
            sender.send(reading.papers[start : start + BATCH])
        sender.send(())
    except CorpusError as error:
        sender.send(error)
