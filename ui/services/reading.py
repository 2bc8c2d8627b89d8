"""Reading uploaded files in a process of their own, so that a large or hostile one holds nobody else up."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection

from rag.corpus import Limits, Reading, read_bytes
from rag.errors import CorpusError

SMALL = 100_000  # bytes that are read where they arrive: starting a process would take longer
PATIENCE_S = 120.0
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
        except EOFError:
            raise CorpusError(name, None, "it could not be read: it may need more memory than there is") from None
        finally:
            process.kill()
            process.join()
    if isinstance(outcome, CorpusError):
        raise outcome
    assert isinstance(outcome, Reading)
    return outcome


def _read(sender: Connection, name: str, data: bytes, skip_bad: bool) -> None:
    """What the other process does."""
    try:
        sender.send(read_bytes(name, data, skip_bad=skip_bad, limits=LIMITS))
    except CorpusError as error:
        sender.send(error)
