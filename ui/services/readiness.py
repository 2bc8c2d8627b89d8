"""Whether questions can be answered, papers added and answers recorded: found out by trying."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from rag.errors import ReadbackError
from rag.index.faults import advice

if TYPE_CHECKING:
    from pathlib import Path

    from rag.engine import Assistant
    from rag.events import EventStore
    from rag.settings import Settings

log = logging.getLogger(__name__)
BROKEN = "broken: the log says how"
PROBE_BYTES = 1 << 18  # an answer with its trace is smaller
THOROUGH_S = 60.0  # between two looks at the whole of the files ...
THOROUGH_SHARE = 50  # ... and at least so many times as long as a look takes


@dataclass(frozen=True, slots=True)
class State:
    """What is wrong with each part, None where nothing is."""

    index: str | None
    record: str | None
    disk: str | None


class DiskUnusable(ReadbackError):
    """Nothing can be written to the data folder."""


class Readiness:
    """Tries the stores. Safe to use from many threads."""

    def __init__(
        self, settings: Settings, assistant: Assistant, store: EventStore, clock: Callable[[], float] = monotonic
    ) -> None:
        """clock: seconds that only grow."""
        self._assistant, self._store, self._clock = assistant, store, clock
        self._folder = settings.data_dir
        self._writes = settings.events_url is None or not settings.read_only
        self._lock = threading.Lock()
        self._due, self._known = 0.0, State(None, None, None)  # of the last thorough look

    def check(self) -> None:
        """Look at the whole of all files, before the first question. Raises ReadbackError."""
        self._assistant.index.catalog.check()
        self._store.check(thorough=True)
        self._assistant.policy()

    def state(self) -> State:
        """How things are now."""
        known = self._thorough()
        return State(
            index=_fault(self._check_index) or known.index,
            record=_fault(self._store.check) or known.record,
            disk=_fault(lambda: probe(self._folder)) if self._writes else None,
        )

    def _check_index(self) -> None:
        self._assistant.index.check()
        self._assistant.policy()

    def _thorough(self) -> State:
        with self._lock:
            began = self._clock()
            if began >= self._due:
                index = _fault(self._assistant.index.catalog.check)
                record = _fault(lambda: self._store.check(thorough=True))
                self._known = State(index, record, None)
                ended = self._clock()
                self._due = ended + max(THOROUGH_S, THOROUGH_SHARE * (ended - began))
            return self._known


def probe(folder: Path) -> None:
    """Write something to the disk of a folder, and delete it. Raises DiskUnusable."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        raise DiskUnusable(f"The data folder {folder} has gone. Is its disk mounted?") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskUnusable(f"The data folder {folder} cannot be written ({reason}). {advice(reason)}") from None


def _fault(check: Callable[[], object]) -> str | None:
    try:
        check()
    except ReadbackError as error:
        return str(error)
    except Exception:  # a probe must not fall over what it probes
        log.exception("not ready")
        return BROKEN
    return None
