"""Servers to talk to: a mocked one for failures, a real one for everything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import respx
from pydantic import SecretStr

from rag.chat_model import OpenAIChat
from rag.embed.openai_embedder import OpenAIEmbedder
from tests.local_model import local_embedder, local_model

__all__ = ["local_embedder", "local_model"]  # fixtures

KEY = "sk-proj-Zq81nVxT0pWmLh37"
URL = "https://llm.example.org/v1"


def sse(*chunks: object, done: bool = True) -> bytes:
    """A stream of server-sent events, one for each chunk: a str as it is, all else as JSON."""
    lines = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]
    return "".join(f"data: {line}\n\n" for line in [*lines, *(["[DONE]"] if done else [])]).encode()


def delta(text: str | None = None, finish: str | None = None) -> dict[str, Any]:
    """One chunk of a chat completion."""
    return {"choices": [{"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}]}


def counted(prompt: int, completion: int) -> dict[str, Any]:
    """The chunk that carries the usage."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"choices": [], "usage": usage}


class Naps(list[float]):
    """Remembers the waits between tries instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def naps() -> Naps:
    """The waits that were asked for, in seconds."""
    return Naps()


@pytest.fixture
def server() -> Iterator[respx.MockRouter]:
    """A mocked server at URL; a request that no route expects fails the test."""
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router


@pytest.fixture
def chat(naps: Naps) -> OpenAIChat:
    """A chat model of the mocked server, with two further tries."""
    return OpenAIChat("test-model", SecretStr(KEY), URL, timeout_s=30, retries=2, sleep=naps)


@pytest.fixture
def make_embedder(naps: Naps) -> Callable[..., OpenAIEmbedder]:
    """Makes an embedder of the mocked server; keyword arguments as for the class."""

    def make(model: str = "test-embedder", **options: Any) -> OpenAIEmbedder:
        return OpenAIEmbedder(model, SecretStr(KEY), URL, timeout_s=30, sleep=naps, **options)

    return make
