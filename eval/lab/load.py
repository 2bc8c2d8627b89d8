"""Many people at once against one process: how long they wait, whether they stay apart, what ``kill -9`` loses.

    python -m eval.lab.load [--users 32] [--seconds 120]

One real server without a language model. First one user alone, who does not pause to think, then all users at once, who
do. Each is a browser of its own and asks development questions in conversations of three turns, with feedback on half
of the answers. In the middle the server is killed and started again on the same data, and everybody goes on. Every
reply is checked: it answers the question that was asked, its quotes are exact, the same conversation gets the same
answers whoever holds it, and nobody sees, or is written down with, what another one did. Meanwhile another process
looks at ``/healthz``. Ends with 1 if anything failed, mixed, was lost, or if ``/healthz`` took too long.

Importing this makes threads, sockets and processes gevent's, as locust does: run it, do not import it elsewhere.
"""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, ClassVar

import click
import gevent
import gevent.event
import locust  # first: it replaces what blocks by what waits
from locust.env import Environment
from locust.exception import RescheduleTask

from eval.gold import expand, load_gold
from eval.goldcheck import read_abstracts
from eval.lab.health import described, late, watched
from eval.lab.serving import BROWSER, PATIENCE_S, Server
from eval.table import aligned

SEED = 7
TURNS = 3  # of a conversation
FEEDBACK_SHARE = 0.5  # of the answers
COMPARED = ("standalone_question", "verdict", "text", "citations")  # the same for everybody who asks the same


@dataclass(slots=True)
class World:
    """What all users share: the server, what is true, and what was answered to whom had asked and said the same."""

    server: Server
    questions: Sequence[tuple[str, ...]] = field(
        default_factory=lambda: [item.turns for question in load_gold("dev") for item in expand(question)]
    )
    abstracts: Mapping[str, str] = field(default_factory=read_abstracts)
    answers: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, Any]] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    up: gevent.event.Event = field(default_factory=gevent.event.Event)
    thinks: bool = True

    def check(self, asked: tuple[str, ...], said: tuple[str, ...], answer: Mapping[str, Any]) -> str | None:
        """What is wrong with an answer, if anything.

        asked: all questions of the conversation, this one last. said: of each answer before, which counts at once.
        """
        if answer["question"] != asked[-1]:
            return f"asked {asked[-1]!r}, answered {answer['question']!r}"
        for one in (*answer["citations"], *answer["closest"]):
            abstract = self.abstracts.get(one["paper_id"], "")
            if not one["quote"] or abstract[one["start"] : one["end"]] != one["quote"]:
                return f"{one['paper_id']} does not say {one['quote']!r}"
        told = {name: answer[name] for name in COMPARED}
        before = self.answers.setdefault((asked, said), told)
        changed = next((name for name in COMPARED if before[name] != told[name]), None)
        return changed and f"another {changed} than before for {asked!r}"


@dataclass(frozen=True, slots=True)
class Said:
    """A turn as its user saw it."""

    conversation: str
    turn: int
    question: str
    answer_id: str
    before_the_kill: bool


class Person(locust.HttpUser):
    """One browser: asks, says what it thinks of answers, and remembers both."""

    world: ClassVar[World]

    def wait_time(self) -> float:
        """Seconds between an answer and the next question."""
        return self.random.uniform(1.0, 3.0) if self.world.thinks else 0.0

    def on_start(self) -> None:
        """Open the page, which gives it a cookie."""
        self.random = Random(SEED + len(self.world.people))
        self.said: list[Said] = []
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.world.people.append(self)
        with self._sent("GET", "/", headers=BROWSER):
            pass
        with self._sent("GET", "/api/me") as reply:
            self.name = str(reply.json()["user"])

    @locust.task
    def converse(self) -> None:
        """Hold one conversation, then read it back, and try to read another one's."""
        turns = [turn for item in self.random.sample(self.world.questions, TURNS) for turn in item][:TURNS]
        conversation: str | None = None
        answers: list[str] = []
        reactions: list[str] = []
        for place, question in enumerate(turns, start=1):
            with self._sent("POST", "/api/ask", json={"question": question, "conversation": conversation}) as reply:
                told = reply.json()
                answer, conversation = told["answer"], str(told["conversation"])
                if told["turn"] != place:
                    reply.failure(f"turn {told['turn']} of another conversation")
                elif wrong := self.world.check(tuple(turns[:place]), tuple(reactions), answer):
                    reply.failure(wrong)
            self.said.append(Said(conversation, place, question, answer["id"], self.world.server.kills == 0))
            answers.append(answer["id"])
            reactions.append(self._react(answer["id"]) if self.random.random() < FEEDBACK_SHARE else "")
            gevent.sleep(self.wait_time())
        with self._sent("GET", f"/api/conversations/{conversation}", name="/api/conversations/ID") as reply:
            if [one["answer_id"] for one in reply.json()["turns"]] != answers:
                reply.failure("a conversation has other turns than it had")
        strangers = [one for person in self.world.people if person is not self for one in person.said[-1:]]
        if strangers:
            path = f"/api/conversations/{self.random.choice(strangers).conversation}"
            with self._sent("GET", path, name="/api/conversations/ANOTHER'S", expected=404):
                pass

    def _react(self, answer_id: str) -> str:
        """Say something about an answer, again if the server was killed before it acknowledged that; what was said."""
        kind, value = self.random.choice([("answered", "yes"), ("answered", "no"), ("comment", f"said by {self.name}")])
        body = {"id": uuid.uuid4().hex, "answer_id": answer_id, "kind": kind, "value": value}
        while body["id"] not in self.acknowledged:
            try:
                with self._sent("POST", "/api/feedback", json=body):
                    self.acknowledged[body["id"]] = body
            except RescheduleTask:
                gevent.sleep(0.1)
        return f"{kind} {value}"

    @contextmanager
    def _sent(self, method: str, path: str, *, expected: int = 200, **more: Any) -> Iterator[Any]:
        """A reply. One that the kill cut off is no sample: its task ends, and the next one begins."""
        self.world.up.wait(PATIENCE_S)
        with self.client.request(method, path, catch_response=True, timeout=PATIENCE_S, **more) as reply:
            if reply.status_code == 0 and not self.world.up.is_set():
                raise RescheduleTask
            if reply.status_code // 100 != expected // 100:
                reply.failure(f"{reply.status_code} {reply.text[:200]}")
                raise RescheduleTask
            reply.success()
            yield reply


def measure(world: World, users: int, seconds: float, halfway: Callable[[], None] | None = None) -> Environment:
    """So many users for so long; their statistics."""
    world.thinks = users > 1
    environment = Environment(user_classes=[Person], host=world.server.address)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.sleep(seconds / 2 if halfway else seconds)
    if halfway:
        halfway()
        gevent.sleep(seconds / 2)
    runner.quit()
    runner.greenlet.join()
    return environment


def column(environment: Environment, seconds: float, memory_mb: float | None) -> dict[str, str]:
    """What one phase came to."""
    asked, feedback = (environment.stats.get(path, "POST") for path in ("/api/ask", "/api/feedback"))
    shown = {f"answer p{share}, ms": f"{asked.get_response_time_percentile(share / 100):.0f}" for share in (50, 95, 99)}
    return {
        "requests": str(environment.stats.total.num_requests),
        "failed or mixed": str(environment.stats.total.num_failures),
        "answers": str(asked.num_requests),
        "answers/s": f"{asked.num_requests / seconds:.1f}",
        **shown,
        "answer slowest, ms": f"{asked.max_response_time:.0f}",
        "feedback p95, ms": f"{feedback.get_response_time_percentile(0.95):.0f}" if feedback.num_requests else "–",
        "peak memory, MB": "–" if memory_mb is None else f"{memory_mb:.0f}",
    }


def faults(world: World, stored: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Acknowledged feedback that is not stored as it was sent, and answers that are stored as another one's."""
    found = []
    for person in world.people:
        for id, sent in person.acknowledged.items():
            record = stored["feedback"].get(id, {})
            kept = (record.get("interaction_id"), record.get("kind"), record.get("value"), record.get("user"))
            if kept != (sent["answer_id"], sent["kind"], sent["value"], person.name):
                found.append(f"lost feedback {id}: {kept}")
        judged = {sent["answer_id"] for sent in person.acknowledged.values()}
        for said in person.said:
            record = stored["interactions"].get(said.answer_id, {})
            said_as = tuple(record.get(name) for name in ("user", "conversation", "turn", "question"))
            lost_unread = not record and said.before_the_kill and said.answer_id not in judged
            if said_as != (person.name, said.conversation, said.turn, said.question) and not lost_unread:
                found.append(f"an answer is stored as {said_as!r}")
    return found


@click.command()
@click.option("--users", type=click.IntRange(2, 200), default=32, show_default=True)
@click.option("--seconds", type=click.IntRange(4, 3600), default=120, show_default=True)
def main(users: int, seconds: int) -> None:
    """Measure and print one table."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        world = Person.world = World(server)
        server.start()
        world.up.set()
        alone = measure(world, 1, seconds)
        columns = {"one user": column(alone, seconds, server.memory_mb())}
        told = {"acknowledged": 0, "away": 0.0}

        def kill() -> None:
            began = perf_counter()
            world.up.clear()
            server.kill()
            sent = {id for person in world.people for id in person.acknowledged}
            told["acknowledged"] = len(sent)
            lost.extend(sent - set(server.exported()["feedback"]))
            server.start()
            told["away"] = perf_counter() - began
            world.up.set()

        lost: list[str] = []
        with watched(server.address) as looks:
            together = measure(world, users, seconds, kill)
        columns[f"{users} users"] = column(together, seconds, server.memory_mb())
        stored = server.exported()
        server.kill()
        wrong = [*faults(world, stored), *(f"lost feedback {id}" for id in lost)]
        log = server.complaints()
    names = list(columns["one user"])
    print(aligned([["", *columns], *([name, *(one[name] for one in columns.values())] for name in names)]))
    print(f"\nkill -9 after {seconds / 2:.0f} s; answering, and checked, {told['away']:.1f} s later")
    print(described(looks))
    print(f"acknowledged feedback: {told['acknowledged']} at the kill, lost: {len(lost)}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; lines in the server's log: {len(log)}")
    failed = [
        f"{error.method} {error.name}, {error.occurrences} times: {error.error}"
        for one in (alone, together)
        for error in one.stats.errors.values()
    ]
    for line in [*failed[:5], *wrong[:5], *log[:5]]:
        print(line.rstrip(), file=sys.stderr)
    if not told["acknowledged"]:
        print("nothing was acknowledged before the kill: too short to say anything", file=sys.stderr)
    sys.exit(1 if failed or wrong or late(looks) or not told["acknowledged"] else 0)


if __name__ == "__main__":
    main()
