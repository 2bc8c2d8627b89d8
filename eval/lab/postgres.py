"""A PostgreSQL server on loopback, in a folder of its own, which can be stopped and started again."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOMES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
UNPRIVILEGED = "postgres"  # the user that Debian's package makes: the server refuses to run as root


def home() -> Path | None:
    """Where the server's programs are; None if it is not installed."""
    found = shutil.which("initdb")
    return HOMES[-1] if HOMES else Path(found).parent if found else None


class Postgres:
    """A cluster. ``url`` is that of its maintenance database."""

    def __init__(self, folder: Path, programs: Path) -> None:
        """folder: its own. programs: as ``home`` tells. Raises RuntimeError with the log if it cannot be made."""
        user = UNPRIVILEGED if os.geteuid() == 0 else getpass.getuser()
        self._as: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
        self._folder, self._programs = folder, programs
        password = secrets.token_hex(8)
        (folder / "password").write_text(password)
        if self._as:
            shutil.chown(folder, user, user)
            shutil.chown(folder / "password", user, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgresql://readback:{password}@127.0.0.1:{self._port}/postgres"
        self._run(
            "initdb", "-D", folder / "data", "-U", "readback", "-A", "scram-sha-256", "--pwfile", folder / "password",
            "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = f"-h 127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off -c max_connections=60"
        self._control("-l", self._folder / "server.log", "-o", options, "start")

    def stop(self) -> None:
        """End it and all connections at once."""
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str | Path) -> None:
        self._run("pg_ctl", "-D", self._folder / "data", "-w", *arguments)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(part) for part in (self._programs / program, *arguments)]
        with (self._folder / "log").open("ab") as log:  # a file: the server would keep a pipe open for ever
            done = subprocess.run(
                command, cwd=self._folder, check=False, timeout=120, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, **self._as,
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError((self._folder / "log").read_text())


@contextmanager
def running(programs: Path) -> Iterator[Postgres]:
    """A server for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="readback-postgres-"))
    try:
        server = Postgres(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
