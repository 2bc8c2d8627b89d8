"""``readback serve`` as a process of its own, which can be killed and started again on the same data."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from rag.settings import CHECKOUT

PATIENCE_S = 180.0  # for a start, and for a reply: beyond it something hangs
START = "from ui.cli import main; main()"
READBACK = (sys.executable, "-c", START)
BROWSER = {"accept": "text/html"}  # whoever asks for a page gets a cookie


class ServerError(Exception):
    """The server, or a command on its data, failed: says with which words."""


class Server:
    """One server over one folder, without a language model and without limits; always at the same address."""

    def __init__(
        self, folder: Path, *, page: bool = True, variables: Mapping[str, str] | None = None, before: str = ""
    ) -> None:
        """folder: for its data, its log and nothing else. variables: more of the environment.

        page: without it, a start takes half the time. before: Python that runs first, to change what no setting does.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("READBACK_", "OPENAI_"))}
        own = {
            "PYTHONPATH": str(CHECKOUT),
            "READBACK_DATA_DIR": str(folder / "data"),
            "READBACK_MODE": "extractive",
            "READBACK_USER_PER_MINUTE": "0",
            "READBACK_ADDRESS_PER_MINUTE": "0",
        }
        self._folder, self._env = folder, {**clean, **own, **(variables or {})}
        pageless = "" if page else "import ui.app; ui.app.page_of = lambda _: (None, None)"
        self._command = (sys.executable, "-c", "\n".join((before, pageless, START)))
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])

    @property
    def address(self) -> str:
        """Where it is reached, also after a restart."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """Of it, and of commands on its data."""
        return self._env

    def start(self) -> None:
        """Start it, and return when it can answer. Raises ServerError with what it said instead."""
        with self._log.open("ab") as log:
            command = [*self._command, "serve", "--port", str(self._port)]
            self._process = subprocess.Popen(command, cwd=self._folder, env=self._env, stderr=log)
        patient_until = time.monotonic() + PATIENCE_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > patient_until:
                self.kill()
                raise ServerError(f"the server did not start: {self._log.read_text('utf-8')}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed. Does nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self.kills += 1
            self._process.wait(PATIENCE_S)
            self._process = None

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end, and return how many seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(sent)
        self._process.wait(PATIENCE_S)
        self._process = None
        return time.monotonic() - began

    def exported(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What ``readback events export`` finds, in a process of its own: sort of record → id → record."""
        command: Sequence[str] = [*READBACK, "events", "export"]
        done = subprocess.run(command, cwd=self._folder, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"the export failed: {done.stderr}")
        found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for line in done.stdout.splitlines():
            record = json.loads(line)
            found[record["type"]][record["id"]] = record
        return found

    def complaints(self) -> list[str]:
        """What it logged while it served; nothing, if all went well."""
        lives = re.split(r".*Readback is at http://\S+\n", self._log.read_text("utf-8"))[1:]
        said = [line for life in lives for line in life.splitlines()]
        return [line for line in said if "indexing" not in line.casefold()]

    def memory_mb(self) -> float | None:
        """The most that it has held in memory; None where the system does not tell."""
        try:
            status = Path(f"/proc/{self._process.pid if self._process else 0}/status").read_text(encoding="ascii")
        except OSError:
            return None
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=PATIENCE_S, trust_env=False).is_success
        except httpx.TransportError:
            return False
