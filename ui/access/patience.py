"""How long a request may take to arrive and to be answered, and how the event loop stays free for those who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import Message, Receive

BODY_S = 30.0  # for a body to arrive ...
GRACE_S = 30.0  # beyond the longest time for an answer, for every request
PIECE_BYTES = 16_000  # of a body that are parsed at once: some forms take a millisecond for so much
BODY_BYTES_A_SECOND = 20_000  # ... and a second more for so much of it


class TooSlow(HTTPException):
    """The body does not arrive, or only byte by byte."""

    def __init__(self) -> None:
        super().__init__(408, "The request took too long to arrive.")


class TooLarge(HTTPException):
    """The body is larger than announced, or than allowed."""

    def __init__(self, most_bytes: int) -> None:
        """most_bytes: the limit."""
        super().__init__(413, f"The request is larger than the {most_bytes:,} bytes allowed here.")


class TooLate(HTTPException):
    """Nothing came of a request in the time that there is."""

    def __init__(self) -> None:
        super().__init__(504, "This took too long. Please try again.")


async def in_time(work: Awaitable[None], limit_s: float, begun: Callable[[], bool]) -> None:
    """Do the work of a request. Raises TooLate if no answer has begun by then; the work is left to end by itself.

    begun: whether one has. A thread cannot be interrupted: waiting for the end of the work might be for ever.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # or asyncio complains if it is left
    try:
        await asyncio.wait({task}, timeout=limit_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done() or begun():
        await task
        return
    raise TooLate


class Body:
    """A body on its way: counted, and awaited for a limited time only."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        """receive: the server's. most_bytes: how large it may be."""
        self._receive, self._most = receive, most_bytes
        self._seen, self._whole = 0, False
        self._message: Message = {}
        self._at = 0  # how much of the message's body was handed on, while it was not all
        self._began = asyncio.get_running_loop().time()

    async def __call__(self) -> Message:
        """The next message, not too large to be parsed in one go. Raises TooLarge or TooSlow."""
        if self._at == 0:
            self._message = await self._arrived()
        message, start = self._message, self._at
        body = message.get("body", b"")
        if len(body) <= start + PIECE_BYTES:
            self._at = 0
            return {**message, "body": body[start:]} if start else message
        self._at += PIECE_BYTES
        await asyncio.sleep(0)  # others have their turn before this piece is parsed
        return {**message, "body": body[start : self._at], "more_body": True}

    async def _arrived(self) -> Message:
        if self._whole:  # what comes now is the client's leaving, which may take as long as it likes
            return await self._receive()
        until = self._began + BODY_S + self._seen / BODY_BYTES_A_SECOND
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow from None
        self._seen += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._seen > self._most:
            raise TooLarge(self._most)
        return message


class Turnstile:
    """Lets requests begin one at a time, each in a round of the event loop of its own.

    However many arrive together, whoever needs no work, like a health check, waits for one of them and not for all.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def passed(self) -> None:
        """Wait for one's turn."""
        async with self._turn:
            await asyncio.sleep(0)
