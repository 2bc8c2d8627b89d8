"""Faults under load: what was acknowledged, what of it survived, and how long it took.

    python -m eval.lab.chaos [--seconds 4] [--only "kill -9"]

A real server without a language model, over a few papers; some users ask and give feedback without a pause while the
fault happens. Then the fault is mended, the server is started again, and its record is exported. An answer counts as
acknowledged if its reply said that it was recorded, feedback if it got 201. Ends with 1 if anything of that was lost,
if a stream was torn without an error event, or if a stop took ten seconds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import click
import httpx

from eval.lab import postgres
from eval.lab.serving import PATIENCE_S, READBACK, Server
from eval.table import aligned
from rag.collection import Collection
from rag.corpus import read
from rag.settings import Settings, shipped_corpus

USERS, PAPERS = 6, 12
LONGEST_STOP_S = 10.0
QUESTIONS = (
    "How can a voice assistant learn query rewrites without annotated data?",
    "Which works learn from human feedback?",
    "How is relevance feedback used for dense retrieval?",
)
CLOCK = """
import time, os, datetime
real, jump = time.time, os.environ["CHAOS_JUMP"]
time.time = lambda: real() + (float(open(jump).read() or 0) if os.path.exists(jump) else 0.0)
import rag.events.store
class Jumping(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(time.time(), tz)
rag.events.store.datetime = Jumping
"""


@dataclass
class Told:
    """What users were told."""

    answers: dict[str, str] = field(default_factory=dict)  # acknowledged: id → question
    feedback: set[str] = field(default_factory=set)  # acknowledged
    unrecorded: int = 0  # answers that said that they were not recorded
    refused: int = 0  # any other reply than a good one
    cut: int = 0  # connections that broke off
    torn: int = 0  # streams that ended without an answer and without an error


@dataclass(frozen=True)
class Outcome:
    """What became of it."""

    fault: str
    told: Told
    lost: int
    seconds: float | None  # that the stop took
    after: str  # how the server is, mended and started again


@dataclass
class Setting:
    """A server over a folder of its own, and what a fault may do to it."""

    folder: Path
    server: Server
    database: postgres.Postgres | None = None
    stopped_s: float | None = None

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"


Fault = Callable[[Setting], Callable[[], object] | None]  # returns what mends it


def user(address: str, told: Told, over: threading.Event, seed: int) -> None:
    """Ask, in every second question by a stream, and give feedback, until it is over."""
    chance = random.Random(seed)
    with httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
        while not over.is_set():
            try:
                _ask(client, told, chance)
            except httpx.TransportError:
                told.cut += 1
                over.wait(0.05)


def _ask(client: httpx.Client, told: Told, chance: random.Random) -> None:
    body = {"question": chance.choice(QUESTIONS), "stream": chance.random() < 0.5}
    reply = client.post("/api/ask", json=body)
    if reply.status_code != 200:
        told.refused += 1
        return
    if body["stream"]:
        events = [one for one in reply.text.split("\n\n") if one]
        last = events[-1] if events else ""
        if not last.startswith(("event: answer", "event: error")):
            told.torn += 1
        if not last.startswith("event: answer"):
            return
        answer = json.loads(last.partition("data: ")[2])["answer"]
    else:
        answer = reply.json()["answer"]
    if not answer["recorded"]:
        told.unrecorded += 1
        return
    told.answers[answer["id"]] = answer["question"]
    said = {"id": uuid.uuid4().hex, "answer_id": answer["id"], "kind": "answered", "value": "yes"}
    if client.post("/api/feedback", json=said).status_code == 201:
        told.feedback.add(said["id"])
    else:
        told.refused += 1


def run(name: str, fault: Fault, setting: Setting, seconds: float) -> Outcome:
    """Users before, while and after it happens; then mend it, start again, and count."""
    told, over = Told(), threading.Event()
    setting.server.start()
    users = [
        threading.Thread(target=user, args=(setting.server.address, told, over, number)) for number in range(USERS)
    ]
    for one in users:
        one.start()
    time.sleep(seconds)
    mend = fault(setting)
    time.sleep(seconds)
    over.set()
    for one in users:
        one.join()
    if mend is not None:
        mend()
    setting.server.kill()
    setting.server.start()
    state = httpx.get(f"{setting.server.address}/readyz", timeout=PATIENCE_S).json()
    stored = setting.server.exported()
    gone = [
        id for id, question in told.answers.items() if stored["interactions"].get(id, {}).get("question") != question
    ]
    lost = len(gone) + len(told.feedback - stored["feedback"].keys())
    return Outcome(name, told, lost, setting.stopped_s, "ready" if state["ready"] else f"not ready: {state}")


def kill(setting: Setting) -> None:
    """No goodbye."""
    setting.server.kill()


def stop_by(sent: signal.Signals) -> Fault:
    """As an operator, or a terminal, stops it."""

    def stop(setting: Setting) -> None:
        setting.stopped_s = setting.server.stop(sent)

    return stop


def fill_disk(setting: Setting) -> Callable[[], object]:
    """No room is left, and later there is some again."""
    filler = setting.folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass
    return filler.unlink


def take_database(setting: Setting) -> Callable[[], object]:
    """PostgreSQL is stopped, and started again."""
    assert setting.database is not None
    setting.database.stop()
    return setting.database.start


def damage_vectors(setting: Setting) -> None:
    """All files of the vectors become noise, and the server is killed."""
    setting.server.kill()
    for file in (setting.data / "chroma").rglob("*"):
        if file.is_file():
            file.write_bytes(os.urandom(max(1, file.stat().st_size)))


def take_record(setting: Setting) -> Callable[[], object]:
    """The record's file is moved away while the server runs, and put back later."""
    names = [f"events.db{end}" for end in ("", "-wal", "-shm")]
    aside = setting.folder / "aside"
    aside.mkdir()
    for name in names:
        (setting.data / name).rename(aside / name)

    def mend() -> None:
        setting.server.kill()
        for name in names:
            (setting.data / name).unlink(missing_ok=True)
            if (aside / name).exists():
                (aside / name).rename(setting.data / name)

    return mend


def jump(by_s: float) -> Fault:
    """The clock jumps."""

    def fault(setting: Setting) -> None:
        (setting.folder / "jump").write_text(str(by_s))

    return fault


def kill_backups(setting: Setting) -> Callable[[], object]:
    """Backups are killed halfway; then one is made whole, and becomes the data."""
    command, environment = [*READBACK, "backup"], setting.server.environment
    for number in range(6):
        half = setting.folder / f"half-{number}"
        copying = subprocess.Popen([*command, str(half)], env=environment, stdout=sys.stderr)
        while copying.poll() is None and not list(setting.folder.glob(f".{half.name}.*")):
            time.sleep(0.001)
        time.sleep(0.005 * number)  # at the beginning, or a little later
        copying.kill()
        copying.wait()
        if half.exists() and not (half / "server.key").exists():
            raise RuntimeError(f"half a backup is there: {sorted(half.iterdir())}")

    def mend() -> None:
        setting.server.kill()
        subprocess.run([*command, str(setting.folder / "whole")], env=environment, check=True, stdout=sys.stderr)
        shutil.rmtree(setting.data)
        (setting.folder / "whole").rename(setting.data)

    return mend


FAULTS: dict[str, Fault] = {
    "kill -9": kill,
    "SIGTERM": stop_by(signal.SIGTERM),
    "SIGINT": stop_by(signal.SIGINT),
    "disk full": fill_disk,
    "PostgreSQL stopped": take_database,
    "vectors damaged": damage_vectors,
    "record moved away": take_record,
    "clock a day back": jump(-86_400),
    "clock 40 days on": jump(40 * 86_400),
    "backup killed": kill_backups,
}


@contextmanager
def setting_for(name: str, indexed: Path) -> Iterator[Setting | None]:
    """A server for one fault; None where the machine cannot have that fault."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readback-chaos-")))
        database: postgres.Postgres | None = None
        variables: dict[str, str] = {}
        before = ""
        if name == "disk full":
            mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
            if subprocess.run(mount, capture_output=True, check=False).returncode:
                yield None
                return
            stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        if name == "PostgreSQL stopped":
            programs = postgres.home()
            if programs is None:
                yield None
                return
            database = stack.enter_context(postgres.running(programs))
            variables["READBACK_EVENTS_URL"] = database.url
        if name.startswith("clock"):
            variables["CHAOS_JUMP"], before = str(folder / "jump"), CLOCK
        shutil.copytree(indexed, folder / "data")
        server = stack.enter_context(Server(folder, page=False, variables=variables, before=before))
        yield Setting(folder, server, database)


def row(outcome: Outcome) -> list[str]:
    """One line of the table."""
    told = outcome.told
    numbers = (len(told.answers), len(told.feedback), outcome.lost, told.unrecorded, told.refused, told.cut, told.torn)
    stop = "" if outcome.seconds is None else f"{outcome.seconds:.1f}"
    return [outcome.fault, *map(str, numbers), stop, outcome.after]


HEAD = [
    "fault",
    "answers ackn.",
    "feedback ackn.",
    "lost",
    "said unrecorded",
    "refused",
    "cut",
    "torn",
    "stop, s",
    "then",
]


@click.command()
@click.option("--seconds", default=4.0, show_default=True, help="Of asking, before the fault and again after it.")
@click.option("--only", type=click.Choice(list(FAULTS)), help="One fault alone.")
def main(seconds: float, only: str | None) -> None:
    """Have all faults happen, and print one table."""
    rows, wrong = [HEAD], 0
    with tempfile.TemporaryDirectory() as folder:
        indexed = Path(folder) / "data"
        collection = Collection.open(Settings(data_dir=indexed, _env_file=None))  # type: ignore[call-arg]
        collection.index.update(list(islice(read(shipped_corpus()).papers, PAPERS)))
        collection.close()
        for name in [only] if only else FAULTS:
            with setting_for(name, indexed) as setting:
                if setting is None:
                    click.echo(f"{name}: this machine cannot have it", err=True)
                    continue
                outcome = run(name, FAULTS[name], setting, seconds)
            rows.append(row(outcome))
            late = outcome.seconds is not None and outcome.seconds >= LONGEST_STOP_S
            wrong += bool(outcome.lost or outcome.told.torn or late or outcome.after != "ready")
    click.echo(aligned(rows))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
