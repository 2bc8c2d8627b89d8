"""Servers to attack, and the table of what they withstood."""

from __future__ import annotations

import shutil
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from eval.lab.health import Look, described
from eval.lab.serving import PATIENCE_S, Server
from eval.table import aligned
from rag.engine import Assistant
from rag.events.opening import open_store
from tests.attack.attacks import Attack
from tests.ui.conftest import SharedAssistant, assistant, data_dir, settings_for
from ui.services import Services

__all__ = ["assistant", "data_dir"]  # fixtures

ADA, BOB = "ada-key-0123456789", "bob-key-9876543210"
SECRET = "Which lanternfish did nobody else ask about?"


@dataclass(frozen=True)
class Target:
    """A running server."""

    port: int
    secrets: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()  # what stands for what in an attack

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def filled(self, text: str) -> str:
        """An attack's text with this server's own ids."""
        for name, value in (("{port}", str(self.port)), *self.names):
            text = text.replace(name, value)
        return text

    def alive(self) -> bool:
        """Whether it still answers."""
        return httpx.get(f"{self.address}/healthz", timeout=20).is_success

    def exchange(self, data: bytes, patience_s: float = 30.0) -> bytes:
        """Send bytes, and return whatever comes back until the server closes the connection."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience_s) as connection:
            try:
                connection.sendall(data)
                while part := connection.recv(65536):
                    received += part
            except (ConnectionError, TimeoutError):
                pass
        return received


MakeServices = Callable[..., Services]


@pytest.fixture(scope="session")
def make_services(
    data_dir: Path, assistant: Assistant, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeServices]:
    """Makes services without limits, with these settings; ``model=`` has their answers written by it."""
    with ExitStack() as stack:

        def make(*, model: Any = None, **values: Any) -> Services:
            folder = tmp_path_factory.mktemp("server")
            settings = settings_for(
                data_dir,
                **{
                    "events_url": SecretStr(f"sqlite:///{folder / 'events.db'}"),
                    "users_file": folder / "users.json",
                    "user_per_minute": 0,
                    "address_per_minute": 0,
                    **values,
                },
            )
            answering = assistant
            if model is not None:
                settings = settings.model_copy(
                    update={"openai_base_url": "http://127.0.0.1:9/v1", "chat_model": "attacked"}
                )
                answering = SharedAssistant(settings, assistant.collection, lambda *_: model)
            services = Services(settings, answering, open_store(settings))
            stack.callback(services.close)
            return services

        yield make


@contextmanager
def process(data_dir: Path, folder: Path, variables: Mapping[str, str]) -> Iterator[Target]:
    """The real server in a process of its own, over a copy of the data."""
    shutil.copytree(data_dir, folder / "data")
    with Server(folder, variables=variables) as server:
        server.start()
        yield Target(int(server.address.rpartition(":")[2]))


@pytest.fixture(scope="session")
def local(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server on loopback without logins."""
    with process(data_dir, tmp_path_factory.mktemp("local"), {}) as target:
        yield target


@pytest.fixture(scope="session")
def guarded(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server with logins, where Ada has asked something that is nobody else's business."""
    folder = tmp_path_factory.mktemp("guarded")
    access = {"READBACK_HOST": "0.0.0.0", "READBACK_API_KEYS": f"ada:{ADA},bob:{BOB}"}
    with process(data_dir, folder, access) as target:
        said = httpx.post(
            f"{target.address}/api/ask",
            json={"question": SECRET},
            headers={"authorization": f"Bearer {ADA}"},
            timeout=PATIENCE_S,
        ).json()
        secrets = ("lanternfish", ADA, (folder / "data" / "server.key").read_text().strip(), "root:x:0")
        names = (("{ada}", said["conversation"]), ("{answer}", said["answer"]["id"]))
        yield Target(target.port, secrets, names)


# the table

TALLY = pytest.StashKey["Tally"]()


class Tally:
    """Counts attempts by class."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, bool]] = Counter()  # by class, and whether it was withstood
        self.through: list[str] = []  # ids of those that were not withstood
        self.looks: dict[str, list[Look]] = {}  # at the health of a server, by how it is worn out

    def __call__(self, attack: Attack, held: bool) -> bool:
        """Count an attempt; returns whether it was withstood."""
        name = attack["class"] + (" (written after)" if attack.get("after") else "")
        self.counted[name, held] += 1
        if not held:
            self.through.append(attack["id"])
        return held

    def share(self, kind: str) -> float:
        """Share of a class's attempts that were withstood, whenever they were written."""
        counted = dict.fromkeys((True, False), 0)
        for (name, held), number in self.counted.items():
            if name.removesuffix(" (written after)") == kind:
                counted[held] += number
        return counted[True] / max(1, sum(counted.values()))


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print attempts and what was withstood, by class."""
    tally = config.stash.get(TALLY, None)
    if tally is None:
        return
    counted = tally.counted
    rows = [["class", "attempts", "withstood"]]
    for name in dict.fromkeys(name for name, _ in counted):
        rows.append([name, str(counted[name, True] + counted[name, False]), str(counted[name, True])])
    held = sum(number for (_, held), number in counted.items() if held)
    rows.append(["all", str(counted.total()), str(held)])
    terminalreporter.section("attacks")
    terminalreporter.write_line(aligned(rows))
    for kind, looks in tally.looks.items():
        terminalreporter.write_line(f"{kind}: {described(looks)}")
    if tally.through:
        terminalreporter.write_line(f"not withstood: {', '.join(tally.through)}")
