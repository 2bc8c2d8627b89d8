"""The same classes against a real server: streaming, counting, aborting, overflowing, many at once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag.chat_model import OpenAIChat, close_stream, complete, hit_limit
from rag.embed.openai_embedder import OpenAIEmbedder
from rag.errors import ContextTooLong, ProviderBusy, ProviderRefused
from rag.ports import Message
from rag.types import Usage
from tests.local_model import LocalModel, serve

LONG_STORY: list[Message] = [{"role": "user", "content": "Write a very long story about a lighthouse and the sea."}]


@pytest.fixture(scope="module")
def chat(local_model: LocalModel) -> OpenAIChat:
    """The real model, without a key."""
    return OpenAIChat(local_model.model, base_url=local_model.base_url)


@pytest.fixture(autouse=True)
def _idle_between_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "local_model" in request.fixturenames:
        model: LocalModel = request.getfixturevalue("local_model")
        assert model.wait_until_idle(20)


def test_text_streams_and_usage_is_the_server_s(chat: OpenAIChat) -> None:
    stream = chat.stream(LONG_STORY, max_tokens=24)
    *pieces, usage = list(stream)
    assert len(pieces) > 10  # piece by piece, not all at once
    assert all(isinstance(piece, str) for piece in pieces)
    assert isinstance(usage, Usage)
    assert usage.completion_tokens == 24
    assert 15 < usage.prompt_tokens < 80  # the question and the chat template
    assert usage.cost_usd == 0.0
    assert hit_limit(stream)


def test_the_first_piece_comes_before_the_last_one_is_written(chat: OpenAIChat, local_model: LocalModel) -> None:
    with chat.stream(LONG_STORY, max_tokens=400) as stream:
        next(stream)
        assert local_model.busy() == 1


def test_temperature_zero_gives_the_same_answer_twice(chat: OpenAIChat) -> None:
    assert complete(chat, LONG_STORY, 12)[0] == complete(chat, LONG_STORY, 12)[0]


def test_a_small_model_keeps_to_a_schema(chat: OpenAIChat) -> None:
    schema = {
        "type": "object",
        "properties": {"route": {"type": "string", "enum": ["answer", "chat"]}},
        "required": ["route"],
        "additionalProperties": False,
    }
    text, _ = complete(chat, LONG_STORY, 50, schema)
    assert json.loads(text)["route"] in ("answer", "chat")


def test_closing_ends_the_work_at_the_server(chat: OpenAIChat, local_model: LocalModel) -> None:
    before = local_model.tokens_written()
    stream = chat.stream(LONG_STORY, max_tokens=1500)  # 15 seconds or more of work
    assert len(list(itertools.islice(stream, 5))) == 5
    assert local_model.busy() == 1
    close_stream(stream)
    assert local_model.wait_until_idle(10)
    assert local_model.tokens_written() - before < 300
    assert complete(chat, LONG_STORY, 3)[0]


def test_dropping_a_stream_ends_the_work_too(chat: OpenAIChat, local_model: LocalModel) -> None:
    for _ in chat.stream(LONG_STORY, max_tokens=1500):
        break
    assert local_model.wait_until_idle(10)


def test_a_prompt_longer_than_the_context_is_told(chat: OpenAIChat, local_model: LocalModel) -> None:
    messages: list[Message] = [{"role": "user", "content": "sea " * local_model.context_tokens}]
    with pytest.raises(ContextTooLong, match=r"2048 tokens.*lower READBACK_CONTEXT_TOKENS"):
        complete(chat, messages, 10)


def test_an_answer_that_fills_the_context_ends_as_if_at_its_limit() -> None:
    with serve(n_parallel=1, n_ctx=256) as small:
        stream = OpenAIChat(small.model, base_url=small.base_url).stream(LONG_STORY * 9, max_tokens=10_000)
        *_, usage = stream
        assert isinstance(usage, Usage)
        assert usage.prompt_tokens + usage.completion_tokens <= 256 + 1
        assert hit_limit(stream)


def test_eight_threads_at_once(chat: OpenAIChat) -> None:
    def ask(number: int) -> Usage:
        return complete(chat, [{"role": "user", "content": f"Count from {number} to {number + 9}."}], 8)[1]

    with ThreadPoolExecutor(8) as pool:
        usages = list(pool.map(ask, range(8)))
    assert all(0 < usage.completion_tokens <= 8 for usage in usages)


def test_a_wrong_key_is_refused() -> None:
    with serve(api_keys=["right"], n_parallel=1, n_ctx=256) as guarded:
        chat = OpenAIChat(guarded.model, base_url=guarded.base_url)
        with pytest.raises(ProviderRefused, match="wants a key: set OPENAI_API_KEY"):
            complete(chat, LONG_STORY, 5)


def test_a_wrong_address_is_told(local_model: LocalModel) -> None:
    with pytest.raises(ProviderRefused, match="usually ends in /v1"):
        complete(OpenAIChat("m", base_url=f"{local_model.address}/elsewhere"), LONG_STORY, 5)


def test_a_server_that_is_gone_is_told() -> None:
    with serve(n_parallel=1, n_ctx=256) as short_lived:
        base_url = short_lived.base_url
    waits: list[float] = []
    with pytest.raises(ProviderBusy, match=f"No connection to the language model at {base_url}"):
        complete(OpenAIChat("m", base_url=base_url, sleep=waits.append), LONG_STORY, 5)
    assert len(waits) == 2


def test_a_chat_server_makes_no_vectors(local_model: LocalModel) -> None:
    with pytest.raises(ProviderRefused, match="does not support embeddings"):
        OpenAIEmbedder("m", base_url=local_model.base_url).embed(["text"], "document")


def test_real_vectors(local_embedder: LocalModel) -> None:
    embedder = OpenAIEmbedder(local_embedder.model, base_url=local_embedder.base_url)
    texts = ["Query rewriting for voice assistants.", "Photosynthesis in ferns."] * 2
    vectors = embedder.embed(texts, "document")
    assert vectors.shape == (4, embedder.dimension) == (4, 576)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert vectors[0] @ vectors[2] > 0.999 > vectors[0] @ vectors[1]


def test_a_text_too_long_for_the_real_server_is_averaged(local_embedder: LocalModel) -> None:
    embedder = OpenAIEmbedder(local_embedder.model, base_url=local_embedder.base_url)
    sea, both = "The sea is deep and blue. " * 30, "The sea is deep and blue. " * 60  # the server takes 256 tokens
    vectors = embedder.embed([sea, both, "short"], "document")
    assert vectors.shape == (3, 576)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
