"""One index of the shipped papers for all tests that ask, and a language model that says what a test told it to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rag import Answer, Assistant, Settings, TextDelta, Usage
from rag.collection import Collection
from rag.errors import ProviderError
from rag.ports import ChatModel, Message
from rag.types import Options, StreamEvent, Turn

CTRL = "teaching-language-models-to-critique-2b4292"
TPRF = "tprf-a-transformer-based-pseudo-62a24d"
FINGPT = "fingpt-democratizing-internet-scale-data-2c794c"
ABOUT_CTRL = "How much do critics trained with reinforcement learning (CTRL) improve code generation?"
ABOUT_TPRF = "Which dense retrievers can the TPRF pseudo-relevance feedback model be used with?"
UNKNOWN = "What is the capital of Australia?"


def settings_in(data_dir: Path, **values: Any) -> Settings:
    """Settings that no environment and no .env has a part in. values: fields to set."""
    quiet: dict[str, Any] = {"openai_api_key": None, "openai_base_url": None, "_env_file": None}
    return Settings(**{**quiet, "data_dir": data_dir, **values})


def index_shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the shipped papers are indexed, made once in a run. Only for reading."""
    folder = tmp_path_factory.getbasetemp() / "shipped-papers"
    Assistant.open(settings_in(folder)).close()
    return folder


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the shipped papers are indexed."""
    return index_shipped(tmp_path_factory)


@pytest.fixture(scope="session")
def collection(shipped: Path) -> Iterator[Collection]:
    """The papers in it."""
    found = Collection.open(settings_in(shipped))
    yield found
    found.close()


@pytest.fixture(scope="session")
def assistant(shipped: Path, collection: Collection) -> Assistant:
    """Answers with quotes."""
    return Assistant(settings_in(shipped), collection)


class Reply(Iterator[str | Usage]):
    """One scripted answer as a stream that remembers how far it was read and whether it was closed."""

    def __init__(self, parts: Sequence[str | Exception], finish_reason: str) -> None:
        self._parts = iter([*parts, Usage(100, 20, 0.5)])
        self._ends = finish_reason
        self.finish_reason: str | None = None
        self.read = 0
        self.closed = False

    def __next__(self) -> str | Usage:
        part = next(self._parts)
        if isinstance(part, Exception):
            raise part
        self.read += 1
        if isinstance(part, Usage):
            self.finish_reason = self._ends
        return part

    def close(self) -> None:
        self.closed = True
        self._parts = iter(())


class Scripted:
    """A ChatModel that says what it was told, the last reply for ever, in pieces of a few characters."""

    name = "scripted"

    def __init__(self, *replies: str | Exception | list[str | Exception], finish_reason: str = "stop") -> None:
        """replies: a text, an error, or pieces of text and errors, in order."""
        self._replies = list(replies)
        self._finish_reason = finish_reason
        self.calls: list[list[Message]] = []
        self.limits: list[int] = []
        self.streams: list[Reply] = []

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Reply:
        self.calls.append(list(messages))
        self.limits.append(max_tokens)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, str):
            reply = [reply[start : start + 7] for start in range(0, len(reply), 7)]
        parts = reply if isinstance(reply, list) else [reply]
        self.streams.append(Reply(parts, self._finish_reason))
        return self.streams[-1]


def writing(assistant: Assistant, model: ChatModel, **values: Any) -> Assistant:
    """An assistant over the same papers whose answers this model writes. values: settings."""
    data_dir = assistant.settings.data_dir
    settings = settings_in(data_dir, **{"openai_base_url": "http://127.0.0.1:9/v1", "chat_model": "scripted", **values})
    return Assistant(settings, assistant.collection, lambda _settings, _name: model)


def written(
    assistant: Assistant,
    reply: str | list[str | Exception] | Exception,
    *,
    question: str = ABOUT_CTRL,
    papers: Sequence[str] = (CTRL, TPRF),
    finish_reason: str = "stop",
    **values: Any,
) -> Answer:
    """The checked answer to a question about some papers when the model says this."""
    model = Scripted(reply, finish_reason=finish_reason)
    answer = writing(assistant, model, **values).ask(question, options=Options(include=frozenset(papers)))
    check(answer, assistant)
    return answer


def passages(messages: Sequence[Message]) -> list[tuple[int, str]]:
    """(number, text) of every passage in a prompt, in order."""
    prompt = messages[-1]["content"]
    found = re.findall(r'<passage number="(\d+)">\n(.*?)\n</passage>', prompt, re.DOTALL)
    return [(int(number), text) for number, text in found]


def streamed(assistant: Assistant, question: str, history: Sequence[Turn] = ()) -> tuple[list[StreamEvent], Answer]:
    """All events of one answer, and the answer itself, which is the last."""
    events = list(assistant.stream(question, history))
    answer = events[-1]
    assert isinstance(answer, Answer)
    return events, answer


def deltas(events: Sequence[StreamEvent]) -> str:
    """What a reader has seen before the answer came."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def check(answer: Answer, assistant: Assistant) -> None:
    """What holds for every answer, whatever was asked and whoever wrote it."""
    for citation in (*answer.citations, *answer.closest):
        paper = assistant.paper(citation.paper_id)
        assert paper is not None
        assert paper.abstract[citation.start : citation.end] == citation.quote
        assert citation.quote.strip()
        assert citation.title == paper.title
        assert 0 <= citation.score <= 1
    in_text = list(dict.fromkeys(int(number) for number in re.findall(r"\[(\d+)\]", answer.text)))
    shown = answer.closest if answer.abstained else answer.citations
    assert in_text == list(dict.fromkeys(citation.marker for citation in shown)) == list(range(1, len(in_text) + 1))
    assert len({(one.marker, one.paper_id) for one in shown}) == len(in_text), "one number for each paper"
    assert {place for one in answer.sentences for place in answer.places_of(one)} == set(range(len(answer.citations)))
    used = {marker for sentence in answer.sentences for marker in sentence.citations}
    assert used == {citation.marker for citation in answer.citations}
    assert [paper.rank for paper in answer.retrieved] == list(range(1, len(answer.retrieved) + 1))
    assert len({paper.paper_id for paper in answer.retrieved}) == len(answer.retrieved)
    assert answer.abstained == (answer.abstain_reason is not None)
    assert answer.abstained == (not answer.sentences)
    assert answer.text.strip()
    for sentence in answer.sentences:
        assert sentence.text in answer.text
        assert sentence.supported == (sentence.state == "verified")
        assert sentence.state != "contradicted" or not sentence.citations
        assert sentence.citations or not sentence.supported or answer.mode == "generative"  # framing carries none
        assert 0 <= sentence.support <= 1
    assert 0 <= answer.confidence <= 1


def failing(error: ProviderError) -> Scripted:
    """A model that fails before its first word."""
    return Scripted([error])
