"""uvicorn for a server that may be attacked: heads of requests are bounded, and start and end keep nobody waiting."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from ui.services import Services

HEAD_S = 15.0  # for the head of a request to arrive
HEAD_BYTES = 512 * 1024  # of a head, and whatever came in one piece with its end; the parser itself takes any
GOODBYE_S = 4.0  # how long answers in work may take when the server is stopped
LEAVE_S = 9.0  # after so long it is over, whatever still hangs
CONNECTIONS = 65_536  # open at most
SWITCH_S = 0.001  # how long a busy thread may keep the interpreter from the event loop; Python's own is five times that


class BoundedHead(HttpToolsProtocol):
    """A connection that must send heads of a reasonable size in a reasonable time."""

    _late: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._has_come()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand data to the parser, unless it is too much for a head."""
        if self._late is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A head begins, perhaps not the first one of the connection."""
        super().on_message_begin()
        if self._late is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head has come."""
        self._has_come()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _has_come(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Draining(uvicorn.Server):
    """A server that has answers in work end, and be recorded, as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, services: Services, address: str) -> None:
        """services: whose answers are in work. address: where it is reached, told on stderr once it is."""
        super().__init__(config)
        self._services, self._address = services, address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, now that all that is slow is done, and say where."""
        for one in sockets or ():
            one.listen(self.config.backlog)  # raises OSError where another server listens: uvloop would say nothing
        await super().startup(sockets)
        print(f"Readback is at {self._address}", file=sys.stderr, flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop. A request that does not end keeps nobody from leaving."""
        super().handle_exit(sig, frame)
        threading.Thread(target=self._services.drain, args=(GOODBYE_S,), daemon=True).start()
        threading.Thread(target=_leave_after, args=(LEAVE_S,), daemon=True).start()


def favour_event_loop() -> None:
    """Keep the event loop quick beside threads that work: call it once everything is loaded.

    What is loaded by now stays for good, so the garbage collector need not look through it again and again, which
    takes a tenth of a second and stops everybody.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()


def allow_connections() -> None:
    """Let as many connections be open as the system allows: half-sent requests would soon take the usual thousand."""
    if sys.platform == "win32":
        return  # it has no such limit
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CONNECTIONS if hard == resource.RLIM_INFINITY else min(CONNECTIONS, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _leave_after(seconds: float) -> None:
    time.sleep(seconds)
    os._exit(0)
