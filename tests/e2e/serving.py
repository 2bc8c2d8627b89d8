"""The real server in a process of its own, as `readback serve` runs it, and a slow language model to go with it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
START = "from rag.settings import Settings; from ui.app import serve; serve(Settings.load())"
PATIENCE_S = 90.0
HEAD = {"id": "slow", "created": 0, "model": "slow"}
Found = TypeVar("Found")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], Found | None], what: str, patience_s: float = 20.0) -> Found:
    """What look finds, as soon as it finds something."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}")


class Server:
    """Readback over one data folder. It can be stopped and started again on the same port."""

    def __init__(self, data_dir: Path, log: Path, **settings: str) -> None:
        """settings: environment variables. log: where the server's stderr goes."""
        self.data_dir, self.port, self._log = data_dir, free_port(), log
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("READBACK_", "OPENAI_"))}
        self._environment = {
            **{name: value for name, value in kept.items() if not name.lower().endswith("_proxy")},
            "PYTHONPATH": str(ROOT),
            "READBACK_DATA_DIR": str(data_dir),
            "READBACK_PORT": str(self.port),
            "GRADIO_TEMP_DIR": str(data_dir / "uploads"),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, and return when it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START], cwd=self._log.parent, env=self._environment, stderr=log, stdout=log
            )
        until(self._answers, f"the server; its log says: {self.log()}", PATIENCE_S)

    def stop(self) -> None:
        """Stop it as Ctrl+C does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """End it without a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def log(self) -> str:
        """What it has said on stderr."""
        return self._log.read_text("utf-8") if self._log.exists() else ""

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log()}")
        try:
            with urllib.request.urlopen(self.url + "healthz", timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class SlowModel:
    """An OpenAI-compatible server that says one sentence of the passages after the other, slowly."""

    def __init__(self, pause_s: float, most: int = 200) -> None:
        """pause_s: between two sentences. most: sentences of one answer."""
        self.pause_s, self.most = pause_s, most
        self.sent = 0  # sentences, over all answers
        self.hung_up = threading.Event()  # a client has left in the middle of an answer
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                model.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """For OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One chat completion, as a stream."""
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        prompt = body["messages"][-1]["content"]
        request.send_response(200)
        request.send_header("content-type", "text/event-stream")
        request.end_headers()
        try:
            for sentence in self._sentences(prompt):
                self._send(request, {"choices": [{"index": 0, "delta": {"content": sentence + " "}}]})
                self.sent += 1
                time.sleep(self.pause_s)
            self._send(request, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            request.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.hung_up.set()

    def _sentences(self, prompt: str) -> Sequence[str]:
        if "<passage" not in prompt:  # a follow-up to be made stand-alone: it stays as it is
            return [prompt.rpartition("Last question: ")[2]]
        passages = re.findall(r"<passage[^>]*>\nTitle: [^\n]*\n(.*?)\n</passage>", prompt, re.DOTALL)
        return [one for passage in passages for one in re.split(r"(?<=\.)\s+", passage)][: self.most]

    def _send(self, request: BaseHTTPRequestHandler, chunk: dict[str, Any]) -> None:
        whole = {**HEAD, "object": "chat.completion.chunk", **chunk}
        request.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
        request.wfile.flush()
