"""The collection: looking through it, papers like one, adding and removing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rag.errors import ReadbackError
from rag.types import Paper
from ui.services.line import Line
from ui.services.neighbours import Neighbours
from ui.services.runs import LOCAL

if TYPE_CHECKING:
    from rag.engine import Assistant
    from rag.errors import CorpusError
    from rag.settings import Settings

UPLOAD_S = 3600.0  # longest wait of an upload for those before it
WAIT_S = 10.0  # and of a removal
UNDO_PAPERS = 100  # removed ones that can be put back
UNKNOWN_PAPER = "The collection has no paper with this id."


class ReadOnly(ReadbackError):
    """The settings forbid changing the collection from here."""


class UploadTooLarge(ReadbackError):
    """More bytes than the settings allow in one upload."""


class PaperUnknown(ReadbackError):
    """The collection does not hold this paper, or not any more."""


@dataclass(frozen=True, slots=True)
class UploadFault:
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
    faults: tuple[UploadFault, ...]  # in the order of their lines


class Papers:
    """What can be done with the collection. Everybody sees the same one."""

    def __init__(self, settings: Settings, assistant: Assistant) -> None:
        self._settings, self._assistant = settings, assistant
        self._neighbours = Neighbours(assistant)
        self.similar, self.sample = self._neighbours.similar, self._neighbours.sample
        self._line = Line()  # the index refuses a second writer instead of waiting for the first
        self._stopping = threading.Event()
        self._reading = threading.Lock()
        self._removed: dict[str, Paper] = {}  # the newest last
        self._generation = -1
        self._papers: list[tuple[str, Paper]] = []  # with the words to look through

    @property
    def fixed(self) -> bool:
        """Whether the collection cannot be changed from here."""
        return self._settings.read_only

    def generation(self) -> int:
        """Another number whenever the collection has changed."""
        return self._assistant.index.catalog.generation()

    def matching(self, words: str = "") -> list[Paper]:
        """Papers that have all the words somewhere, in the order in which they came."""
        wanted = words.casefold().split()
        return [paper for text, paper in self._current() if all(word in text for word in wanted)]

    def get(self, paper_id: str) -> Paper:
        """One paper. Raises PaperUnknown."""
        found = self._assistant.paper(paper_id)
        if found is None:
            raise PaperUnknown(UNKNOWN_PAPER)
        return found

    def some(self, paper_ids: Iterable[str]) -> dict[str, Paper]:
        """Those of these papers that the collection holds, by id."""
        return {paper_id: paper for paper_id, (paper, _) in self._assistant.index.catalog.some(paper_ids).items()}

    def check_size(self, size: int | None) -> None:
        """Raise UploadTooLarge for a file of more bytes than are allowed. size: None if it is not known yet."""
        if size is not None and size > self._settings.upload_mb * 1_000_000:
            raise UploadTooLarge(f"The file is larger than {self._settings.upload_mb} MB, the maximum for an upload.")

    def add(
        self,
        name: str,
        file: IO[bytes],
        skip_bad: bool = True,
        progress: Callable[[int], None] = lambda _: None,
        *,
        who: str = LOCAL,
    ) -> UploadReport:
        """Read a file of any known format and index its papers; they can be asked about when this returns.

        name: the file's, for its format and for messages. file: read when its turn has come, so that those who wait
        fill no memory. progress: told how many more papers are done. Without skip_bad, a fault raises CorpusError and
        nothing is added. who: wants it, for a fair share of the waiting line. Raises ReadOnly, UploadTooLarge,
        IndexUnusable or Stopping.
        """
        from ui.services.indexing import SMALL, add_apart, add_here

        self._check_writable()
        with self._line.turn(who, UPLOAD_S):
            data = file.read(self._settings.upload_mb * 1_000_000 + 1)
            self.check_size(len(data))
            if len(data) <= SMALL:
                added = add_here(self._assistant.index, name, data, skip_bad=skip_bad, progress=progress)
            else:
                added = add_apart(
                    self._settings, name, data, skip_bad=skip_bad, progress=progress, stopping=self._stopping
                )
        reading, done = added.reading, added.done
        return UploadReport(
            file=name,
            format=reading.format,
            added=done.added,
            changed=done.changed,
            unchanged=done.unchanged,
            merged=reading.merged,
            total=done.total,
            paper_ids=added.paper_ids,
            faults=_faults(reading.faults),
        )

    def remove(self, ids: Iterable[str], *, who: str = LOCAL) -> int:
        """Take papers out of the collection; returns how many were there. Raises ReadOnly or IndexUnusable.

        who: as for ``add``. While a file is being added it raises IndexBusy after a while.
        """
        self._check_writable()
        wanted = list(ids)
        with self._line.turn(who, WAIT_S):
            held = self.some(wanted)
            removed = self._assistant.index.remove(wanted)
            self._removed.update(held)
            while len(self._removed) > UNDO_PAPERS:
                self._removed.pop(next(iter(self._removed)))
        return removed

    def put_back(self, paper_id: str, *, who: str = LOCAL) -> None:
        """Undo the removal of a paper. Raises PaperUnknown if it is too long ago, and what ``remove`` raises."""
        self._check_writable()
        with self._line.turn(who, WAIT_S):
            paper = self._removed.pop(paper_id, None)
            if paper is None:
                raise PaperUnknown("It is too late to put this paper back: add it again from its file.")
            self._assistant.index.update([paper])

    def close(self) -> None:
        """Give up what is being added."""
        self._stopping.set()

    def _check_writable(self) -> None:
        if self._settings.read_only:
            raise ReadOnly("This collection cannot be changed from here: READBACK_READ_ONLY is set.")

    def _current(self) -> list[tuple[str, Paper]]:
        generation = self.generation()
        with self._reading:
            if generation != self._generation:
                self._papers = [(_text(paper), paper) for paper in self._assistant.papers()]
                self._generation = generation
            return self._papers


def _faults(errors: Sequence[CorpusError]) -> tuple[UploadFault, ...]:
    return tuple(UploadFault(error.line, error.reason) for error in errors)


def _text(paper: Paper) -> str:
    return "\n".join((paper.title, paper.abstract, *paper.authors, paper.id, str(paper.year or ""))).casefold()
