"""From question to answer over a language model's server that fails in every way: quotes and a notice, or one error."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx
from pydantic import SecretStr

from rag import Answer, Assistant
from rag.chat_model import OpenAIChat
from rag.errors import ProviderError, SettingsError
from rag.prompts import ANSWER_RULES, CANNOT_ANSWER
from rag.settings import Settings
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, CTRL, check, deltas, passages, settings_in, streamed

KEY = "sk-proj-Zq81nVxT0pWmLh37"
URL = "https://llm.example.org/v1"
GOOD = "Critics trained with CTRL significantly enhance pass rates"
Reply = httpx.Response | Exception


def sse(*pieces: str, finish: str = "stop", done: bool = True) -> bytes:
    """A chat completion as server-sent events."""
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    if done:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        chunks.append({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}})
    lines = [json.dumps(chunk) for chunk in chunks] + (["[DONE]"] if done else [])
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def spoken(*pieces: str, done: bool = True) -> httpx.Response:
    """A good reply."""
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=sse(*pieces, done=done))


def refused(status: int, message: str = "no", **headers: str) -> httpx.Response:
    """An error in OpenAI's form."""
    return httpx.Response(status, headers=headers, json={"error": {"message": message}})


@pytest.fixture
def server() -> Iterator[respx.Route]:
    """The mocked chat endpoint."""
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router.post("/chat/completions")


@pytest.fixture
def open_assistant(assistant: Assistant) -> Callable[..., Assistant]:
    """Makes an assistant that writes with that server. Keyword arguments: settings."""

    def make(**values: Any) -> Assistant:
        def model(settings: Settings, name: str | None) -> OpenAIChat:
            key, url, retries = settings.openai_api_key, settings.openai_base_url, settings.retries
            return OpenAIChat(name or settings.chat_model, key, url, timeout_s=5, retries=retries, sleep=lambda _: None)

        defaults = {"openai_api_key": SecretStr(KEY), "openai_base_url": URL, "chat_model": "test-model"}
        settings = settings_in(assistant.settings.data_dir, **{**defaults, **values})
        return Assistant(settings, assistant.collection, model)

    return make


FAILURES: dict[str, tuple[list[Reply], str, int]] = {  # name → replies, what the user reads, requests
    "server down": ([httpx.ConnectError("refused")], "No connection to the language model", 3),
    "401": ([refused(401, f"Incorrect API key {KEY}")], "OPENAI_API_KEY was refused", 1),
    "403": ([refused(403, "country")], "OPENAI_API_KEY was refused", 1),
    "404 model": ([refused(404, "the model does not exist")], "does not know the model 'test-model'", 1),
    "429 for ever": ([refused(429, "slow down")], "busy (HTTP 429)", 3),
    "no quota": ([refused(429, "insufficient_quota")], "no quota left", 1),
    "500 for ever": ([refused(500, "oops")], "busy (HTTP 500)", 3),
    "time-out": ([httpx.ReadTimeout("slow")], "was silent for 5 s", 1),
    "cut halfway": ([spoken("And th", done=False)], "cut off", 1),
    "nothing": ([spoken()], "sent nothing usable", 1),
    "empty stream": ([httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"")], "nothing", 3),
    "a web page": ([httpx.Response(200, html="<html>Welcome</html>")], "a web page", 1),
    "nonsense": (
        [httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: {{{\n\n")],
        "sent nothing usable",
        1,
    ),
    "context too long": ([refused(400, "maximum context length is 512 tokens")], "too long for the model", 2),
}


@pytest.mark.parametrize(("replies", "message", "requests"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_gives_quotes_and_a_notice(
    server: respx.Route,
    open_assistant: Callable[..., Assistant],
    caplog: pytest.LogCaptureFixture,
    replies: list[Reply],
    message: str,
    requests: int,
) -> None:
    server.side_effect = replies * 5
    caplog.set_level(logging.DEBUG)
    many = open_assistant()
    _, answer = streamed(many, ABOUT_CTRL)
    check(answer, many)
    assert answer.mode == "extractive"
    assert answer.model is None
    assert not answer.abstained
    assert answer.citations
    assert answer.notice
    assert answer.notice.startswith("The language model failed, so the answer is made of quotes. ")
    assert message in answer.notice
    assert server.call_count == requests
    assert KEY not in json.dumps(answer.to_dict())
    assert KEY not in caplog.text  # not even in what the libraries say when they are asked for everything
    ours = [record for record in caplog.records if record.name.startswith("rag.")]
    assert [record.levelname for record in ours if record.levelno >= logging.WARNING] == ["WARNING"]
    assert not any(record.exc_info for record in ours)


@pytest.mark.parametrize(("replies", "message", "requests"), FAILURES.values(), ids=FAILURES.keys())
def test_or_one_clear_error(
    server: respx.Route,
    open_assistant: Callable[..., Assistant],
    replies: list[Reply],
    message: str,
    requests: int,
) -> None:
    server.side_effect = replies * 5
    with pytest.raises(ProviderError) as caught:
        open_assistant(on_model_failure="error").ask(ABOUT_CTRL)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert server.call_count == requests


@pytest.mark.parametrize("busy", [refused(429), refused(503), httpx.ConnectError("refused"), httpx.ReadError("lost")])
def test_a_short_rush_is_waited_out(server: respx.Route, open_assistant: Callable[..., Assistant], busy: Reply) -> None:
    server.side_effect = [busy, spoken(f"{GOOD} [1].")]
    many = open_assistant()
    answer = many.ask(ABOUT_CTRL)
    check(answer, many)
    assert answer.mode == "generative"
    assert answer.notice is None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (900, 30)
    assert answer.usage.cost_usd is None  # the price of this model is not known
    assert answer.model == "test-model"


def test_what_is_sent(server: respx.Route, open_assistant: Callable[..., Assistant]) -> None:
    server.side_effect = [spoken(f"{GOOD} [1].")]
    open_assistant(answer_tokens=333).ask(ABOUT_CTRL)
    request = server.calls.last.request
    body = json.loads(request.content)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in request.content.decode()
    assert (body["model"], body["max_tokens"], body["temperature"], body["stream"]) == ("test-model", 333, 0.0, True)
    system, user = body["messages"]
    assert system == {"role": "system", "content": ANSWER_RULES}
    assert [number for number, _ in passages([user])] == list(range(1, 13))
    assert user["content"].startswith('<passage number="1">\nTitle: ')
    assert user["content"].endswith(f"</passage>\n\nQuestion: {ABOUT_CTRL}")


def test_passages_are_dropped_whole_to_fit_the_context(
    server: respx.Route, open_assistant: Callable[..., Assistant], assistant: Assistant
) -> None:
    server.side_effect = lambda _: spoken(f"{GOOD} [1].")
    shown = {}
    for context in (1200, 2000, 3000, 8000):
        open_assistant(context_tokens=context, answer_tokens=400).ask(ABOUT_CTRL)
        found = passages(json.loads(server.calls.last.request.content)["messages"])
        shown[context] = [text.splitlines()[0].removeprefix("Title: ") for _, text in found]
        whole = {f"Title: {paper.title}\n{paper.abstract}" for paper in assistant.papers()}
        assert all(text in whole for _, text in found)
    assert 1 <= len(shown[1200]) < len(shown[2000]) < len(shown[8000]) == 12
    assert all(shown[8000][: len(titles)] == titles for titles in shown.values())


def test_a_context_too_small_for_one_passage_is_explained(
    server: respx.Route, open_assistant: Callable[..., Assistant]
) -> None:
    answer = open_assistant(context_tokens=512, answer_tokens=450).ask(ABOUT_CTRL)
    assert answer.notice
    assert "READBACK_CONTEXT_TOKENS" in answer.notice
    assert server.call_count == 0


def test_a_prompt_that_is_too_long_is_tried_once_with_half(
    server: respx.Route, open_assistant: Callable[..., Assistant]
) -> None:
    server.side_effect = [refused(400, "maximum context length is 2048 tokens"), spoken(f"{GOOD} [1].")]
    answer = open_assistant().ask(ABOUT_CTRL)
    assert answer.mode == "generative"
    bodies = [json.loads(call.request.content) for call in server.calls]
    assert [len(passages(body["messages"])) for body in bodies] == [12, 6]


def test_of_half_an_answer_what_was_verified_is_kept(
    server: respx.Route, open_assistant: Callable[..., Assistant]
) -> None:
    server.side_effect = [spoken(f"{GOOD} [1]. ", "And th", done=False)]
    events, answer = streamed(open_assistant(), ABOUT_CTRL)
    assert deltas(events) == f"{GOOD}. [1] And th"
    assert answer.text == f"{GOOD}. [1]"
    assert (answer.mode, answer.verdict) == ("generative", "closest")
    assert answer.notice
    assert "cut off" in answer.notice


def test_a_failing_rewriter_leaves_the_rule(server: respx.Route, open_assistant: Callable[..., Assistant]) -> None:
    server.side_effect = [spoken(f"{GOOD} [1]."), *[refused(500)] * 3]
    many = open_assistant()
    chat = many.conversation()
    chat.ask(ABOUT_CTRL, Options(include=frozenset({CTRL})))
    answer = chat.ask("How much does it improve them?")
    check(answer, many)
    assert "(about: " in answer.standalone_question
    assert answer.mode == "extractive"
    assert answer.notice
    assert "HTTP 500" in answer.notice
    assert server.call_count == 4  # the model that failed is not asked for the answer as well


def test_a_refusal_over_http_is_an_abstention(server: respx.Route, open_assistant: Callable[..., Assistant]) -> None:
    server.side_effect = [spoken(CANNOT_ANSWER)]
    answer = open_assistant().ask(ABOUT_CTRL)
    assert answer.abstained
    assert answer.usage.prompt_tokens == 900


def test_another_model_of_the_server_can_be_asked_for(
    server: respx.Route, open_assistant: Callable[..., Assistant]
) -> None:
    server.side_effect = lambda _: spoken(f"{GOOD} [1].")
    many = open_assistant()
    answers: list[Answer] = [many.ask(ABOUT_CTRL, options=Options(model=name)) for name in ("other", None)]
    assert [answer.model for answer in answers] == ["other", "test-model"]
    assert [json.loads(call.request.content)["model"] for call in server.calls] == ["other", "test-model"]


def test_a_written_answer_without_a_model_is_a_clear_error(assistant: Assistant) -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        assistant.ask(ABOUT_CTRL, options=Options(mode="generative"))
