"""What the pipeline is given from outside; each is a Protocol with one verb. Its stages are in ``rag.stages``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag.types import Usage

Vectors = NDArray[np.float32]
Kind = Literal["query", "document"]


class Message(TypedDict):
    """One message of a chat, in the form every OpenAI-compatible server takes."""

    role: Literal["system", "user", "assistant"]
    content: str


class Embedder(Protocol):
    """Turns texts into vectors; many models treat questions and documents differently."""

    @property
    def name(self) -> str:
        """Identifies all that decides a vector (model, precision, window, pooling): the key of index and cache."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [len(texts), dimension], rows of unit length, in the order given.

        Raises ProviderError if the model cannot be reached. No text is cut off silently.
        """
        ...


@runtime_checkable
class PieceEmbedder(Protocol):
    """What an Embedder that runs on this machine can do besides."""

    def pieces(self, text: str, kind: Kind) -> Vectors | None:
        """What each word piece means in its text: float32 [pieces, dimension], rows of unit length.

        Of as much of the text as fits the model at once. None if they cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is read of a paper."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What reading an excerpt with a question in mind came to."""

    answer: float  # logit that it answers the question
    sentences: Vectors  # [sentences], logits that each of them does


class CrossEncoder(Protocol):
    """Reads question and excerpt together."""

    @property
    def name(self) -> str:
        """Identifies all that decides its logits."""
        ...

    def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[Read]:
        """What each excerpt says about the question, in their order."""
        ...


class ChatModel(Protocol):
    """Writes text."""

    @property
    def name(self) -> str:
        """The model's name, as the provider knows it."""
        ...

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """Yield pieces of text as they are written, then one Usage.

        Closing the iterator ends the work at the provider too. Raises ProviderError, also halfway.
        """
        ...
