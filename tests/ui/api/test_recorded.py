"""An answer is on disk before any face says that it is done, or the face says that it is not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.ui.conftest import MakeServices, client_of
from tests.ui.samples import REWRITES
from ui.page.asking import Asking
from ui.page.turns import Turns
from ui.services import Asker, Services
from ui.services.asking import UNRECORDED

CHAT = {"model": "readback", "messages": [{"role": "user", "content": REWRITES}]}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "ask", "arguments": {"question": REWRITES}},
}
Face = Callable[[Services, TestClient], dict[str, Any]]


def events_of(text: str) -> list[dict[str, Any]]:
    """The data of server-sent events."""
    lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def over_api(_: Services, client: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/api/ask", json={"question": REWRITES}).json()["answer"]
    return answer


def over_api_stream(_: Services, client: TestClient) -> dict[str, Any]:
    reply = client.post("/api/ask", json={"question": REWRITES, "stream": True})
    answer: dict[str, Any] = events_of(reply.text)[-1]["answer"]
    return answer


def over_openai(_: Services, client: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/chat/completions", json=CHAT).json()["readback"]
    return answer


def over_openai_stream(_: Services, client: TestClient) -> dict[str, Any]:
    reply = client.post("/v1/chat/completions", json={**CHAT, "stream": True})
    answer: dict[str, Any] = events_of(reply.text)[-1]["readback"]
    return answer


def over_mcp(_: Services, client: TestClient) -> dict[str, Any]:
    reply = client.post("/mcp", json=CALL, headers={"accept": "application/json, text/event-stream"})
    answer: dict[str, Any] = events_of(reply.text)[-1]["result"]["structuredContent"]
    return {"id": answer["answer_id"], **answer}


def on_the_page(services: Services, _: TestClient) -> dict[str, Any]:
    given = {"run": "run-00000001", "conversation": "conversation-1", "turn": 1, "question": REWRITES}
    states = list(Asking(services, Turns(services)).stream(given, Asker("local")))
    shown = json.loads(states[-1])["html"]
    return {"recorded": UNRECORDED not in shown, "notice": shown}


FACES: dict[str, Face] = {
    "api": over_api,
    "api, streamed": over_api_stream,
    "openai": over_openai,
    "openai, streamed": over_openai_stream,
    "mcp": over_mcp,
    "page": on_the_page,
}


@pytest.fixture
def services(make_services: MakeServices, tmp_path: Path) -> Services:
    return make_services()


@contextmanager
def held(tmp_path: Path) -> Iterator[None]:
    """The record, while another process writes to it and does not stop."""
    with closing(sqlite3.connect(tmp_path / "events-0.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("face", FACES)
def test_an_answer_is_recorded_before_it_is_given_or_says_that_it_is_not(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: str
) -> None:
    monkeypatch.setattr("ui.services.asking.RECORD_S", 0.2)
    with client_of(services) as client:
        given = FACES[face](services, client)
        with closing(sqlite3.connect(tmp_path / "events-0.db")) as database:  # no flush, no wait
            (stored,) = database.execute("SELECT id FROM interactions").fetchall()
        assert given["recorded"] is True
        assert given.get("id", stored[0]) == stored[0]
        with held(tmp_path):
            given = FACES[face](services, client)
        assert given["recorded"] is False
        assert UNRECORDED in given["notice"]
        assert services.store.flush(), "the record was only busy: it has the answer after all"
        assert len(list(services.store.episodes())) == 2
