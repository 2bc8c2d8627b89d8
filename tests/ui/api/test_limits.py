"""How much and how often: sizes and rates."""

from __future__ import annotations

import asyncio
import random
import threading
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from rag.ports import Message
from rag.types import Usage
from tests.ui.conftest import LOOPBACK, MakeServices, client_of
from tests.ui.samples import REWRITES, EndlessModel, QuotingModel
from ui.access.patience import PIECE_BYTES, Body
from ui.app import create_app
from ui.page.asking import Asking as PageAsking
from ui.page.turns import Turns
from ui.services import Asker, Services
from ui.services.asking import LATE
from ui.services.metrics import Metrics
from ui.services.rates import Rates
from ui.services.runs import Run

QUESTION = {"question": REWRITES}
CHAT = {"model": "readback", "messages": [{"role": "user", "content": REWRITES}]}


@pytest.mark.usefixtures("one_minute")
def test_too_many_questions_of_one_user(make_services: MakeServices) -> None:
    with client_of(make_services(user_per_minute=3)) as client:
        replies = [client.post("/api/ask", json=QUESTION) for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        assert 1 <= int(replies[-1].headers["retry-after"]) <= 60
        assert "again in" in replies[-1].json()["error"]["message"]
        streamed = client.post("/api/ask", json={**QUESTION, "stream": True})
        assert streamed.status_code == 429  # before the stream begins, so that a client sees it
        chat = client.post("/v1/chat/completions", json=CHAT)
        assert chat.json()["error"]["type"] == "rate_limit_error"
        other = client.post("/api/ask", json=QUESTION, headers={"sec-fetch-mode": "cors"})
        assert other.status_code == 200  # another user
        assert client.get("/api/papers").status_code == 200


@pytest.mark.usefixtures("one_minute")
def test_too_many_questions_from_one_address(make_services: MakeServices) -> None:
    with client_of(make_services(address_per_minute=2)) as client:
        browser = {"sec-fetch-mode": "cors"}  # a new user each time
        codes = [client.post("/api/ask", json=QUESTION, headers=browser).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def asked_on_page(services: Services, client: TestClient, headers: dict[str, str]) -> bool:
    user = client.get("/api/me", headers=headers).json()["user"]
    given = {"run": "run-00000001", "conversation": uuid.uuid4().hex, "turn": 1, "question": REWRITES}
    states = list(PageAsking(services, Turns(services)).stream(given, Asker(user, "testclient")))
    return "Too many requests" not in states[-1]


def asked_over_mcp(services: Services, client: TestClient, headers: dict[str, str]) -> bool:
    call = {"name": "ask", "arguments": {"question": REWRITES}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    accept = {"accept": "application/json, text/event-stream"}
    return "Too many requests" not in client.post("/mcp", json=body, headers=headers | accept).text


def asked_over_api(services: Services, client: TestClient, headers: dict[str, str]) -> bool:
    return client.post("/api/ask", json=QUESTION, headers=headers).status_code == 200


def asked_over_openai(services: Services, client: TestClient, headers: dict[str, str]) -> bool:
    return client.post("/v1/chat/completions", json=CHAT, headers=headers).status_code == 200


FACES = {"page": asked_on_page, "mcp": asked_over_mcp, "api": asked_over_api, "openai": asked_over_openai}


@pytest.mark.usefixtures("one_minute")
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("other", FACES)
def test_one_user_has_one_limit_on_all_faces(make_services: MakeServices, face: str, other: str) -> None:
    services = make_services(user_per_minute=2)
    with client_of(services) as client:
        assert [FACES[one](services, client, {}) for one in (face, other, face, other)] == [True, True, False, False]


@pytest.mark.usefixtures("one_minute")
@pytest.mark.parametrize("face", FACES)
def test_one_address_has_one_limit_on_all_faces(make_services: MakeServices, face: str) -> None:
    services = make_services(address_per_minute=3)
    another = {"sec-fetch-mode": "cors"}  # without a cookie: a new user each time
    with client_of(services) as client:
        assert [FACES[face](services, client, another) for _ in range(4)] == [True, True, True, False]


@pytest.mark.usefixtures("one_minute")
def test_other_requests_have_a_wider_limit(make_services: MakeServices) -> None:
    with client_of(make_services(user_per_minute=1)) as client:
        codes = [client.get("/api/papers?limit=1").status_code for _ in range(11)]
        assert codes == [200] * 10 + [429]
        assert client.get("/healthz").status_code == 200


def test_no_limit_where_none_is_wanted(make_services: MakeServices) -> None:
    with client_of(make_services(user_per_minute=0, address_per_minute=0)) as client:
        assert {client.get("/healthz").status_code for _ in range(50)} == {200}
        assert client.post("/api/ask", json=QUESTION).status_code == 200


def test_the_wait_that_is_told_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from ui.services.rates import RateLimited

    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock)
    rates = Rates(user_per_minute=6, address_per_minute=0, upload_mb=50)
    for _ in range(6):
        rates.question("ada", None)
    waits: list[int] = []

    def refused() -> bool:
        try:
            rates.question("ada", None)
        except RateLimited as error:
            waits.append(error.retry_after_s)
            return True
        return False

    while refused():
        clock += waits[-1]
    assert min(waits) >= 1
    assert sum(waits) <= 130


@pytest.mark.parametrize("address", ["/api/ask", "/v1/chat/completions", "/api/feedback", "/mcp", "/login"])
def test_bodies_have_a_limit(make_services: MakeServices, address: str) -> None:
    with client_of(make_services(body_kb=16)) as client:
        reply = client.post(address, content=b"x" * 16_001)
        assert reply.status_code == 413
        assert "16,000 bytes" in reply.json()["error"]["message"]


def test_bodies_that_do_not_say_their_length_have_a_limit_too(make_services: MakeServices) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b'{"question": "' + b"x" * 1000

    with client_of(make_services(body_kb=16)) as client:
        for address in ("/api/ask", "/v1/chat/completions"):
            assert client.post(address, content=endless()).status_code == 413


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES])
def test_bodies_come_in_small_pieces_and_whole(size: int) -> None:
    sent = [random.Random(size).randbytes(size), b"end"]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": sent[0], "more_body": True},
        {"type": "http.request", "body": sent[1], "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def read() -> list[dict[str, Any]]:
        body, found = Body(receive, 1_000_000), list[dict[str, Any]]()
        while not found or found[-1]["type"] != "http.disconnect":
            found.append(dict(await body()))
        return found

    *pieces, _ = asyncio.run(read())
    assert b"".join(one["body"] for one in pieces) == b"".join(sent)
    assert max(len(one["body"]) for one in pieces) <= PIECE_BYTES
    assert [one["more_body"] for one in pieces] == [True] * (len(pieces) - 1) + [False]


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 5000])
def test_lengths_that_are_none(client: TestClient, length: str) -> None:
    reply = client.post("/api/ask", content=b"{}", headers={"content-length": length})
    assert reply.status_code in (400, 413, 422)


def test_longer_questions_can_be_forbidden(make_services: MakeServices) -> None:
    with client_of(make_services(question_chars=100)) as client:
        assert client.post("/api/ask", json={"question": "why " * 26}).status_code == 422
        assert client.get("/api/search", params={"q": "why " * 26}).status_code == 422


def test_longer_histories_can_be_forbidden(make_services: MakeServices) -> None:
    with client_of(make_services(history_turns=2)) as client:
        history = [{"question": "What?"}] * 3
        assert client.post("/api/ask", json={**QUESTION, "history": history}).status_code == 422
        assert client.post("/api/ask", json={**QUESTION, "history": history[:2]}).status_code == 200
        messages = [{"role": "user", "content": "What?"}] * 4
        assert client.post("/v1/chat/completions", json={**CHAT, "messages": messages}).status_code == 422


@pytest.mark.parametrize(
    "address", ["/api/nope", "/v1/nope", "/v1/models/nope", "/api/papers/nope", "/api/conversations/x"]
)
def test_what_is_not_there_is_said_in_the_same_form(client: TestClient, address: str) -> None:
    reply = client.get(address)
    assert reply.status_code == 404
    assert reply.json()["error"]["type"] == "invalid_request_error"


def test_other_methods(client: TestClient) -> None:
    assert client.get("/api/ask").status_code == 405
    assert client.put("/api/papers").status_code == 405
    assert client.request("BREW", "/healthz").status_code == 405


def test_an_answer_that_takes_too_long_is_cut_off_and_recorded(make_services: MakeServices) -> None:
    model = EndlessModel()
    services = make_services(model=model, answer_s=4.0, answer_tokens=2000, unsupported="mark")
    with client_of(services) as client:
        client.get("/api/search", params={"q": REWRITES})  # loads what is loaded once
        answer = client.post("/api/ask", json={**QUESTION, "options": {"mode": "generative"}}).json()["answer"]
        assert answer["notice"] == LATE
        assert answer["recorded"]
        assert answer["sentences"]
        assert model.stopped.wait(30), "nobody waits for the model any more"
        assert client.get(f"/api/answers/{answer['id']}/trace").status_code == 200


def test_an_answer_that_comes_while_it_is_given_up_is_too_slow(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model says its whole answer at the moment in which the limit has been reached, and nobody hears of it."""
    given_up, answered = threading.Event(), threading.Event()

    class LateModel(QuotingModel):
        def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
            given_up.wait(30)
            yield self.said

    services = make_services(model=LateModel(), answer_s=1.0)
    begun = services.asking.start

    def start(*args: Any, **kwargs: Any) -> Run:
        run = begun(*args, **kwargs)

        def over() -> None:
            given_up.set()
            while services.asking.find(run.asker.user, run.id):
                threading.Event().wait(0.01)
            answered.set()

        monkeypatch.setattr(Metrics, "failed", lambda *_: over())
        return run

    monkeypatch.setattr(services.asking, "start", start)
    with client_of(services) as client:
        reply = client.post("/api/ask", json={**QUESTION, "options": {"mode": "generative"}})
    assert answered.is_set()
    assert (reply.status_code, reply.json()["error"]["code"]) == (504, "too_slow")


def test_no_request_takes_for_ever(make_services: MakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.access.patience.GRACE_S", 0.1)
    services, over = make_services(answer_s=0.1), threading.Event()
    monkeypatch.setattr(services.papers, "matching", lambda _: over.wait(60) and [])
    with client_of(services) as client:
        reply = client.get("/api/papers")
        assert (reply.status_code, reply.json()["error"]["code"]) == (504, "too_slow")
        over.set()
        assert client.get("/api/papers").json()["total"] == 0


def test_websockets_are_closed(make_services: MakeServices) -> None:
    from starlette.websockets import WebSocketDisconnect

    services = make_services(host="0.0.0.0", api_keys=SecretStr("x" * 20))
    client = TestClient(create_app(services), base_url=LOOPBACK)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/queue/join"):
        pass


@pytest.mark.parametrize("id", ["%00", "%1f", "x" * 201])
def test_ids_that_no_record_has(client: TestClient, id: str) -> None:
    assert client.get(f"/api/conversations/{id}").status_code == 422
    assert client.delete(f"/api/conversations/{id}").status_code == 422
    assert (
        client.post("/api/ask", json={**QUESTION, "conversation": id.replace("%00", "\0")[:1] + "\0"}).status_code
        == 422
    )


def test_questions_in_work_have_a_limit(make_services: MakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.services import asking

    monkeypatch.setattr(asking, "AT_ONCE_OF_ONE", 1)
    model = EndlessModel()
    services = make_services(model=model, unsupported="mark")
    with client_of(services) as client:
        run = services.asking.start(REWRITES, asker=Asker("local"), source="api")
        reply = client.post("/api/ask", json=QUESTION)
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "busy")
        assert int(reply.headers["retry-after"]) > 0
        model.stopped.set()
        assert run.wait(30)
        services.asking.close()
