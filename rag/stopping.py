"""A reader's wish to hear no more: it may come from any thread, and reaches the model at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from weakref import WeakSet

from rag.chat_model import LIMIT_REACHED, close_stream
from rag.errors import Stopped
from rag.ports import ChatModel, Message
from rag.types import Usage


class Stop:
    """One answer's switch. Once it is on, no stream of a model goes on and none begins."""

    def __init__(self) -> None:
        self.on = False
        self._streams: WeakSet[Watched] = WeakSet()
        self._lock = threading.Lock()

    def wish(self) -> None:
        """Turn it on: the streams that are open are closed."""
        with self._lock:
            self.on = True
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def watch(self, stream: Watched) -> None:
        """Close this stream as well when the wish comes."""
        with self._lock:
            self._streams.add(stream)


class Stoppable:
    """A ChatModel whose streams end when somebody wishes so."""

    def __init__(self, model: ChatModel, stop: Stop) -> None:
        self._model, self._stop = model, stop

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Watched:
        """As the model does, until the wish comes. Raises Stopped if it has come already."""
        if self._stop.on:
            raise Stopped("The reader wanted no more.")
        return Watched(self._model.stream(messages, max_tokens=max_tokens), self._stop)


class Watched(Iterator[str | Usage]):
    """A model's stream that ends with the wish, like one that has reached its limit."""

    def __init__(self, stream: Iterator[str | Usage], stop: Stop) -> None:
        self._stream, self._stop = stream, stop
        stop.watch(self)

    def __next__(self) -> str | Usage:
        if self._stop.on:
            self.close()
            raise StopIteration
        return next(self._stream)

    @property
    def finish_reason(self) -> str | None:
        """Why it ended."""
        return LIMIT_REACHED if self._stop.on else getattr(self._stream, "finish_reason", None)

    def close(self) -> None:
        """End the model's work."""
        close_stream(self._stream)
