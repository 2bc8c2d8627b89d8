"""One consistent view of the index for one search, however busy an indexer is meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from rag.errors import IndexBusy, IndexUnusable
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.lexical import LexicalIndex

TRIES = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one generation of the index is made of."""

    generation: int
    collection: str
    lexical: LexicalIndex


class Snapshots:
    """Hands out the current snapshot, loading a generation once. Safe for threads."""

    def __init__(self, index: Index) -> None:
        """index: checked against the settings whenever a new generation is loaded."""
        self._index = index
        self._lock = threading.Lock()
        self._current: Snapshot | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalog that snapshots are taken of."""
        return self._index.catalog

    def current(self) -> Snapshot:
        """The newest generation. Raises IndexMissing, IndexMismatch or IndexUnusable."""
        generation = self.catalog.generation()
        held = self._current
        if held is not None and held.generation == generation:
            return held
        with self._lock:
            for _ in range(TRIES):
                facts = self.catalog.meta()  # read at once, so that its parts belong together
                generation = int(facts.get("generation", "0"))
                if self._current is not None and self._current.generation == generation:
                    return self._current
                self._index.check()
                try:
                    lexical = LexicalIndex.load(self._index.lexical_folder(generation))
                except FileNotFoundError:
                    continue  # a newer generation has just replaced it
                self._index.vectors.reopen()
                try:
                    self._index.mend(len(lexical.rows))
                except IndexBusy:
                    if self.catalog.generation() == generation:
                        raise
                if self.catalog.generation() != generation:
                    continue  # mended, or changed by somebody else
                self._current = Snapshot(generation, facts["collection"], lexical)
                return self._current
        raise IndexUnusable("The lexical index is missing. Run: readback index --rebuild")
