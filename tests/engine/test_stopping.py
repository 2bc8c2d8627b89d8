"""Stopping an answer reaches the model's server at once: nothing is read after it, and the server sees the hang-up."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag import Assistant, TextDelta
from rag.chat_model import OpenAIChat
from rag.errors import Stopped
from rag.stopping import Stop
from rag.types import StreamEvent
from tests.engine.shared import ABOUT_CTRL, settings_in

PATIENCE_S = 30.0


class Teller:
    """An OpenAI-compatible server that writes one token whenever it is told to, and notices when its client leaves."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)  # one for each token that it may write
        self.written = 0
        self.asked, self.hung_up = threading.Event(), threading.Event()
        teller = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                self.wfile.flush()
                teller.asked.set()
                while not teller.left(self.connection):
                    if teller.go.acquire(timeout=0.01):
                        chunk = {"choices": [{"index": 0, "delta": {"content": f"word{teller.written} "}}]}
                        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                        self.wfile.flush()
                        teller.written += 1
                teller.hung_up.set()
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @staticmethod
    def left(connection: socket.socket) -> bool:
        """Whether the client has hung up."""
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


@pytest.fixture
def teller() -> Iterator[Teller]:
    """A server that is closed at the end."""
    made = Teller()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


@pytest.fixture
def asking(assistant: Assistant, teller: Teller) -> Callable[[Stop], Iterator[StreamEvent]]:
    """Begins an answer that this server writes."""
    url = f"http://127.0.0.1:{teller.server.server_address[1]}/v1"
    settings = settings_in(assistant.settings.data_dir, openai_base_url=url, chat_model="teller", timeout_s=PATIENCE_S)
    many = Assistant(settings, assistant.collection, OpenAIChat.from_settings)
    return lambda stop: many.stream(ABOUT_CTRL, stop=stop)


def test_each_token_is_passed_on_before_the_next_one_is_written(
    asking: Callable[[Stop], Iterator[StreamEvent]], teller: Teller
) -> None:
    events = asking(Stop())
    next(events)
    for number in range(5):
        teller.go.release()  # the server writes no other one: nothing may be waited for
        event = next(events)
        assert isinstance(event, TextDelta)
        assert event.text.strip() == f"word{number}"
    events.close()  # type: ignore[attr-defined]  # it is a generator
    assert teller.hung_up.wait(PATIENCE_S)


@pytest.mark.parametrize("tokens", [0, 3])
def test_a_stop_ends_a_silent_model_too_and_no_token_more_is_written(
    asking: Callable[[Stop], Iterator[StreamEvent]], teller: Teller, tokens: int
) -> None:
    stop, told, begun = Stop(), list[StreamEvent](), threading.Event()

    def read() -> None:
        try:
            for event in asking(stop):
                told.append(event)
                if len(told) > tokens:
                    begun.set()
        except Stopped:
            pass

    for _ in range(tokens):
        teller.go.release()
    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(PATIENCE_S)
    assert teller.asked.wait(PATIENCE_S)
    stop.wish()  # while the reader waits for a token that does not come
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert teller.hung_up.wait(PATIENCE_S)
    assert teller.written == tokens
    said = "".join(event.text for event in told[: tokens + 1] if isinstance(event, TextDelta))
    assert said == " ".join(f"word{number}" for number in range(tokens))


def test_nothing_is_asked_of_a_model_after_a_stop(
    asking: Callable[[Stop], Iterator[StreamEvent]], teller: Teller
) -> None:
    stop = Stop()
    stop.wish()
    with pytest.raises(Stopped):
        list(asking(stop))
    assert teller.written == 0
