"""What operators look at."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from rag.errors import IndexMissing, ProviderBusy
from tests.ui.conftest import MakeServices, client_of
from tests.ui.samples import REWRITES, UNKNOWN, QuotingModel
from ui.services import Services


def test_live_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True, "index": "ok", "record": "ok", "disk": "ok", "model": "none: answers are made of quotes",
    }  # fmt: skip


def test_not_ready_without_an_index(services: Services, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise IndexMissing("Nothing is indexed yet. Run: readback index")

    monkeypatch.setattr(services.assistant.index, "check", missing)
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert "readback index" in reply.json()["index"]
    assert client.get("/healthz").status_code == 200


def test_strangers_are_not_told_why(make_services: MakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    services = make_services(api_keys=SecretStr("k" * 20))

    def broken() -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(services.assistant.index, "check", broken)
    with client_of(services) as client:
        reply = client.get("/readyz")
    assert (reply.status_code, reply.json()["index"]) == (503, "unusable")


@pytest.mark.parametrize(("on_failure", "status"), [("extractive", 200), ("error", 503)])
def test_a_model_that_does_not_answer(make_services: MakeServices, on_failure: str, status: int) -> None:
    services = make_services(
        openai_base_url="http://127.0.0.1:9/v1", on_model_failure=on_failure
    )  # nobody listens on the discard port
    with client_of(services) as client:
        reply = client.get("/readyz")
    assert reply.status_code == status
    assert "127.0.0.1:9" in reply.json()["model"]


@pytest.mark.parametrize("on_failure", ["extractive", "error"])
def test_where_the_model_is_goes_to_the_log(
    make_services: MakeServices, caplog: pytest.LogCaptureFixture, on_failure: str
) -> None:
    services = make_services(
        openai_base_url="http://127.0.0.1:9/internal/v1",
        mode="generative",
        on_model_failure=on_failure,
        retries=0,
        api_keys=SecretStr("k" * 20),
    )
    before = services.assistant.settings
    services.assistant.use(services.settings)
    try:
        with client_of(services, authorization=f"Bearer {'k' * 20}") as client:
            asked = client.post("/api/ask", json={"question": REWRITES})
            chat = {"model": "readback", "messages": [{"role": "user", "content": REWRITES}]}
            told = asked.text + client.post("/v1/chat/completions", json=chat).text + client.get("/readyz").text
    finally:
        services.assistant.use(before)
    assert asked.status_code == (200 if on_failure == "extractive" else 503)
    assert "No connection to the language model" in told
    assert "127.0.0.1:9" not in told
    assert "/internal" not in told
    assert "http://127.0.0.1:9/internal/v1" in caplog.text


def test_a_model_is_asked_once_a_minute(make_services: MakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.api.operations import ModelProbe

    times = iter((0.0, 30.0, 61.0, 61.0, 62.0))
    probe = ModelProbe(make_services(model=QuotingModel()), clock=lambda: next(times))
    asked: list[str] = []
    monkeypatch.setattr(probe, "_ask", lambda _: asked.append("again"))
    assert [probe.fault() for _ in range(4)] == [None] * 4
    assert asked == ["again"] * 2


def test_metrics_count_what_happens(client: TestClient) -> None:
    for question in (REWRITES, UNKNOWN):
        client.post("/api/ask", json={"question": question})
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    lines = reply.text.splitlines()
    assert 'readback_answers_total{mode="extractive",outcome="answered",source="api"} 1.0' in lines
    assert 'readback_answers_total{mode="extractive",outcome="abstained",source="api"} 1.0' in lines
    assert 'readback_stage_seconds_count{stage="retrieve"} 2.0' in lines
    assert 'readback_stage_seconds_count{stage="total"} 2.0' in lines
    assert 'readback_http_requests_total{area="api",method="POST",status="200"} 2.0' in lines
    assert 'readback_tokens_total{direction="prompt"} 0.0' in lines
    assert "readback_record{" in reply.text
    assert "rewrites" not in reply.text  # nobody's words


def test_labels_cannot_be_made_up(client: TestClient) -> None:
    for number in range(5):
        client.get(f"/made-up-{number}")
        client.request(f"MADE{number}", "/healthz")
    text = client.get("/metrics").text
    assert "made-up" not in text
    assert "MADE" not in text


def test_an_error_is_counted(services: Services, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> object:
        raise ProviderBusy("The language model is busy.")

    monkeypatch.setattr(services.assistant, "stream", busy)
    reply = client.post("/api/ask", json={"question": REWRITES})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "model_busy")
    assert "retry-after" in reply.headers
    assert 'readback_failures_total{source="api"} 1.0' in client.get("/metrics").text


def test_the_api_is_described_without_any_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "/v1/chat/completions" in page.text
    assert "<script" not in page.text
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    schema = client.get("/openapi.json").json()
    assert {"/api/ask", "/api/papers", "/api/feedback", "/v1/models", "/metrics"} <= set(schema["paths"])
    assert schema["components"]["schemas"]["AskRequest"]["properties"]["question"]["type"] == "string"


def test_a_running_server_answers_plainly(server: str) -> None:
    reply = httpx.get(f"{server}/healthz", headers={"host": "rebound.example"})
    assert reply.status_code == 421
    assert httpx.get(f"{server}/healthz").status_code == 200
