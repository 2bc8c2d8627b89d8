"""How long ``/healthz`` takes, asked again and again from a process of its own, so that nothing else delays it.

python -m eval.lab.health ADDRESS
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter, sleep
from urllib.parse import urlsplit

PAUSE_S = 0.05
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def look(host: str, port: int) -> float | None:
    """Milliseconds until the answer was there; None if nobody listens."""
    began = perf_counter()
    try:
        with socket.create_connection((host, port), timeout=60) as connection:
            connection.sendall(REQUEST)
            said = b""
            while part := connection.recv(4096):
                said += part
    except ConnectionError:
        return None
    return (perf_counter() - began) * 1000 if said else None


@contextmanager
def watched(address: str) -> Iterator[list[float]]:
    """Milliseconds of all looks while the block lasts; they are there at its end."""
    found: list[float] = []
    watching = subprocess.Popen(
        [sys.executable, "-m", "eval.lab.health", address], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield found
    finally:
        watching.send_signal(signal.SIGTERM)
        told, _ = watching.communicate(timeout=60)
        found.extend(json.loads(told))


def described(found: Sequence[float]) -> str:
    """In one line: how often, how long, and how often too long."""
    if not found:
        return "no look at /healthz"
    ordered = sorted(found)
    p50, p99 = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    late = sum(one > 100 for one in ordered)
    return (
        f"/healthz, {len(ordered)} looks: p50 {p50:.1f} ms, p99 {p99:.0f} ms, slowest {ordered[-1]:.0f} ms, "
        f"{late} above 100 ms"
    )


def main() -> None:
    """Look until told to stop, then print all milliseconds as JSON."""
    parts, found, over = urlsplit(sys.argv[1]), list[float](), False

    def stop(*_: object) -> None:
        nonlocal over
        over = True

    signal.signal(signal.SIGTERM, stop)
    while not over:
        took = look(parts.hostname or "", parts.port or 80)
        if took is not None:
            found.append(took)
        sleep(PAUSE_S)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
