"""One consistent view of the index for one search, however busy an indexer is meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from rag.errors import IndexBusy, IndexUnusable
from rag.index.catalog import Catalog
from rag.index.index import Index
from rag.index.lexical import LexicalIndex
from rag.index.ports import GenerationGone

TRIES = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one generation of the index is made of."""

    generation: int
    collection: str
    lexical: LexicalIndex


class Snapshots:
    """Hands out the current snapshot, reading of each generation what has changed. Safe for threads."""

    def __init__(self, index: Index) -> None:
        """index: checked against the settings whenever there is a new generation."""
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
                self._index.check()
                state = self.catalog.state()
                held = self._current
                if held is not None and held.generation == state.generation:
                    return held
                dimension = self._index.embedder.dimension
                try:
                    lexical = LexicalIndex.read(self.catalog, state, dimension, held.lexical if held else None)
                except GenerationGone:
                    continue
                self._index.follow(state.facts.get("writer", ""))
                try:
                    self._index.mend(lexical.size)
                except IndexBusy:
                    if self.catalog.generation() == state.generation:
                        raise
                if self.catalog.generation() != state.generation:
                    continue  # mended, or changed by somebody else
                self._current = Snapshot(state.generation, state.facts["collection"], lexical)
                return self._current
        raise IndexUnusable("The index changes faster than it can be read. Try again.")
