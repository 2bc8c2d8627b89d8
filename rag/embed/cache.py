"""A memory of the vectors asked for last: the stages of one answer, and many askers, ask for the same texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.lru import Lru
from rag.ports import Embedder, Kind, PieceEmbedder, Vectors

REMEMBERED = 16 << 20  # bytes
FEW = 64  # texts of one call that is remembered; an indexer's are more, and come once


class CachedEmbedder:
    """An Embedder in front of another one. Safe for threads. Nothing is written down."""

    def __init__(self, inner: Embedder, most: int = REMEMBERED) -> None:
        """inner: embeds what is not remembered. most: bytes of vectors to remember."""
        self._inner = inner
        self._known: Lru[tuple[str, Kind], NDArray[np.float32]] = Lru(most)

    @property
    def name(self) -> str:
        """The inner embedder's name: remembering changes no vector."""
        return self._inner.name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._inner.dimension

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Like the inner embedder's."""
        if not texts or len(texts) > FEW:
            return self._inner.embed(texts, kind)
        found = {text: self._known.get((text, kind)) for text in texts}
        missing = [text for text, vector in found.items() if vector is None]
        if missing:
            for text, vector in zip(missing, self._inner.embed(missing, kind), strict=True):
                found[text] = vector
                self._known.put((text, kind), vector, vector.nbytes + 2 * len(text))
        return np.asarray([found[text] for text in texts], dtype=np.float32)

    def pieces(self, text: str, kind: Kind) -> Vectors | None:
        """The inner embedder's, if it shows them. They are too large to be remembered."""
        return self._inner.pieces(text, kind) if isinstance(self._inner, PieceEmbedder) else None
