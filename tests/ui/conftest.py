"""Services over one small index that the whole session shares; each test has its own record of events."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, sleep, time
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pydantic import SecretStr

from rag.engine import Assistant
from rag.events import EventStore
from rag.events.opening import open_store
from rag.index import Index
from rag.settings import Settings
from tests.ui.samples import PAPERS
from ui.app import create_app, take_port
from ui.services import Services

LOOPBACK = "http://127.0.0.1:7860"
MakeServices = Callable[..., Services]
RunServer = Callable[[Services], AbstractContextManager[str]]


class SharedAssistant(Assistant):
    """Survives the services of one test."""

    def close(self) -> None:
        """Not yet."""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("READBACK_", "OPENAI_")):
            monkeypatch.delenv(name)


def settings_for(folder: Path, **values: Any) -> Settings:
    """Settings that no environment and no .env takes part in."""
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[call-arg]  # pydantic-settings takes it


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the small collection indexed."""
    from rag.collection import Collection

    folder = tmp_path_factory.mktemp("readback")
    collection = Collection.open(settings_for(folder))
    collection.index.update(PAPERS)
    collection.close()
    return folder


@pytest.fixture(scope="session")
def assistant(data_dir: Path) -> Iterator[Assistant]:
    shared = SharedAssistant.open(settings_for(data_dir))
    yield shared
    Assistant.close(shared)


@pytest.fixture
def make_services(data_dir: Path, assistant: Assistant, tmp_path: Path) -> Iterator[MakeServices]:
    """Makes services with these settings; ``model=`` has answers written by it."""
    made: list[Services] = []

    def make(*, model: Any = None, **values: Any) -> Services:
        if model is not None:
            values |= {"openai_base_url": "http://127.0.0.1:9/v1", "chat_model": "test"}
        settings = settings_for(
            data_dir,
            **{
                "events_url": SecretStr(f"sqlite:///{tmp_path / f'events-{len(made)}.db'}"),
                "users_file": tmp_path / "users.json",
                **values,
            },
        )
        answering = assistant
        if model is not None:
            answering = SharedAssistant(settings, assistant.collection, lambda *_: model)
        store: EventStore = open_store(settings)
        made.append(Services(settings, answering, store))
        return made[-1]

    yield make
    for services in made:
        services.close()


@pytest.fixture
def services(make_services: MakeServices) -> Services:
    return make_services()


@contextmanager
def client_of(services: Services, **headers: str) -> Iterator[TestClient]:
    """A client of the whole server that never shows tracebacks, as a program on this machine."""
    app = create_app(services)
    with TestClient(app, base_url=LOOPBACK, headers=headers, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with client_of(services) as client:
        yield client


@contextmanager
def running(services: Services) -> Iterator[str]:
    """A real server on a free port of loopback: its address."""
    with take_port(services.settings.model_copy(update={"port": 0})) as taken:
        server = uvicorn.Server(uvicorn.Config(create_app(services), log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        deadline = monotonic() + 60
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert monotonic() < deadline, "the server did not start in time"
            sleep(0.01)
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the server did not stop"


@pytest.fixture
def server(services: Services) -> Iterator[str]:
    """The address of a running server."""
    with running(services) as address:
        yield address


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits count everything within one minute, however long the test takes."""
    now = time()
    for module in ("limits.storage.memory", "limits.strategies"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: now))


@pytest.fixture
def index(assistant: Assistant) -> Iterator[Index]:
    """The collection, put back as it was after the test."""
    yield assistant.index
    assistant.index.update(PAPERS, prune=True)
