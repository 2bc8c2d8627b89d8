"""Embeddings from OpenAI or any server that speaks its protocol (Ollama, vLLM, llama.cpp, TEI)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from pydantic import SecretStr

from rag.errors import ContextTooLong, ProviderRefused
from rag.openai_client import Server, UnusableReply, request_errors, sendable
from rag.ports import Kind, Vectors
from rag.tokens import count_tokens

if TYPE_CHECKING:
    from rag.settings import Settings

DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
OPENAI_WINDOW = 8191  # tokens of one text, for the models above
SAFE_WINDOW = 512  # for all others: some servers cut longer texts off and do not say so
BATCH_TEXTS = 32  # the most that TEI takes at once
BATCH_TOKENS = 16_000  # some seconds of work for a server without a GPU, well below a time-out
SHORTEST_HALF = 8  # characters; a server that refuses even these refuses everything

_SEARCH = "Represent this sentence for searching relevant passages: "
KNOWN_PREFIXES: tuple[tuple[str, str, str], ...] = (  # from the model cards: name, before a query, before a document
    (r"nomic-embed-text", "search_query: ", "search_document: "),
    (r"(^|/)(multilingual-)?e5-(small|base|large)(-v2)?$", "query: ", "passage: "),
    (r"mxbai-embed-large|bge-(small|base|large)-en|snowflake-arctic-embed-(xs|s|m|l)$", _SEARCH, ""),
)


class OpenAIEmbedder:
    """An Embedder over an ``/embeddings`` endpoint. One instance serves many threads at once.

    A text that is longer than the model's window is never cut off: it is halved at a space until its parts fit, and
    its vector is the mean of theirs, weighted by tokens. The window counts tokens by tiktoken, which is an estimate
    for most models, so a server that refuses a text as too long gets it in halves as well.
    """

    def __init__(
        self,
        model: str,
        api_key: SecretStr | None = None,
        base_url: str | None = None,
        *,
        timeout_s: float = 60.0,
        retries: int = 2,
        query_prefix: str | None = None,
        document_prefix: str | None = None,
        window_tokens: int | None = None,
        batch_texts: int = BATCH_TEXTS,
        batch_tokens: int = BATCH_TOKENS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """base_url: None for OpenAI. timeout_s: longest silence of the server, in seconds.

        retries: further tries of one batch after 429, 5xx, time-outs and lost connections.
        query_prefix, document_prefix: put before each text; None for what the model's card asks for, if known.
        window_tokens: longest text sent in one piece; None for the model's own, if known, else 512.
        batch_texts, batch_tokens: most that is sent in one request.
        Raises SettingsError if there is neither a key nor a base_url, or one of them cannot be right.
        """
        known_query, known_document = _known_prefixes(model)
        self._prefix: dict[Kind, str] = {
            "query": known_query if query_prefix is None else query_prefix,
            "document": known_document if document_prefix is None else document_prefix,
        }
        own_window = OPENAI_WINDOW if model in DIMENSIONS else SAFE_WINDOW
        self._window = window_tokens or own_window
        self._batch_texts, self._batch_tokens = batch_texts, batch_tokens
        self._dimension = DIMENSIONS.get(model)
        self._discovering = Lock()
        self._server = Server(
            "embedding model",
            model,
            "READBACK_EMBED_MODEL",
            api_key=api_key,
            base_url=base_url,
            timeout_s=timeout_s,
            retries=retries,
            retry_timeouts=True,  # nobody waits at the other end, and an hour's indexing is worth another minute
            sleep=sleep,
        )
        details = [f"window {self._window}"] if self._window != own_window else []
        details += [f"{kind} prefix {prefix!r}" for kind, prefix in self._prefix.items() if prefix]
        self._name = " ".join([f"openai:{model}@{self._server.host}", *(f"[{detail}]" for detail in details)])

    @classmethod
    def from_settings(cls, settings: Settings, model: str) -> OpenAIEmbedder:
        """The named model of the configured server. Raises SettingsError as the constructor does."""
        return cls(
            model,
            settings.openai_api_key,
            settings.openai_base_url,
            timeout_s=settings.timeout_s,
            retries=settings.retries,
        )

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self.name})"

    @property
    def name(self) -> str:
        """All that decides a vector: model, server, and the window and prefixes where they are not the usual ones."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of every vector. Asks the server once, if the model is not well known. Raises ProviderError."""
        if self._dimension is None:
            self._request(["dimension"])
        assert self._dimension is not None  # every answer sets it
        return self._dimension

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [len(texts), dimension], rows of unit length, in the order given.

        Raises ProviderError. What was embedded before an error is lost here: use embed_batches to keep it.
        """
        parts = [vectors for _, vectors in self.embed_batches(texts, kind)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), dtype=np.float32)

    def embed_batches(self, texts: Sequence[str], kind: Kind) -> Iterator[tuple[range, Vectors]]:
        """Yield the positions of each batch in texts, and its vectors, as soon as the server has sent them.

        Batches come in order and cover all texts, so whoever keeps them can go on after an error where it stopped.
        """
        prefix = self._prefix[kind]
        sizes = [count_tokens(prefix + text) for text in texts]
        for batch in self._batches(sizes):
            parts = [self._fitting(sendable(texts[position]), prefix) for position in batch]
            vectors = self._embed_parts([part for text in parts for part in text], prefix)
            bounds = pairwise(accumulate((len(text) for text in parts), initial=0))
            rows = [_mean(vectors[start:end], parts[row]) for row, (start, end) in enumerate(bounds)]
            yield batch, np.stack(rows)

    def _batches(self, sizes: Sequence[int]) -> Iterator[range]:
        """Ranges of neighbours within both budgets; a text that exceeds one by itself makes a batch of its own."""
        start = tokens = 0
        for position, size in enumerate(sizes):
            full = position - start >= self._batch_texts or tokens + size > self._batch_tokens
            if full and position > start:
                yield range(start, position)
                start, tokens = position, 0
            tokens += size
        if start < len(sizes):
            yield range(start, len(sizes))

    def _fitting(self, text: str, prefix: str) -> list[str]:
        """The text in parts that fit the window, prefix included."""
        if count_tokens(prefix + text) <= self._window or len(text) < 2 * SHORTEST_HALF:
            return [text]
        return [part for half in _halves(text) for part in self._fitting(half, prefix)]

    def _embed_parts(self, parts: Sequence[str], prefix: str) -> Vectors:
        rows: list[Vectors] = []
        for start in range(0, len(parts), self._batch_texts):  # a long text may have more parts than a batch holds
            rows.append(self._halving(parts[start : start + self._batch_texts], prefix))
        return np.concatenate(rows)

    def _halving(self, parts: Sequence[str], prefix: str) -> Vectors:
        """One row for each part; what the server finds too long it gets in halves."""
        try:
            return self._request([prefix + part or " " for part in parts])  # servers refuse an empty text
        except ContextTooLong:
            if len(parts) == 1 and len(parts[0]) < 2 * SHORTEST_HALF:
                raise
        if len(parts) > 1:  # it does not say which one
            return np.concatenate([self._halving([part], prefix) for part in parts])
        halves = _halves(parts[0])
        return _mean(np.concatenate([self._halving([half], prefix) for half in halves]), halves)[np.newaxis]

    def _request(self, inputs: list[str]) -> Vectors:
        tries = 0
        while True:
            try:
                create = self._server.client().embeddings.create
                return self._rows(create(model=self._server.model, input=inputs, encoding_format="float"), len(inputs))
            except request_errors() as error:
                failure = self._server.failure(error)
            tries += 1
            if not self._server.pause(failure, tries):
                raise failure.error

    def _rows(self, reply: object, expected: int) -> Vectors:
        """The vectors of a reply in the order of the inputs, of unit length."""
        data = getattr(reply, "data", None)
        if not isinstance(data, list) or len(data) != expected:
            raise UnusableReply(f"not one vector for each of {expected} texts")
        by_index = {str(getattr(item, "index", None)): getattr(item, "embedding", None) for item in data}
        places = [str(index) for index in range(expected)]
        if set(by_index) != set(places):
            raise UnusableReply("vectors without their place")
        try:
            with np.errstate(over="ignore"):
                vectors = np.array([by_index[place] for place in places], dtype=np.float32)
        except (TypeError, ValueError):
            raise UnusableReply("vectors of different lengths, or not of numbers") from None
        if vectors.ndim != 2 or not (np.isfinite(vectors).all() and vectors.any(axis=1).all()):
            raise UnusableReply("vectors without direction")
        self._settle_dimension(vectors.shape[1])
        return _unit(vectors)

    def _settle_dimension(self, found: int) -> None:
        with self._discovering:
            if self._dimension is None:
                self._dimension = found
        if found != self._dimension:
            raise ProviderRefused(
                f"{self.name} sent vectors of length {found} where {self._dimension} was expected: "
                "check OPENAI_BASE_URL and READBACK_EMBED_MODEL."
            )


def _known_prefixes(model: str) -> tuple[str, str]:
    name = model.lower().partition(":")[0]  # Ollama's tag does not matter
    for pattern, query, document in KNOWN_PREFIXES:
        if re.search(pattern, name):
            return query, document
    return "", ""


def _halves(text: str) -> tuple[str, str]:
    """The text in two, cut at the space nearest to its middle, or just there if the middle half has none."""
    middle = len(text) // 2
    spaces = [found.start() for found in re.finditer(r"\s", text[middle // 2 : middle + middle // 2])]
    cut = middle // 2 + min(spaces, key=lambda at: abs(at - (middle - middle // 2))) if spaces else middle
    return text[:cut], text[cut:]


def _mean(vectors: Vectors, parts: Sequence[str]) -> Vectors:
    """The vector of a whole text from those of its parts."""
    if len(parts) == 1:
        only: Vectors = vectors[0]
        return only
    weights = np.array([max(count_tokens(part), 1) for part in parts], dtype=np.float32)
    mean: Vectors = weights @ vectors
    if not mean.any():  # opposite halves: all but impossible, and the longest part is as good as any
        mean = vectors[int(weights.argmax())]
    whole: Vectors = _unit(mean[np.newaxis])[0]
    return whole


def _unit(vectors: Vectors) -> Vectors:
    scaled = vectors / np.abs(vectors).max(axis=1, keepdims=True)  # so that squares neither overflow nor vanish
    unit: Vectors = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit.astype(np.float32)
