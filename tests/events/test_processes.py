"""Several processes on one record, and one that dies: what was acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

from rag.events import EventStore

from .samples import an_answer

ROOT = Path(__file__).parents[2]


def start(what: str, where: str, name: str, count: int = 0) -> subprocess.Popen[str]:
    """A process that has imported everything and waits for ``go``."""
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.events.child", what, where, name, str(count)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert stream(child.stdout).readline() == "READY\n"
    return child


def go(*children: subprocess.Popen[str]) -> None:
    for child in children:
        stream(child.stdin).write("\n")
        stream(child.stdin).flush()


def stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def test_acknowledged_feedback_survives_kill_9(where: str) -> None:
    child = start("judge", where, "ada", 100_000)
    go(child)
    acknowledged = [stream(child.stdout).readline().strip() for _ in range(25)]
    child.kill()  # in the middle of its work: SIGKILL
    acknowledged += child.communicate()[0].split("\n")[:-1]
    assert child.returncode == -9
    with EventStore.open(where) as store:
        (episode,) = store.episodes()
        assert len(acknowledged) >= 25
        assert set(acknowledged) <= {feedback.id for feedback in episode.feedback}
        assert store.feedback("ada", user="ada", kind="stop")


def test_two_processes_write_at_once(where: str) -> None:
    with EventStore.open(where) as store:
        children = [start("write", where, name, 40) for name in ("ada", "bob")]
        go(*children)
        for number in range(40):  # and this one is the third
            store.record(an_answer(f"eve-{number}"), user="eve", source="page")
        acknowledged = [child.communicate(timeout=60)[0].split() for child in children]
        assert [child.returncode for child in children] == [0, 0]
        assert store.flush()
        assert store.health().ok
        episodes = list(store.episodes())
        assert len(episodes) == 120
        stored = {feedback.id for episode in episodes for feedback in episode.feedback}
        assert stored == {id for ids in acknowledged for id in ids}
        assert len(stored) == 80
        positions = [one.interaction.position for one in episodes]
        positions += [feedback.position for episode in episodes for feedback in episode.feedback]
        assert sorted(positions) == list(range(1, 201)), "one position each, without a gap"
        assert [len(store.conversation(name, name).turns) for name in ("ada", "bob")] == [40, 40]


def test_a_reader_that_follows_two_writers_misses_nothing(where: str) -> None:
    with EventStore.open(where) as store:
        children = [start("write", where, name, 40) for name in ("ada", "bob")]
        go(*children)
        seen: list[str] = []
        since, running = 0, True
        while running:
            running = any(child.poll() is None for child in children)
            until = store.position()
            for episode in store.episodes(since, until):
                seen += [one.id for one in episode.feedback if one.position > since]
            since = until
        acknowledged = [id for child in children for id in child.communicate()[0].split()]
        assert len(seen) == 80
        assert sorted(seen) == sorted(acknowledged)


def test_the_first_open_may_happen_in_many_processes_at_once(where: str) -> None:
    children = [start("open", where, str(number)) for number in range(4)]
    go(*children)
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0] * 4
    with EventStore.open(where) as store:
        store.record(an_answer(), user="ada", source="page")
        assert store.feedback("a1", user="ada", kind="stop")
