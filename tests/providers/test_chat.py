"""OpenAIChat at the HTTP edge: what is sent, what comes back, what each failure becomes."""

from __future__ import annotations

import gc
import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import respx
from pydantic import SecretStr

from rag.chat_model import OpenAIChat, close_stream, complete, hit_limit
from rag.errors import ContextTooLong, ProviderBusy, ProviderError, ProviderRefused, SettingsError
from rag.ports import ChatModel, Message
from rag.settings import Settings
from rag.types import Usage
from tests.providers.conftest import KEY, URL, Naps, counted, delta, sse

MESSAGES: list[Message] = [
    {"role": "system", "content": "Answer from the passages."},
    {"role": "user", "content": "What is attention?"},
]
LONGEST_S = 120  # of a reply, unless told otherwise
GOOD = sse(delta("Attention "), delta("weighs."), delta(finish="stop"), counted(21, 3))


class Stream(httpx.SyncByteStream):
    """A reply's body that remembers whether it was closed, and may break."""

    def __init__(self, *parts: bytes, error: Exception | None = None) -> None:
        self.parts, self.error, self.sent, self.closed = parts, error, 0, False

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            self.sent += 1
            yield part
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed = True


def answer(*contents: bytes | Stream) -> Callable[[httpx.Request], httpx.Response]:
    """A side effect that gives these bodies one after the other, the last one for ever."""
    bodies = list(contents)

    def give(_: httpx.Request) -> httpx.Response:
        body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
        headers = {"content-type": "text/event-stream"}
        if isinstance(body, bytes):
            return httpx.Response(200, headers=headers, content=body)
        return httpx.Response(200, headers=headers, stream=body)

    return give


def refusal(status: int, message: str, **more: Any) -> httpx.Response:
    """An error in OpenAI's form."""
    return httpx.Response(status, json={"error": {"message": message, **more}})


def sent(route: respx.Route, call: int = -1) -> dict[str, Any]:
    """The body of one request."""
    body: dict[str, Any] = json.loads(route.calls[call].request.content)
    return body


def failing(chat: OpenAIChat) -> ProviderError:
    """The error of one answer, which shows nothing that the server said behind our message."""
    with pytest.raises(ProviderError) as caught:
        complete(chat, MESSAGES, 50)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


def test_sends_the_messages_and_yields_text_then_usage(server: respx.MockRouter, chat: OpenAIChat) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(GOOD))
    assert list(chat.stream(MESSAGES, max_tokens=50)) == ["Attention ", "weighs.", Usage(21, 3, None)]
    assert sent(route) == {
        "model": "test-model",
        "messages": MESSAGES,
        "stream": True,
        "max_tokens": 50,
        "temperature": 0.0,
        "stream_options": {"include_usage": True},
    }
    assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"


def test_is_a_chat_model_and_completes(server: respx.MockRouter, chat: OpenAIChat) -> None:
    server.post("/chat/completions").mock(side_effect=answer(GOOD))
    model: ChatModel = chat
    assert model.name == "test-model"
    assert complete(model, MESSAGES, 50) == ("Attention weighs.", Usage(21, 3, None))


def test_nothing_is_sent_before_the_first_piece_is_asked_for(server: respx.MockRouter, chat: OpenAIChat) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(GOOD))
    with chat.stream(MESSAGES, max_tokens=50):
        pass
    assert not route.called


def test_a_known_model_has_a_price_and_openai_is_the_default(naps: Naps) -> None:
    with respx.mock(base_url="https://api.openai.com/v1") as router:
        router.post("/chat/completions").mock(side_effect=answer(GOOD))
        chat = OpenAIChat("gpt-4o-mini", SecretStr(KEY), sleep=naps)
        assert complete(chat, MESSAGES, 50)[1].cost_usd == pytest.approx((21 * 0.15 + 3 * 0.60) / 1e6)


def test_a_local_server_needs_no_key_and_costs_nothing(server: respx.MockRouter) -> None:
    route = server.post("http://127.0.0.1:11434/v1/chat/completions").mock(side_effect=answer(GOOD))
    chat = OpenAIChat("gpt-4o-mini", base_url="http://127.0.0.1:11434/v1/")
    assert complete(chat, MESSAGES, 50)[1] == Usage(21, 3, 0.0)
    assert route.calls.last.request.headers["authorization"] == "Bearer no-key-needed"


def test_a_price_that_is_set_counts_everywhere(server: respx.MockRouter) -> None:
    server.post("/chat/completions").mock(side_effect=answer(GOOD))
    settings = Settings(openai_base_url=URL, chat_model="their-model", prompt_price=2.0, completion_price=10.0)
    assert complete(OpenAIChat.from_settings(settings), MESSAGES, 50)[1].cost_usd == pytest.approx(72e-6)


USED = {"prompt_tokens": 21, "completion_tokens": 3, "total_tokens": 24}
SHAPES: dict[str, list[dict[str, Any]]] = {  # as these servers stream "So it is." in 2026
    "OpenAI": [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}}], "usage": None},
        {"choices": [{"index": 0, "delta": {"content": "So it"}, "finish_reason": None}], "usage": None},
        {"choices": [{"index": 0, "delta": {"content": " is."}, "finish_reason": None}], "usage": None},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None},
        {"choices": [], "usage": {**USED, "prompt_tokens_details": {"cached_tokens": 0}}},
    ],
    "llama.cpp": [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": "So it"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": " is."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USED, "timings": {"predicted_per_second": 40.1}},
    ],
    "Ollama": [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "So it"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": " is."}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]},
        {"choices": [], "usage": USED, "system_fingerprint": "fp_ollama"},
    ],
    "vLLM": [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None}]},
        {"choices": [{"index": 0, "delta": {"content": "So it", "reasoning_content": None}, "stop_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": " is."}, "finish_reason": "stop", "stop_reason": None}]},
        {"choices": [], "usage": USED},
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_forms_that_servers_stream_in_are_understood(
    server: respx.MockRouter, chat: OpenAIChat, shape: str
) -> None:
    frames = [f"data: {json.dumps({'object': 'chat.completion.chunk', **one})}\n\n" for one in SHAPES[shape]]
    headers = {"content-type": "text/event-stream"}
    body = "".join([*frames, "data: [DONE]\n\n"]).encode()
    server.post("/chat/completions").mock(return_value=httpx.Response(200, headers=headers, content=body))
    text, usage = complete(chat, MESSAGES, 50)
    assert text == "So it is."
    assert (usage.prompt_tokens, usage.completion_tokens) == (21, 3)


def test_settings_make_a_model(server: respx.MockRouter) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(GOOD))
    settings = Settings(openai_api_key=SecretStr(KEY), openai_base_url=URL, chat_model="their-model")
    complete(OpenAIChat.from_settings(settings), MESSAGES, 50)
    complete(OpenAIChat.from_settings(settings, "another"), MESSAGES, 50)
    assert [sent(route, call)["model"] for call in (0, 1)] == ["their-model", "another"]


def test_usage_is_counted_where_the_server_does_not(server: respx.MockRouter, chat: OpenAIChat) -> None:
    server.post("/chat/completions").mock(side_effect=answer(sse(delta("Attention weighs."), delta(finish="stop"))))
    assert complete(chat, MESSAGES, 50)[1] == Usage(5 + 4 + 4 + 4, 3, None)


def test_an_answer_cut_at_the_limit_can_be_told(server: respx.MockRouter, chat: OpenAIChat) -> None:
    whole, cut = sse(delta("All."), delta(finish="stop")), sse(delta("Not a"), delta(finish="length"))
    server.post("/chat/completions").mock(side_effect=answer(whole, cut))
    for expected in (False, True):
        stream = chat.stream(MESSAGES, max_tokens=2)
        assert stream.finish_reason is None
        list(stream)
        assert hit_limit(stream) is expected
    assert not hit_limit(iter(["any other model"]))


def test_text_with_line_separators_and_broken_characters_passes(server: respx.MockRouter, chat: OpenAIChat) -> None:
    chunk = json.dumps(delta("a\u2028b\x85c模"), ensure_ascii=False)
    route = server.post("/chat/completions").mock(side_effect=answer(sse(chunk, delta(finish="stop"))))
    assert complete(chat, [{"role": "user", "content": "bad \ud800 name"}], 9)[0] == "a\u2028b\x85c模"
    assert sent(route)["messages"][0]["content"] == "bad ? name"


def test_closing_early_closes_the_connection(server: respx.MockRouter, chat: OpenAIChat) -> None:
    body = Stream(*[sse(delta(f"{word} "), done=False) for word in range(100)])
    server.post("/chat/completions").mock(side_effect=answer(body))
    stream = chat.stream(MESSAGES, max_tokens=50)
    assert next(stream) == "0 "
    close_stream(stream)
    assert body.closed
    assert body.sent < 100
    assert list(stream) == []
    close_stream(stream)  # twice does no harm


def test_dropping_a_stream_closes_the_connection(server: respx.MockRouter, chat: OpenAIChat) -> None:
    body = Stream(*[sse(delta("word "), done=False)] * 100)
    server.post("/chat/completions").mock(side_effect=answer(body))
    stream = chat.stream(MESSAGES, max_tokens=50)
    next(stream)
    del stream
    gc.collect()
    assert body.closed


def test_another_thread_may_close(server: respx.MockRouter, chat: OpenAIChat) -> None:
    class StopsItself(Stream):
        def __iter__(self) -> Iterator[bytes]:
            yield sse(delta("one "), done=False)
            with ThreadPoolExecutor(1) as pool:  # a reader is inside the generator while the other thread closes it
                pool.submit(stream.close).result()
            yield from super().__iter__()

    body = StopsItself(*[sse(delta("more "), done=False)] * 100)
    server.post("/chat/completions").mock(side_effect=answer(body))
    stream = chat.stream(MESSAGES, max_tokens=50)
    assert list(stream) == ["one "]
    assert body.closed


def test_the_caller_s_own_error_is_not_taken_for_the_server_s(server: respx.MockRouter, chat: OpenAIChat) -> None:
    body = Stream(GOOD)
    server.post("/chat/completions").mock(side_effect=answer(body))

    def read() -> None:
        with chat.stream(MESSAGES, max_tokens=50) as stream:
            next(stream)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        read()
    assert body.closed


# what some servers do not take


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_stream_options_is_asked_without(
    server: respx.MockRouter, chat: OpenAIChat, naps: Naps, status: int
) -> None:
    said = {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}
    route = server.post("/chat/completions").mock(
        side_effect=[httpx.Response(status, json=said), *[answer(GOOD)(httpx.Request("POST", URL)) for _ in range(2)]]
    )
    assert complete(chat, MESSAGES, 50)[0] == "Attention weighs."
    complete(chat, MESSAGES, 50)
    assert ["stream_options" in sent(route, call) for call in range(3)] == [True, False, False]  # it is remembered
    assert naps == []


def test_a_reasoning_model_gets_its_own_parameters(server: respx.MockRouter, chat: OpenAIChat) -> None:
    def picky(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if "max_tokens" in body:
            return refusal(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in body:
            return refusal(400, "Unsupported value.", param="temperature")
        return answer(GOOD)(request)

    route = server.post("/chat/completions").mock(side_effect=picky)
    assert complete(chat, MESSAGES, 50)[0] == "Attention weighs."
    assert sent(route)["max_completion_tokens"] == 50


SCHEMA = {"type": "object", "properties": {"route": {"enum": ["answer", "chat"]}}, "required": ["route"]}


def test_a_schema_is_sent_where_one_is_wanted(server: respx.MockRouter, chat: OpenAIChat) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(GOOD))
    complete(chat, MESSAGES, 50, SCHEMA)
    complete(chat, MESSAGES, 50)
    assert sent(route, 0)["response_format"]["json_schema"]["schema"] == SCHEMA
    assert "response_format" not in sent(route, 1)


@pytest.mark.parametrize("said", ["response_format is not supported", "Unknown json_schema", "Failed to parse grammar"])
def test_a_server_that_knows_no_schemas_is_asked_without(server: respx.MockRouter, chat: OpenAIChat, said: str) -> None:
    good = [answer(GOOD)(httpx.Request("POST", URL)) for _ in range(2)]
    route = server.post("/chat/completions").mock(side_effect=[refusal(400, said), *good])
    assert complete(chat, MESSAGES, 50, SCHEMA)[0] == "Attention weighs."
    complete(chat, MESSAGES, 50, SCHEMA)
    assert ["response_format" in sent(route, call) for call in range(3)] == [True, False, False]  # it is remembered


def test_structured_output_can_be_switched_off(server: respx.MockRouter) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(GOOD))
    settings = Settings(openai_base_url=URL, chat_model="their-model", structured_output=False)
    complete(OpenAIChat.from_settings(settings), MESSAGES, 50, SCHEMA)
    assert "response_format" not in sent(route)


def test_a_parameter_is_dropped_once_and_no_more(server: respx.MockRouter, chat: OpenAIChat) -> None:
    route = server.post("/chat/completions").mock(return_value=refusal(400, "stream_options: no, never"))
    assert isinstance(failing(chat), ProviderRefused)
    assert route.call_count == 2


# failures


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (refusal(401, f"Incorrect API key provided: {KEY}"), ProviderRefused, "OPENAI_API_KEY was refused: check it"),
        (refusal(403, "Country not supported"), ProviderRefused, "OPENAI_API_KEY was refused (Country not supported)"),
        (refusal(404, "The model `test-model` does not exist"), ProviderRefused, "'test-model': check READBACK_CHAT_"),
        (httpx.Response(404, text="<html>no</html>"), ProviderRefused, "usually ends in /v1"),
        (httpx.Response(404, json={"error": "model 'x' not found"}), ProviderRefused, "does not know the model"),
        (refusal(400, "messages: bad\n\trole"), ProviderRefused, "refused the request (HTTP 400) (messages: bad role)"),
        (refusal(400, "x" * 5000), ProviderRefused, "x…)"),
        (refusal(402, "pay first"), ProviderRefused, "pay first"),
        (refusal(429, "You spent it all", code="insufficient_quota"), ProviderRefused, "no quota left"),
        (refusal(429, "slow down"), ProviderBusy, "Please try again in a minute."),
        (refusal(500, "oops"), ProviderBusy, "is busy (HTTP 500)"),
        (httpx.Response(502, text="<html>bad gateway</html>"), ProviderBusy, "is busy (HTTP 502)"),
        (httpx.Response(503), ProviderBusy, "is busy (HTTP 503)"),
        (refusal(504, "late"), ProviderBusy, "is busy (HTTP 504)"),
    ],
)
def test_a_status_becomes_a_message(
    server: respx.MockRouter, chat: OpenAIChat, response: httpx.Response, kind: type[ProviderError], words: str
) -> None:
    route = server.post("/chat/completions").mock(return_value=response)
    error = failing(chat)
    assert type(error) is kind
    assert words in str(error)
    assert len(str(error)) < 400
    assert "\n" not in str(error)
    assert route.call_count == (3 if kind is ProviderBusy else 1)


@pytest.mark.parametrize(
    "response",
    [
        refusal(400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded"),
        refusal(400, "Please reduce your prompt.", code="context_length_exceeded"),
        refusal(400, "request (6031 tokens) exceeds the available context size (1024 tokens)"),
        httpx.Response(
            400,
            json={
                "object": "error",
                "message": "'max_tokens' or 'max_completion_tokens' is too large: 600. This model's maximum context "
                "length is 512 tokens",
            },
        ),
        refusal(500, "input is too large to process. increase the physical batch size"),
    ],
)
def test_a_prompt_that_does_not_fit(server: respx.MockRouter, chat: OpenAIChat, response: httpx.Response) -> None:
    route = server.post("/chat/completions").mock(return_value=response)
    error = failing(chat)
    assert isinstance(error, ContextTooLong)
    assert "lower READBACK_CONTEXT_TOKENS" in str(error)
    assert route.call_count == 1


def test_a_server_that_wants_a_key_says_so(server: respx.MockRouter) -> None:
    server.post("/chat/completions").mock(return_value=refusal(401, "no"))
    assert "wants a key: set OPENAI_API_KEY" in str(failing(OpenAIChat("m", base_url=URL)))


@pytest.mark.parametrize(
    ("error", "words", "calls"),
    [
        (httpx.ConnectError("refused"), f"No connection to the language model at {URL}: is it running", 3),
        (httpx.ConnectTimeout("late"), f"No connection to the language model at {URL}", 3),
        (httpx.ReadTimeout("late"), "was silent for 30 s. Please try again, or raise READBACK_TIMEOUT_S", 1),
        (httpx.RemoteProtocolError("gone"), f"The connection to the language model at {URL} was lost", 3),
    ],
)
def test_a_connection_that_fails(
    server: respx.MockRouter, chat: OpenAIChat, error: Exception, words: str, calls: int
) -> None:
    route = server.post("/chat/completions").mock(side_effect=error)
    busy = failing(chat)
    assert isinstance(busy, ProviderBusy)
    assert words in str(busy)
    assert route.call_count == calls


class Endless(Stream):
    """A body that goes on with the same piece for ever."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.sent += 1
            yield self.parts[0]


@pytest.mark.parametrize(("status", "piece"), [(200, b": still here\n\n"), (200, b" "), (500, b"x")])
def test_a_reply_without_words_or_end_is_given_up(
    server: respx.MockRouter, chat: OpenAIChat, monkeypatch: pytest.MonkeyPatch, status: int, piece: bytes
) -> None:
    seconds = itertools.count()
    monkeypatch.setattr("rag.bounded_reply.monotonic", lambda: next(seconds))
    body = Endless(piece)
    reply = httpx.Response(status, headers={"content-type": "text/event-stream"}, stream=body)
    server.post("/chat/completions").mock(return_value=reply)
    assert "did not come to an end" in str(failing(chat))
    assert (body.sent, body.closed) == (LONGEST_S + 1, True)


def test_a_reply_larger_than_any_is_given_up(
    server: respx.MockRouter, chat: OpenAIChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.bounded_reply.MOST_BYTES", 1000)
    body = Endless(b"x" * 300)
    server.post("/chat/completions").mock(side_effect=answer(body))
    assert "did not come to an end" in str(failing(chat))
    assert (body.sent, body.closed) == (4, True)


def test_tries_are_bounded_and_wait_longer_each_time(server: respx.MockRouter, chat: OpenAIChat, naps: Naps) -> None:
    server.post("/chat/completions").mock(return_value=refusal(500, "oops"))
    failing(chat)
    assert len(naps) == 2
    assert 0.375 <= naps[0] <= 0.5
    assert 0.75 <= naps[1] <= 1.0


def test_a_later_try_succeeds(server: respx.MockRouter, chat: OpenAIChat, naps: Naps) -> None:
    good = answer(GOOD)(httpx.Request("POST", URL))
    server.post("/chat/completions").mock(side_effect=[refusal(429, "slow"), httpx.ConnectError("gone"), good])
    assert complete(chat, MESSAGES, 50)[0] == "Attention weighs."
    assert len(naps) == 2


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({"retry-after": "7"}, [7.0, 7.0]), ({"retry-after-ms": "250"}, [0.25, 0.25]), ({"retry-after": "3600"}, [])],
)
def test_the_wait_that_a_server_asks_for_is_kept_unless_it_is_too_long(
    server: respx.MockRouter, chat: OpenAIChat, naps: Naps, headers: dict[str, str], waits: list[float]
) -> None:
    server.post("/chat/completions").mock(return_value=httpx.Response(429, headers=headers))
    error = failing(chat)
    assert naps == waits
    if not waits:
        assert "again in 3600 s" in str(error)


@pytest.mark.parametrize("value", ["soon", "", "Wed, 21 Oct 2015 07:28:00 GMT", "1.2.3"])
def test_an_odd_retry_after_does_no_harm(server: respx.MockRouter, chat: OpenAIChat, naps: Naps, value: str) -> None:
    server.post("/chat/completions").mock(return_value=httpx.Response(429, headers={"retry-after": value}))
    assert isinstance(failing(chat), ProviderBusy)
    assert all(0 <= nap <= 1 for nap in naps)


# streams that go wrong


@pytest.mark.parametrize(
    "body",
    [
        Stream(sse(delta("Attention "), done=False)),
        Stream(sse(delta("Attention "), done=False), error=httpx.RemoteProtocolError("peer closed")),
        Stream(sse(delta("Attention "), done=False), error=httpx.ReadTimeout("late")),
        Stream(sse(delta("Attention "), "{half a chu", done=False)),
        Stream(sse(delta("Attention "), {"error": {"message": "the GPU fell off", "code": 500}}, done=False)),
    ],
    ids=["just ends", "connection lost", "silence", "half a chunk", "error event"],
)
def test_a_stream_cut_halfway_is_told_and_not_tried_again(
    server: respx.MockRouter, chat: OpenAIChat, body: Stream
) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(body))
    stream = chat.stream(MESSAGES, max_tokens=50)
    assert next(stream) == "Attention "
    with pytest.raises(ProviderBusy, match="was cut off") as caught:
        next(stream)
    assert caught.value.__context__ is None
    assert route.call_count == 1
    assert body.closed


def test_a_context_that_overflows_halfway(server: respx.MockRouter, chat: OpenAIChat) -> None:
    late = {"error": {"message": "exceeds the available context size", "code": 400}}
    server.post("/chat/completions").mock(side_effect=answer(sse(delta("One "), late)))
    assert isinstance(failing(chat), ContextTooLong)


def test_a_connection_lost_after_the_last_word_loses_nothing(server: respx.MockRouter, chat: OpenAIChat) -> None:
    body = Stream(sse(delta("Whole."), delta(finish="stop"), done=False), error=httpx.ReadError("reset"))
    server.post("/chat/completions").mock(side_effect=answer(body))
    assert complete(chat, MESSAGES, 50)[0] == "Whole."


def test_a_stream_that_fails_before_the_first_word_is_tried_again(
    server: respx.MockRouter, chat: OpenAIChat, naps: Naps
) -> None:
    overloaded = sse({"error": {"message": "overloaded"}})
    server.post("/chat/completions").mock(side_effect=answer(overloaded, Stream(error=httpx.ReadError("reset")), GOOD))
    assert complete(chat, MESSAGES, 50)[0] == "Attention weighs."
    assert len(naps) == 2


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ProviderBusy),
        (b"data: [DONE]\n\n", ProviderBusy),
        (b"hello there", ProviderBusy),
        (sse({"choices": []}), ProviderBusy),
        (sse({"choices": None}, {"choices": 5}, {}, 5, "[]", "null", '"text"'), ProviderBusy),
        (sse({"choices": [5]}, {"choices": [{"delta": 7}]}, {"choices": [{"delta": {"content": 7}}]}), ProviderBusy),
        (sse(delta("", "stop")), ProviderBusy),
        (b"data: not json\n\n", ProviderRefused),
        (b"data: \xff\xfe\n\n", ProviderRefused),
    ],
)
def test_nonsense_says_nothing_usable(
    server: respx.MockRouter, chat: OpenAIChat, body: bytes, kind: type[ProviderError]
) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(body))
    error = failing(chat)
    assert type(error) is kind
    assert "sent nothing usable" in str(error)
    assert route.call_count <= 3


def test_a_web_page_points_at_the_address(server: respx.MockRouter, chat: OpenAIChat) -> None:
    server.post("/chat/completions").respond(200, html="<html>Welcome!</html>")
    error = failing(chat)
    assert isinstance(error, ProviderRefused)
    assert "sent nothing usable (a web page): check OPENAI_BASE_URL" in str(error)


@pytest.mark.parametrize(("finish", "words"), [("length", "READBACK_ANSWER_TOKENS"), ("content_filter", "filter")])
def test_an_empty_answer_says_why(server: respx.MockRouter, chat: OpenAIChat, finish: str, words: str) -> None:
    server.post("/chat/completions").mock(side_effect=answer(sse(delta(finish=finish))))
    assert words in str(failing(chat))


# keys and addresses


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("form", ["json", "text", "detail"])
def test_the_key_never_shows(
    server: respx.MockRouter, chat: OpenAIChat, caplog: pytest.LogCaptureFixture, status: int, form: str
) -> None:
    said = f"model: Bearer {KEY} and {KEY[:20]} and sk-other1234567 are wrong. " * 9
    content: dict[str, Any] = {"text": said} if form == "text" else {"json": {"detail": [{"msg": said}]}}
    response = refusal(status, said) if form == "json" else httpx.Response(status, **content)
    server.post("/chat/completions").mock(return_value=response)
    with caplog.at_level("DEBUG"):
        error = failing(chat)
    for text in (str(error), repr(error), repr(chat), repr(vars(chat)), caplog.text):
        assert KEY[:12] not in text
        assert "sk-other" not in text


def test_the_key_never_shows_in_a_broken_stream(server: respx.MockRouter, chat: OpenAIChat) -> None:
    server.post("/chat/completions").mock(side_effect=answer(sse({"error": {"message": f"bad key {KEY}"}})))
    assert "bad key ***" in str(failing(chat))


@pytest.mark.parametrize("key", ["sk-with space", "sk-naïve", "sk-tab\tinside", "sk-new\nline"])
def test_a_key_that_cannot_travel_is_refused_at_once_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY contains") as caught:
        OpenAIChat("m", SecretStr(key))
    assert "sk-" not in str(caught.value)


def test_spaces_around_a_key_do_no_harm(server: respx.MockRouter) -> None:
    route = server.post("/chat/completions").mock(side_effect=answer(GOOD))
    complete(OpenAIChat("m", SecretStr(f" {KEY}\n"), URL), MESSAGES, 9)
    assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"


def test_without_key_and_address_there_is_no_model() -> None:
    with pytest.raises(SettingsError, match="set OPENAI_API_KEY or OPENAI_BASE_URL"):
        OpenAIChat("gpt-4o-mini")


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://host:port/v1", "nonsense", "ftp://x/v1"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL is not an address"):
        OpenAIChat("m", base_url=url)


def test_a_password_in_the_address_never_shows(server: respx.MockRouter, caplog: pytest.LogCaptureFixture) -> None:
    route = server.post("/chat/completions").mock(return_value=refusal(400, "who is geheim99?"))
    chat = OpenAIChat("m", base_url="https://ann:geheim99@llm.example.org/v1")
    with caplog.at_level("DEBUG"):
        error = failing(chat)
    assert route.calls.last.request.headers["authorization"].startswith("Basic ")
    assert URL in str(error)
    assert "geheim99" not in str(error) + repr(chat) + caplog.text


def test_one_model_serves_many_threads(server: respx.MockRouter, chat: OpenAIChat) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        question = json.loads(request.content)["messages"][0]["content"]
        return answer(sse(delta(question), delta(finish="stop"), counted(1, 1)))(request)

    server.post("/chat/completions").mock(side_effect=echo)

    def ask(number: int) -> bool:
        return complete(chat, [{"role": "user", "content": f"question {number}"}], 9)[0] == f"question {number}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(100)))
