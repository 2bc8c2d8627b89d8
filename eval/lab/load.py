"""Many people at once against one process: how long they wait, whether they stay apart, what ``kill -9`` loses.

    python -m eval.lab.load [--users 32] [--seconds 120]

One real server without a language model. First one user alone, who does not pause to think, then all users at once, who
do. Each is a browser of its own and asks development questions in conversations of three turns, with feedback here and
there. In the middle the server is killed, started again on the same data, and everybody goes on. Every reply is
checked: it answers the question that was asked, its quotes are exact, the same conversation gets the same answers
whoever holds it, and nobody sees, or is written down with, what another one did. Ends with 1 if anything failed, mixed
or was lost.

Threads and httpx rather than locust: locust makes threads, sockets and processes of whatever imports it gevent's, and
the tests import this; it rounds waiting times before it takes percentiles; and it counts what the kill cuts off as
failures.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self

import click
import httpx

from eval.gold import expand, load_gold, read_abstracts
from eval.lab.startup import percentile
from eval.table import aligned
from rag.settings import CHECKOUT

SEED = 7
TURNS = 3  # of a conversation
THINKS_S = (1.0, 3.0)  # between an answer and the next question
FEEDBACK_SHARE = 0.5  # of the answers
ALONE = 100  # answers of the user who is alone, if there is time for so many
PATIENCE_S = 180.0  # for a start, and for a reply: beyond it something hangs
COMPARED = ("standalone_question", "abstained", "text", "citations")  # the same for everybody who asks the same
SHOWN = 5  # faults that are printed; all are counted
BROWSER = {"accept": "text/html"}  # whoever asks for a page gets a cookie
READBACK = (sys.executable, "-c", "from ui.cli import main; main()")


class Failed(Exception):
    """A reply that is an error, or none at all."""


class Mixed(Exception):
    """A reply that belongs to another question or person, or quotes what no abstract says."""


class CutOff(Exception):
    """The process that should have replied was killed. Not a fault: ``User.catch_up``, then go on."""


class Life:
    """One process of the server, from its start to its end."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        """Starts it, on any free port; returns when it can answer. Raises Failed with what it said instead."""
        self.killed = threading.Event()
        self.log: list[str] = []  # what it says while it serves
        self._address = ""
        self._told = threading.Event()
        self._process = subprocess.Popen(
            [*READBACK, "serve", "--port", "0"], cwd=folder, env=env, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            if not self._told.wait(PATIENCE_S) or not self._address:
                raise Failed(f"the server did not start: {''.join(self.log)}")
            httpx.get(self.url("/readyz"), timeout=PATIENCE_S, trust_env=False).raise_for_status()
        except BaseException:
            self.kill()
            raise

    def url(self, path: str) -> str:
        """The whole address of a path."""
        return self._address + path

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        self.killed.set()  # first, so that whoever is cut off can tell why
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def memory_mb(self) -> float | None:
        """The most that it has held in memory; None where the system does not tell."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else None

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"Readback is at (http://\S+)\n", line):
                self._address = found[1]
                self.log.clear()  # how far it had come with indexing
                self._told.set()
            else:
                self.log.append(line)
        self._told.set()


class Server:
    """``readback serve`` over one folder: killed, and started again, as often as wanted."""

    def __init__(self, folder: Path) -> None:
        """folder: for its data and nothing else, for the settings that a .env would add. start() starts it."""
        clean = (one for one in os.environ.items() if not one[0].startswith(("READBACK_", "OPENAI_")))
        self._folder = folder
        self._env = {
            **dict(clean),
            "PYTHONPATH": str(CHECKOUT),
            "READBACK_DATA_DIR": str(folder / "data"),
            "READBACK_MODE": "extractive",
            "READBACK_USER_PER_MINUTE": "0",
            "READBACK_ADDRESS_PER_MINUTE": "0",
        }
        self._up = threading.Event()
        self.lives: list[Life] = []

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """check: done when the server answers, before users get through to it."""
        self.lives.append(Life(self._folder, self._env))
        check()
        self._up.set()

    def kill(self) -> None:
        """End the process, if there is one, without a warning."""
        self._up.clear()
        for life in self.lives[-1:]:
            if not life.killed.is_set():
                life.kill()

    def life(self) -> Life:
        """The process that runs; while there is none, waits for it. Raises Failed if none comes."""
        if not self._up.wait(PATIENCE_S):
            raise Failed("the server did not come back")
        return self.lives[-1]

    def exported(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What ``readback events export`` finds, in a process of its own: sort of record → id → record."""
        command = [*READBACK, "events", "export"]
        done = subprocess.run(command, cwd=self._folder, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"the export failed: {done.stderr}")
        found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for line in done.stdout.splitlines():
            record = json.loads(line)
            found[record["type"]][record["id"]] = record
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@dataclass(frozen=True, slots=True)
class Said:
    """A turn as its user saw it."""

    question: str
    answer_id: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback as its user sent it. The id is the sender's, so that it can be sent again."""

    answer_id: str
    kind: str
    value: str | None
    paper_id: str | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def body(self) -> dict[str, Any]:
        """For POST /api/feedback."""
        return {name: getattr(self, name) for name in self.__slots__}

    def matches(self, record: Mapping[str, Any], user: str) -> bool:
        """Whether an exported record says this, of this user."""
        stored = (record["interaction_id"], record["kind"], record["value"], record["paper_id"], record["user"])
        return stored == (self.answer_id, self.kind, self.value, self.paper_id, user)


@dataclass(slots=True)
class Tally:
    """What one or more users went through."""

    requests: int = 0
    cut_off: int = 0  # requests that were on their way when the server was killed
    unsaved: int = 0  # answers, none with feedback, that the kill found on their way to the disk
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    waits_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # by path, replies alone

    def add(self, other: Tally) -> None:
        """Make this the tally of both."""
        self.requests += other.requests
        self.cut_off += other.cut_off
        self.unsaved += other.unsaved
        self.errors += other.errors
        self.mixed += other.mixed
        for path, waits in other.waits_ms.items():
            self.waits_ms[path] += waits


class Knowledge:
    """What is true for all users: the abstracts, and what was answered to whom asked the same before."""

    def __init__(self, abstracts: Mapping[str, str]) -> None:
        """abstracts: by paper id."""
        self._abstracts = abstracts
        self._answers: dict[tuple[str, ...], dict[str, str]] = {}
        self._lock = threading.Lock()

    def check(self, asked: tuple[str, ...], answer: Mapping[str, Any]) -> None:
        """asked: all questions of the conversation so far, this one last. Raises Mixed."""
        if answer["question"] != asked[-1]:
            raise Mixed(f"asked {asked[-1]!r}, answered {answer['question']!r}")
        for one in (*answer["citations"], *answer["closest"]):
            abstract = self._abstracts.get(one["paper_id"], "")
            if not one["quote"] or abstract[one["start"] : one["end"]] != one["quote"]:
                raise Mixed(f"{one['paper_id']} does not say {one['quote']!r}")
        if answer["mode"] != "extractive" or not (answer["abstained"] or answer["citations"]):
            raise Mixed(f"not made of quotes: {answer['text']!r}")
        told = {name: json.dumps(answer[name], ensure_ascii=False) for name in COMPARED}
        with self._lock:
            before = self._answers.setdefault(asked, told)
        if name := next((name for name in COMPARED if before[name] != told[name]), None):
            pairs = enumerate(zip(before[name], told[name], strict=False))
            at = max(0, next((place for place, (one, other) in pairs if one != other), 0) - 40)
            was, now = (one[name][at : at + 120] for one in (before, told))
            raise Mixed(f"another {name} than before for {asked!r}: …{was}…, now …{now}…")


class User:
    """One browser: asks, says what it thinks of answers, and remembers both."""

    def __init__(self, server: Server, knowledge: Knowledge, random: Random) -> None:
        """Opens the page, which gives it a cookie. random: decides what is said about answers."""
        self._server, self._knowledge, self._random = server, knowledge, random
        self._client = httpx.Client(timeout=PATIENCE_S, trust_env=False)
        self._life = server.life()
        self._asking: str | None = None
        self.unconfirmed: list[Feedback] = []  # sent, or about to be, and not acknowledged
        self.tally = Tally()
        self.conversation: str | None = None  # the one that the next question belongs to
        self.turns: dict[str, list[Said]] = {}  # by conversation
        self.acknowledged: dict[str, Feedback] = {}
        self._send("GET", "/", headers=BROWSER)
        self.name = str(self._send("GET", "/api/me").json()["user"])

    def ask(self, question: str) -> dict[str, Any]:
        """The answer, checked. Raises Failed, Mixed or CutOff."""
        turns = self.turns.get(self.conversation or "", [])
        self._asking = question
        reply = self._send("POST", "/api/ask", {"question": question, "conversation": self.conversation}).json()
        if self.conversation not in (None, reply["conversation"]) or reply["turn"] != len(turns) + 1:
            raise Mixed(f"turn {reply['turn']} of another conversation")
        answer: dict[str, Any] = reply["answer"]
        self.conversation = str(reply["conversation"])
        self.turns[self.conversation] = [*turns, Said(question, answer["id"])]
        self._asking = None
        self._knowledge.check((*(one.question for one in turns), question), answer)
        return answer

    def feedback(self, answer_id: str, kind: str, value: str | None, paper_id: str | None = None) -> Feedback:
        """Say something about an answer; it is acknowledged when this returns. Raises Failed or CutOff."""
        feedback = Feedback(answer_id, kind, value, paper_id)
        self.unconfirmed.append(feedback)
        self._confirm()
        return feedback

    def check(self) -> None:
        """What the server lists, and tells of the last conversation, is one's own. Raises Failed, Mixed or CutOff."""
        if (listed := self._listed()) != set(self.turns):
            raise Mixed(f"{len(listed)} conversations are listed, {len(self.turns)} are one's own, and they differ")
        if self.conversation is not None:
            self.check_conversation(self.conversation)

    def check_conversation(self, conversation: str) -> None:
        """All turns are there, with the feedback given on them and no other. Raises Failed, Mixed or CutOff."""
        turns = self._stored(conversation)
        if [Said(one["question"], one["answer_id"]) for one in turns] != self.turns[conversation]:
            raise Mixed("a conversation has other turns than it had")
        for turn in turns:
            stored = sorted((one["kind"], one["value"], one["paper_id"] or "") for one in turn["feedback"])
            given = (one for one in self.acknowledged.values() if one.answer_id == turn["answer_id"])
            if stored != sorted((one.kind, one.value, one.paper_id or "") for one in given):
                raise Mixed(f"feedback on an answer is {stored!r}")

    def check_stranger(self, conversation: str) -> None:
        """Another one's conversation does not exist for this user. Raises Failed or Mixed."""
        try:
            self._send("GET", f"/api/conversations/{conversation}")
        except Failed as error:
            if "404" not in str(error):
                raise
        else:
            raise Mixed("another one's conversation can be read")

    def catch_up(self) -> None:
        """After a restart: learn how much of it is stored, and send again what was not acknowledged.

        The last answer may be gone if nothing was said about it, and one that never arrived may be there. Anything
        else is Mixed.
        """
        self._life = self._server.life()
        known, self.turns = self.turns, {}
        answered = {one.answer_id for one in self.acknowledged.values()}
        for conversation in self._listed():
            stored = [Said(one["question"], one["answer_id"]) for one in self._stored(conversation)]
            before = known.get(conversation, [])
            new = stored[len(before) :]
            if stored[: len(before)] != before[: len(stored)] or [one.question for one in new] not in (
                [],
                [self._asking],
            ):
                raise Mixed("a conversation came back with other turns")
            if new and conversation not in known:
                self.conversation = conversation
            self.turns[conversation] = stored
        gone = {one for turns in known.values() for one in turns} - {
            one for turns in self.turns.values() for one in turns
        }
        if lost := {one.answer_id for one in gone} & answered:
            raise Mixed(f"{len(lost)} answers with acknowledged feedback are gone")
        self.tally.unsaved += len(gone)
        self._asking = None
        if self.conversation not in self.turns:
            self.conversation = None
        there = {one.answer_id for turns in self.turns.values() for one in turns}
        self.unconfirmed = [one for one in self.unconfirmed if one.answer_id in there]
        self._confirm()

    def chat(self, conversations: Iterable[Sequence[str]], stop: threading.Event, think: bool, most: int) -> None:
        """Hold one conversation after the other until told to stop, or until so many answers came."""
        for questions in conversations:
            if stop.is_set() or len(self.tally.waits_ms["/api/ask"]) >= most:
                return
            try:
                self._converse(questions, stop, think)
            except Failed as error:
                self.tally.errors.append(str(error))
            except Mixed as error:
                self.tally.mixed.append(str(error))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _converse(self, questions: Sequence[str], stop: threading.Event, think: bool) -> None:
        self.conversation = None
        checked = False
        while not checked and not stop.is_set():
            at = len(self.turns.get(self.conversation or "", []))
            try:
                if at < len(questions):
                    self._react(self.ask(questions[at]))
                else:
                    self.check()
                    checked = True
            except CutOff:
                self.catch_up()
            if think:
                stop.wait(self._random.uniform(*THINKS_S))

    def _react(self, answer: Mapping[str, Any]) -> None:
        if self._random.random() > FEEDBACK_SHARE:
            return
        kind = self._random.choice(["answered", "comment", "evidence"])
        if kind == "evidence" and answer["citations"]:
            value = self._random.choice(["useful", "not_useful"])
            self.feedback(answer["id"], kind, value, answer["citations"][0]["paper_id"])
        elif kind == "comment":
            self.feedback(answer["id"], kind, f"{self.name} on {answer['question']}")
        else:
            self.feedback(answer["id"], "answered", self._random.choice(["yes", "partly", "no"]))

    def _confirm(self) -> None:
        while self.unconfirmed:
            self._send("POST", "/api/feedback", self.unconfirmed[0].body())
            feedback = self.unconfirmed.pop(0)
            self.acknowledged[feedback.id] = feedback

    def _listed(self) -> set[str]:
        found = self._send("GET", "/api/conversations", params={"limit": "1000"}).json()
        return {str(one["id"]) for one in found["conversations"]}

    def _stored(self, conversation: str) -> list[dict[str, Any]]:
        return list(self._send("GET", f"/api/conversations/{conversation}").json()["turns"])

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        life = self._server.life()
        if life is not self._life:
            raise CutOff  # while this user was thinking
        self.tally.requests += 1
        began = time.perf_counter()
        try:
            response = self._client.request(method, life.url(path), json=body, headers=headers, params=params)
        except httpx.TransportError as error:
            if life.killed.is_set():
                self.tally.cut_off += 1
                raise CutOff from error
            raise Failed(f"{method} {path}: {error!r}") from error
        if not response.is_success:
            raise Failed(f"{method} {path}: {response.status_code} {response.text[:200]}")
        self.tally.waits_ms[path].append((time.perf_counter() - began) * 1000)
        return response


def lost_feedback(users: Iterable[User], stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Ids of acknowledged feedback that is not in the store, or not as it was sent. stored: exported, by id."""
    return [
        id
        for user in users
        for id, feedback in list(user.acknowledged.items())
        if id not in stored or not feedback.matches(stored[id], user.name)
    ]


def mixed_records(users: Sequence[User], stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Complaints about interactions that are stored with another person, conversation or question than was so."""
    complaints = []
    if len({user.name for user in users}) < len(users):
        complaints.append("two users are one to the server")
    for user in users:
        for conversation, turns in user.turns.items():
            for turn, said in enumerate(turns, 1):
                record = stored.get(said.answer_id, {})
                kept = tuple(record.get(name) for name in ("user", "conversation", "turn", "question"))
                if kept != (user.name, conversation, turn, said.question):
                    complaints.append(f"an answer is stored as {kept!r}")
    return complaints


def conversations_of(items: Sequence[tuple[str, ...]], random: Random) -> Iterator[tuple[str, ...]]:
    """Without end: all questions in a random order, then in another. items: turns that belong together."""
    while True:
        turns: list[str] = []
        for item in random.sample(items, len(items)):
            turns += item
            if len(turns) >= TURNS:
                yield tuple(turns[:TURNS])
                turns = []


@dataclass(slots=True)
class Phase:
    """One part of the measurement."""

    name: str
    seconds: float  # during which there was a server
    tally: Tally
    memory_mb: float | None

    def rows(self) -> list[tuple[str, str]]:
        """(what, how much), in the order of the table."""
        waits = self.tally.waits_ms
        answers = waits["/api/ask"]
        feedback = waits["/api/feedback"]
        return [
            ("seconds", f"{self.seconds:.0f}"),
            ("requests", str(self.tally.requests)),
            ("errors", str(len(self.tally.errors))),
            ("mixed state", str(len(self.tally.mixed))),
            ("cut off by the kill", str(self.tally.cut_off)),
            ("answers", str(len(answers))),
            ("answers/s", f"{len(answers) / self.seconds:.1f}"),
            *((f"answer p{share}, ms", shown(answers, share / 100)) for share in (50, 95, 99)),
            ("answer slowest, ms", shown(answers, 1)),
            *((f"feedback p{share}, ms", shown(feedback, share / 100)) for share in (50, 95)),
            ("page p50, ms", shown(waits["/"], 0.5)),
            ("peak memory, MB", "–" if self.memory_mb is None else f"{self.memory_mb:.0f}"),
        ]


def shown(values: Sequence[float], share: float) -> str:
    """A percentile, if there is one."""
    return f"{percentile(values, share):.0f}" if values else "–"


class Load:
    """The whole measurement on one server."""

    def __init__(self, server: Server) -> None:
        """server: not started."""
        self._server, self._knowledge = server, Knowledge(read_abstracts())
        self._items = [item.turns for question in load_gold("dev") for item in expand(question)]
        self.lost: list[str] = []
        self.away_s = 0.0
        self.acknowledged = (0, 0)  # when the server was killed, and in the end

    def alone(self, seconds: float) -> Phase:
        """Start the server and measure one user."""
        self._server.start()
        user, stop = self._user(0), threading.Event()
        timer = threading.Timer(seconds, stop.set)
        timer.start()
        began = time.perf_counter()
        try:
            user.chat(self._conversations(0), stop, think=False, most=ALONE)
        finally:
            timer.cancel()
            user.close()
        return Phase("one user", time.perf_counter() - began, user.tally, self._server.life().memory_mb())

    def together(self, count: int, seconds: float) -> Phase:
        """Measure so many users, with a kill in the middle, and check what is stored in the end."""
        stop, users = threading.Event(), list[User]()
        began = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            try:
                users += pool.map(self._user, range(1, count + 1))
                numbers = range(1, count + 1)
                chats = [
                    pool.submit(user.chat, self._conversations(number), stop, think=True, most=sys.maxsize)
                    for user, number in zip(users, numbers, strict=True)
                ]
                stop.wait(seconds / 2)
                memory = [self._server.life().memory_mb()]
                self._kill_and_start(users)
                stop.wait(seconds / 2)
                stop.set()
                for chat in chats:
                    chat.result()
                took = time.perf_counter() - began - self.away_s
                memory.append(self._server.life().memory_mb())
                tally = Tally()
                for user in users:  # before the checks at the end, which nobody waits for
                    tally.add(user.tally)
                tally.mixed += self._at_the_end(users)
                tally.unsaved = sum(user.tally.unsaved for user in users)
            finally:
                stop.set()
                for user in users:
                    user.close()
        known = [one for one in memory if one is not None]
        return Phase(f"{count} users", took, tally, max(known, default=None))

    def _user(self, number: int) -> User:
        return User(self._server, self._knowledge, Random(SEED + number))

    def _conversations(self, number: int) -> Iterator[tuple[str, ...]]:
        return conversations_of(self._items, Random(1000 * SEED + number))

    def _kill_and_start(self, users: Sequence[User]) -> None:
        began = time.perf_counter()
        self._server.kill()
        then = sum(len(user.acknowledged) for user in users)
        self._server.start(lambda: self.lost.extend(lost_feedback(users, self._server.exported()["feedback"])))
        self.away_s = time.perf_counter() - began
        self.acknowledged = (then, 0)

    def _at_the_end(self, users: Sequence[User]) -> list[str]:
        complaints = []
        for user, other in zip(users, [*users[1:], users[0]], strict=True):
            try:
                try:
                    user.check()
                except CutOff:  # has been thinking ever since
                    user.catch_up()
                for conversation in user.turns:
                    user.check_conversation(conversation)
                for conversation in list(other.turns)[-1:] if other is not user else ():
                    user.check_stranger(conversation)
            except (Failed, Mixed) as error:
                complaints.append(str(error))
        stored = self._server.exported()
        self.lost += [id for id in lost_feedback(users, stored["feedback"]) if id not in self.lost]
        self.acknowledged = (self.acknowledged[0], sum(len(user.acknowledged) for user in users))
        return complaints + mixed_records(users, stored["interactions"])


@click.command()
@click.option("--users", type=click.IntRange(1, 200), default=32, show_default=True)
@click.option("--seconds", type=click.IntRange(4, 3600), default=120, show_default=True)
def main(users: int, seconds: int) -> None:
    """Measure and print one table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends too
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        load = Load(server)
        try:
            phases = [load.alone(seconds), load.together(users, seconds)]
        except Failed as error:  # no server, or no page: nothing to measure
            raise click.ClickException(str(error)) from error
        server.kill()
        log = [line for life in server.lives for line in life.log]
    columns = [dict(phase.rows()) for phase in phases]
    print(
        aligned(
            [["", *(one.name for one in phases)], *([name, *(one[name] for one in columns)] for name in columns[0])]
        )
    )
    then, finally_ = load.acknowledged
    print(f"\nkill -9 after {seconds / 2:.0f} s; answering, and checked, {load.away_s:.1f} s later")
    print(f"acknowledged feedback: {then} at the kill, {finally_} in the end, lost: {len(load.lost)}")
    print(f"answers without feedback that were not yet on disk: {phases[1].tally.unsaved}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; lines in the server's log: {len(log)}")
    faults = [fault for one in phases for fault in (*one.tally.errors, *one.tally.mixed)]
    faults += [f"lost feedback {id}" for id in load.lost]
    if not then:
        faults.append("nothing was acknowledged before the kill: too short to say anything")
    for line in [*faults[:SHOWN], *log[:SHOWN]]:
        print(line.rstrip(), file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
