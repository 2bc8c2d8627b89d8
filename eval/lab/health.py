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
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Literal
from urllib.parse import urlsplit

PAUSE_S, NAPS = 0.05, 10  # between two looks, in so many naps
LONGEST_MS = 100  # what an answer may take
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
Outcome = Literal["answered", "refused", "cut"]  # refused: nobody listens; cut: the server ended meanwhile


@dataclass(frozen=True, slots=True)
class Look:
    """One try to see it."""

    ms: float  # until there was an answer, or it was clear that there is none
    outcome: Outcome
    held_ms: (
        float  # how late the machine woke the looking process before it, which had nothing to do: no server's fault
    )


def idle() -> float:
    """Wait a little; by how many milliseconds one of its naps was too long."""
    longest = 0.0
    for _ in range(NAPS):
        began = perf_counter()
        sleep(PAUSE_S / NAPS)
        longest = max(longest, perf_counter() - began - PAUSE_S / NAPS)
    return longest * 1000


def look(host: str, port: int) -> Look:
    """Wait, then look once."""
    held_ms = idle()
    began = perf_counter()
    try:
        with socket.create_connection((host, port), timeout=60) as connection:
            connection.sendall(REQUEST)
            outcome: Outcome = "answered" if connection.recv(4096) else "cut"
    except ConnectionRefusedError:
        outcome = "refused"
    except ConnectionError:
        outcome = "cut"
    return Look((perf_counter() - began) * 1000, outcome, held_ms)


@contextmanager
def watched(address: str) -> Iterator[list[Look]]:
    """All looks while the block lasts; they are there at its end."""
    found: list[Look] = []
    watching = subprocess.Popen(
        [sys.executable, "-m", "eval.lab.health", address], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert watching.stdout is not None
    watching.stdout.readline()  # it looks by now, and can be told to stop
    try:
        yield found
    finally:
        watching.send_signal(signal.SIGTERM)
        told, _ = watching.communicate(timeout=60)
        found.extend(Look(*one) for one in json.loads(told))


def late(found: Sequence[Look]) -> int:
    """How many answers, or refusals, took too long."""
    return sum(one.ms > LONGEST_MS and one.outcome != "cut" for one in found)


def described(found: Sequence[Look]) -> str:
    """In one line: how often, how long, how often too long; and what became of those that got no answer."""
    ordered = sorted(one.ms for one in found if one.outcome == "answered")
    if not ordered:
        return "no look at /healthz was answered"
    p50, p99 = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    refused = [one.ms for one in found if one.outcome == "refused"]
    said = (
        f"/healthz, {len(ordered)} answers: p50 {p50:.1f} ms, p99 {p99:.0f} ms, slowest {ordered[-1]:.0f} ms, "
        f"{late(found)} above {LONGEST_MS} ms; {len(found) - len(ordered) - len(refused)} cut off; "
        f"the machine itself held up an idle process for up to {max(one.held_ms for one in found):.0f} ms"
    )
    return f"{said}; {len(refused)} refused, the slowest after {max(refused):.0f} ms" if refused else said


def main() -> None:
    """Look until told to stop, then print what was seen as JSON."""
    parts, found, over = urlsplit(sys.argv[1]), list[Look](), False

    def stop(*_: object) -> None:
        nonlocal over
        over = True

    signal.signal(signal.SIGTERM, stop)
    print("looking", flush=True)
    while not over:
        found.append(look(parts.hostname or "", parts.port or 80))
    print(json.dumps([(one.ms, one.outcome, one.held_ms) for one in found]))


if __name__ == "__main__":
    main()
