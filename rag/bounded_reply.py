"""Replies of a model's server end: after so long, and after so many bytes, however steadily it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

import httpx

MOST_BYTES = 200_000_000  # more than the largest batch of embeddings


class EndlessReply(httpx.ReadTimeout):
    """A reply went on for too long."""


class _Bounded(httpx.SyncByteStream):
    """A body on its way. The time-out of httpx is for each piece, so pieces without meaning could come for ever."""

    def __init__(self, stream: httpx.SyncByteStream, request: httpx.Request, longest_s: float) -> None:
        self._stream, self._request = stream, request
        self._until = monotonic() + longest_s

    def __iter__(self) -> Iterator[bytes]:
        """The pieces. Raises EndlessReply."""
        seen = 0
        for piece in self._stream:
            seen += len(piece)
            if seen > MOST_BYTES or monotonic() > self._until:
                self.close()
                raise EndlessReply("the reply does not end", request=self._request)
            yield piece

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()


def bound(longest_s: float) -> Callable[[httpx.Response], None]:
    """What a client of httpx does with each response, as its event hook. longest_s: from its head to its end."""

    def hook(response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Bounded(response.stream, response.request, longest_s)

    return hook
