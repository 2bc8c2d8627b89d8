"""Histories made by hand, and an embedder that knows words alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zlib import crc32

import numpy as np

from rag.events.records import Feedback, Kind
from rag.learning.history import Asked, Shown
from rag.ports import Kind as TextKind
from rag.ports import Vectors
from rag.text import content_stems

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = (START + timedelta(days=1)).timestamp()


class WordEmbedder:
    """A text is the sum of its words, each a random direction."""

    name = "words"
    dimension = 64

    def embed(self, texts: Sequence[str], kind: TextKind) -> Vectors:
        """Rows of unit length."""
        rows = []
        for text in texts:
            words = content_stems(text) or [text]
            parts = [np.random.default_rng(crc32(word.encode())).normal(size=self.dimension) for word in words]
            rows.append(np.sum(parts, axis=0))
        matrix = np.array(rows).reshape(len(texts), self.dimension)
        return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), dtype=np.float32)


class Log:
    """Writes a history line by line."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def ask(
        self,
        person: str,
        conversation: str,
        text: str,
        *,
        papers: Sequence[str] = (),
        cited: Sequence[str] = (),
        searched: str | None = None,
        said: Sequence[tuple[Kind, str | float | None] | tuple[Kind, str | float | None, str]] = (),
        refused: bool = False,
        arm: str = "extractive",
        confidence: float = 0.8,
    ) -> Asked:
        """One question. papers: as ranked; the cited ones are shown, in order. said: kind, value, perhaps a paper."""
        number = len(self.asked) + 1
        turn = 1 + sum(one.person == person and one.conversation == conversation for one in self.asked)
        at = START + timedelta(minutes=number)
        identity = f"a{number}"
        feedback = tuple(
            Feedback(f"{identity}-{i}", number, at, identity, person, one[0], one[1], one[2] if len(one) > 2 else None)
            for i, one in enumerate(said)
        )
        one = Asked(
            id=identity,
            position=number,
            at=at,
            person=person,
            conversation=conversation,
            turn=turn,
            text=text,
            searched=searched,
            abstained=refused,
            policy="base",
            arm=arm,
            cost=0.0,
            papers=tuple(
                Shown(paper, rank, cited.index(paper) + 1 if paper in cited else None, paper in cited)
                for rank, paper in enumerate(papers or cited, start=1)
            ),
            quotes=() if refused else tuple((paper, f"The sentence of {paper}.") for paper in cited),
            answer=None if refused else f"An answer from {', '.join(cited)}.",
            confidence=confidence,
            touched=searched is not None,
            said=feedback,
        )
        self.asked.append(one)
        return one
