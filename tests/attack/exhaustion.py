"""Ways to wear a server out. Each function does its worst and returns what went wrong: nothing, if it was withstood.

The server that they are tried on waits two seconds for a head or a body, not fifteen or thirty, and six for an answer.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.attack.conftest import Target

BEFORE = """
import resource, ui.server, ui.access.patience as patience
ui.server.HEAD_S = patience.BODY_S = 2.0
files = resource.RLIMIT_NOFILE
resource.setrlimit(files, (512, resource.getrlimit(files)[1]))  # half the usual: the server must raise it
"""
VARIABLES = {"READBACK_ANSWER_S": "6", "READBACK_API_KEYS": "ada:ada-key-0123456789"}
KEY = {"authorization": "Bearer ada-key-0123456789"}
PATIENCE_S = 120.0  # beyond it something hangs
LIST_S = 30.0  # a list waits for nobody: beyond it, it has
MEMORY_MB = 1200  # more than this, above what an idle server takes, is a fault
QUESTION = {"question": "What is learned from user feedback?"}
HEAD = "POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ada-key-0123456789\r\n"


@contextmanager
def others_asking(target: Target) -> Iterator[list[str]]:
    """Another user, who asks and looks at the server's health meanwhile: what they complain of."""
    complaints: list[str] = []
    over = threading.Event()

    def use() -> None:
        with httpx.Client(base_url=target.address, headers=KEY, timeout=PATIENCE_S) as client:
            while not over.is_set():
                try:
                    listed = client.get("/api/papers", params={"limit": 5}, timeout=LIST_S)
                    replies = (client.get("/healthz"), listed, client.post("/api/ask", json=QUESTION))
                except httpx.TransportError as error:
                    complaints.append(repr(error))
                    continue
                for reply in replies:
                    if reply.status_code != 200:
                        complaints.append(f"{reply.request.url.path}: {reply.status_code} {reply.text[:200]}")
                over.wait(0.2)

    thread = threading.Thread(target=use)
    thread.start()
    try:
        yield complaints
    finally:
        over.set()
        thread.join(PATIENCE_S)


def opened(target: Target, stack: ExitStack) -> socket.socket:
    """A connection that stays open."""
    return stack.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE_S))


def closed_by_server(connections: list[socket.socket], replies: tuple[bytes, ...] = (b"",)) -> list[str]:
    """Complaints about connections that the server keeps, or ends with another reply."""
    faults = []
    for connection in connections:
        try:
            said = connection.recv(65536)
        except ConnectionError:
            continue
        except TimeoutError:
            faults.append("a connection is kept open")
            continue
        if not said.startswith(replies):
            faults.append(f"unexpected: {said[:100]!r}")
    return faults


def half_heads(target: Target, count: int) -> list[str]:
    """Heads that never end."""
    with ExitStack() as stack:
        connections = [opened(target, stack) for _ in range(count)]
        for connection in connections:
            connection.sendall(HEAD.encode())
        return closed_by_server(connections)


def slow_heads(target: Target, count: int) -> list[str]:
    """Heads that come byte by byte."""
    with ExitStack() as stack:
        connections = [opened(target, stack) for _ in range(count)]
        over = time.monotonic() + 4
        while time.monotonic() < over:
            for connection in connections:
                try:
                    connection.sendall(b"x")
                except ConnectionError:
                    continue
            time.sleep(0.2)
        return closed_by_server(connections, (b"", b"HTTP/1.1 400"))


def long_heads(target: Target, count: int) -> list[str]:
    """Heads that go on for megabytes."""
    with ExitStack() as stack:
        connections = [opened(target, stack) for _ in range(count)]
        for connection in connections:
            try:
                connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 4_000_000)
            except ConnectionError:
                continue
        return closed_by_server(connections, (b"", b"HTTP/1.1 400"))


def half_bodies(target: Target, count: int) -> list[str]:
    """Bodies that never end."""
    with ExitStack() as stack:
        connections = [opened(target, stack) for _ in range(count)]
        for connection in connections:
            connection.sendall(f'{HEAD}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{{"q'.encode())
        return closed_by_server(connections, (b"HTTP/1.1 408",))


def large_bodies(target: Target, count: int) -> list[str]:
    """Bodies of a megabyte, all at once."""
    body = b'{"question": "' + b"x" * 900_000 + b'"}'
    return at_once(target, count, lambda client: client.post("/api/ask", content=body), {422})


def logins(target: Target, count: int) -> list[str]:
    """Wrong passwords, all at once."""
    form = {"name": "ada", "password": "wrong horse battery"}
    return at_once(target, count, lambda client: client.post("/login", data=form), {401, 429})


def questions(target: Target, count: int) -> list[str]:
    """Questions of one user, all at once."""
    return at_once(target, count, lambda client: client.post("/api/ask", json=QUESTION), {200, 503})


def at_once(target: Target, count: int, send: Callable[[httpx.Client], httpx.Response], right: set[int]) -> list[str]:
    """Requests in as many threads: what got another status than is right."""

    def one(_: int) -> int:
        with httpx.Client(base_url=target.address, headers=KEY, timeout=PATIENCE_S) as client:
            return send(client).status_code

    with ThreadPoolExecutor(count) as pool:
        return [f"status {status}" for status in pool.map(one, range(count)) if status not in right]


def streams_left(target: Target, count: int) -> list[str]:
    """Streams whose readers leave after the first byte."""
    with httpx.Client(base_url=target.address, headers=KEY, timeout=PATIENCE_S) as client:
        for _ in range(count):
            with client.stream("POST", "/api/ask", json={**QUESTION, "stream": True}) as reply:
                next(reply.iter_raw(), None)
    return []


def downloads(target: Target, count: int) -> list[str]:
    """Replies that nobody reads."""
    request = f"GET /api/papers?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {KEY['authorization']}\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(count):
            opened(target, stack).sendall(request.encode() * 20)
        return [] if target.alive() else ["not alive"]


def wrong_encoding(target: Target, count: int) -> list[str]:
    """A file of so many megabytes in no encoding at all."""
    data = random.Random(7).randbytes(count * 1_000_000)
    return refused(target, "noise.csv", data)


def near_boundaries(target: Target, count: int) -> list[str]:
    """A form of so many megabytes that almost ends at every line, which is the slowest to parse."""
    body = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body += b"\r\n--edg" * (count * 1_000_000 // 7) + b"\r\n--edge--\r\n"
    headers = {**KEY, "content-type": "multipart/form-data; boundary=edge"}
    reply = httpx.post(f"{target.address}/api/papers", content=body, headers=headers, timeout=PATIENCE_S * 2)
    return [] if reply.status_code == 422 else [f"status {reply.status_code}: {reply.text[:200]}"]


def many_records(target: Target, count: int) -> list[str]:
    """A file of very many records."""
    lines = (json.dumps({"title": f"Paper {n}", "abstract": f"We study {n}. It works."}) for n in range(count))
    return refused(target, "many.jsonl", "\n".join(lines).encode())


def refused(target: Target, name: str, data: bytes) -> list[str]:
    """Whether an upload is refused with a reason."""
    with httpx.Client(base_url=target.address, headers=KEY, timeout=PATIENCE_S * 2) as client:
        reply = client.post("/api/papers", files={"file": (name, data)})
    return [] if reply.status_code in (408, 413, 422) else [f"status {reply.status_code}: {reply.text[:200]}"]


def index_run(target: Target, count: int) -> list[str]:
    """A file of so many papers, and meanwhile removals and further files, all at once."""

    def papers(first: int, last: int) -> dict[str, tuple[str, bytes]]:
        lines = (
            json.dumps({"title": f"Paper {n}", "abstract": f"We study {n}. It works."}) for n in range(first, last)
        )
        return {"file": ("papers.jsonl", "\n".join(lines).encode())}

    def send(client: httpx.Client) -> httpx.Response:
        return random.choice((lambda: client.delete("/api/papers/x"), lambda: client.post("/api/papers", files=few)))()

    few = papers(0, 3)
    with httpx.Client(base_url=target.address, headers=KEY, timeout=PATIENCE_S * 4) as client:
        with ThreadPoolExecutor(1) as pool:
            indexing = pool.submit(client.post, "/api/papers", files=papers(0, count))
            faults = at_once(target, 120, send, {200, 404, 409})
        if not indexing.result().is_success:
            faults.append(f"the file: {indexing.result().text[:200]}")
    return faults


def blank_model(target: Target, count: int) -> list[str]:
    """A model's server that sends blanks, and nothing else."""
    return model_that(target, [" " * 1000] * (count // 1000), 0.0)


def dripping_model(target: Target, count: int) -> list[str]:
    """A model's server that sends one token a second, for ever."""
    return model_that(target, ["word "] * 600, float(count))


def commenting_model(target: Target, count: int) -> list[str]:
    """So many answers by a model's server that sends comments for ever."""
    return endless_model(target, count, 200, b": still here\n\n")


def failing_model(target: Target, count: int) -> list[str]:
    """So many answers by a model's server whose error does not end."""
    return endless_model(target, count, 500, b"x")


def endless_model(target: Target, count: int, status: int, piece: bytes) -> list[str]:
    """Whether questions are answered, or refused in time, and the model's server is left soon after."""
    Model.status, Model.endless = status, piece
    body = {**QUESTION, "options": {"mode": "generative"}}
    try:
        faults = at_once(target, count, lambda client: client.post("/api/ask", json=body), {200, 504})
        over = time.monotonic() + PATIENCE_S
        while Model.open and time.monotonic() < over:
            time.sleep(0.1)
        return [*faults, f"{len(Model.open)} connections are kept"] if Model.open else faults
    finally:
        Model.status, Model.endless = 200, b""


def model_that(target: Target, pieces: list[str], pause_s: float) -> list[str]:
    """Ask for a written answer while the model writes these pieces: it must come, or say that it cannot."""
    Model.pieces, Model.pause_s = pieces, pause_s
    body = {**QUESTION, "options": {"mode": "generative"}}
    reply = httpx.post(f"{target.address}/api/ask", json=body, headers=KEY, timeout=PATIENCE_S)
    if reply.status_code == 504:
        return []
    return (
        []
        if reply.status_code == 200 and reply.json()["answer"]["notice"]
        else [f"{reply.status_code}: {reply.text[:200]}"]
    )


class Model(BaseHTTPRequestHandler):
    """A server of OpenAI's protocol that writes what it is told to."""

    pieces: list[str] = []  # noqa: RUF012  # of whatever is asked next
    pause_s = 0.0
    status = 200
    endless = b""  # sent for ever instead of the pieces
    open: set[int] = set()  # noqa: RUF012  # connections that somebody still listens to

    def do_POST(self) -> None:
        """Stream the pieces."""
        self.open.add(id(self))
        try:
            self._stream()
        finally:
            self.open.discard(id(self))

    def _stream(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.status)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        try:
            while self.endless:
                self.wfile.write(self.endless)
                time.sleep(0.01)
            for piece in self.pieces:
                choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
                chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                time.sleep(self.pause_s)
            self.wfile.write(b"data: [DONE]\n\n")
        except ConnectionError:
            return

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def model_server() -> Iterator[str]:
    """The address of that server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
