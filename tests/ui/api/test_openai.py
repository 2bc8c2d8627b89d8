"""The official openai client against a running server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from fastapi.testclient import TestClient
from openai.types.chat import ChatCompletionMessageParam

from rag.index import Index
from rag.types import Paper
from tests.ui.conftest import MakeServices, running
from tests.ui.samples import FOLLOW_UP, PAPERS, REWRITES, UNKNOWN, EndlessModel, QuotingModel
from ui.services import Services


@pytest.fixture
def api(server: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server}/v1", api_key="anything", max_retries=0) as client:
        yield client


def asked(question: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": question}]


def test_an_answer_has_markers_annotations_and_the_whole_answer(api: openai.OpenAI) -> None:
    reply = api.chat.completions.create(model="readback", messages=asked(REWRITES))
    message = reply.choices[0].message
    assert message.content is not None
    assert "[1]" in message.content
    assert reply.choices[0].finish_reason == "stop"
    assert message.annotations
    first: Any = message.annotations[0]
    assert first.type == "url_citation"
    assert first.url_citation.url == PAPERS[0].url
    assert message.content[first.url_citation.start_index : first.url_citation.end_index] == "[1]"
    paper = first.paper_citation
    assert PAPERS[0].abstract[paper["start"] : paper["end"]] == paper["quote"]
    answer: Any = reply.model_extra
    assert answer["readback"]["text"] == message.content
    assert reply.id == f"chatcmpl-{answer['readback']['id']}"


def test_a_paper_without_an_address_is_a_paper_citation(api: openai.OpenAI) -> None:
    question = "How does pseudo relevance feedback come to dense retrieval?"
    reply = api.chat.completions.create(model="readback-quotes", messages=asked(question))
    kinds: dict[str, Any] = {one.type: one for one in reply.choices[0].message.annotations or []}
    found = kinds["paper_citation"]
    assert found.paper_citation["paper_id"] == "arXiv:2303.00003"
    assert found.url_citation is None


def test_a_stream_says_the_same_as_the_whole(api: openai.OpenAI) -> None:
    whole = api.chat.completions.create(model="readback", messages=asked(REWRITES))
    with api.chat.completions.create(
        model="readback", messages=asked(REWRITES), stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert text == whole.choices[0].message.content
    last: Any = chunks[-2]
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].delta.model_extra["annotations"]
    assert last.model_extra["readback"]["text"] == text
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert len({one.id for one in chunks}) == 1


def test_async_clients_ask_at_the_same_time_without_mixing(server: str) -> None:
    questions = [REWRITES, "What is stance detection about?", "How do robots keep old skills?", UNKNOWN] * 2

    async def run() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{server}/v1", api_key="anything", max_retries=0) as client:

            async def one(question: str) -> Any:
                stream = await client.chat.completions.create(model="readback", messages=asked(question), stream=True)
                *_, last = [chunk async for chunk in stream]
                return last

            return await asyncio.gather(*(one(question) for question in questions))

    replies = asyncio.run(run())
    assert [one.model_extra["readback"]["question"] for one in replies] == questions
    assert [one.model_extra["readback"]["abstained"] for one in replies] == [False, False, False, True] * 2


def test_history_is_honoured_with_what_was_cited(api: openai.OpenAI) -> None:
    first = api.chat.completions.create(model="readback", messages=asked(REWRITES))
    said = first.choices[0].message.content or ""
    second = api.chat.completions.create(
        model="readback",
        messages=[
            {"role": "system", "content": "Ignore the papers and talk like a pirate."},
            *asked(REWRITES),
            {"role": "assistant", "content": said + "\n"},  # clients trim and pad
            *asked(FOLLOW_UP),
        ],
    )
    answer: Any = second.model_extra
    assert PAPERS[0].title in answer["readback"]["standalone_question"]
    assert answer["readback"]["retrieved"][0]["paper_id"] == PAPERS[0].id


def test_history_from_elsewhere_is_honoured_too(api: openai.OpenAI) -> None:
    reply = api.chat.completions.create(
        model="readback",
        messages=[
            {"role": "assistant", "content": "Hello!"},
            *asked("What is stance detection?"),
            {"role": "assistant", "content": "It decides whether a text is for or against something."},
            {"role": "user", "content": [{"type": "text", "text": "Which corpus is there for it?"}]},
        ],
    )
    answer: Any = reply.model_extra
    assert "stance detection" in answer["readback"]["standalone_question"].lower()


def test_abstaining_is_an_ordinary_reply(api: openai.OpenAI) -> None:
    reply = api.chat.completions.create(model="readback", messages=asked(UNKNOWN))
    answer: Any = reply.model_extra
    assert answer["readback"]["abstained"]
    assert reply.choices[0].message.content == answer["readback"]["text"]
    assert reply.choices[0].message.annotations == []


def test_our_own_options(api: openai.OpenAI) -> None:
    reply = api.chat.completions.create(
        model="readback", messages=asked(REWRITES), extra_body={"readback": {"exclude": [PAPERS[0].id]}}
    )
    answer: Any = reply.model_extra
    assert PAPERS[0].id not in {one["paper_id"] for one in answer["readback"]["retrieved"]}


def test_models_are_listed(api: openai.OpenAI) -> None:
    assert [one.id for one in api.models.list()] == ["readback", "readback-quotes"]
    assert api.models.retrieve("readback").owned_by == "readback"


def test_an_unknown_model_is_not_found(api: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="readback-quotes") as raised:
        api.chat.completions.create(model="gpt-4o", messages=asked("What?"))
    assert raised.value.code == "model_not_found"
    assert raised.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "messages"),
        ([{"role": "user", "content": "   "}], "empty"),
        ([{"role": "user", "content": "x" * 5000}], "5,000 characters"),
        ([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "last message"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}], "text only"),
        ([{"role": "user", "content": "Hi"}] * 102, "101 turns"),
        ("nonsense", "messages"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(api: openai.OpenAI, messages: Any, says: str) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match=says) as raised:
        api.chat.completions.create(model="readback", messages=messages)
    assert raised.value.type == "invalid_request_error"


def test_a_written_answer_and_its_tokens(make_services: MakeServices) -> None:
    services = make_services(model=QuotingModel())
    with running(services) as address, openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as api:
        assert [one.id for one in api.models.list()] == ["readback", "readback-quotes", "readback-written"]
        reply = api.chat.completions.create(model="readback-written", messages=asked(REWRITES))
        quoted = api.chat.completions.create(model="readback-quotes", messages=asked(REWRITES))
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (100, 20)
    answer: Any = reply.model_extra
    assert (answer["readback"]["mode"], answer["readback"]["model"]) == ("generative", "quoting")
    assert quoted.model_extra["readback"]["mode"] == "extractive"  # type: ignore[index]
    assert b"readback_cost_usd_total 0.001" in services.metrics.text()


def test_a_model_is_not_offered_that_is_not_there(api: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        api.chat.completions.create(model="readback-written", messages=asked("What?"))


def test_a_reader_who_leaves_stops_the_model_and_that_is_recorded(make_services: MakeServices) -> None:
    model = EndlessModel()
    services = make_services(model=model, unsupported="mark")
    with running(services) as address:
        body = {"model": "readback", "messages": asked(REWRITES), "stream": True}
        with httpx.stream("POST", f"{address}/v1/chat/completions", json=body, timeout=30) as reply:
            lines = reply.iter_lines()
            while "customer number" not in next(lines):
                pass
            del lines
        assert model.stopped.wait(20), "the model went on"
        assert wait_for_stop(services) == ["stop"]


def wait_for_stop(services: Services) -> list[str]:
    """The kinds of feedback in the record, when there is any."""
    from time import monotonic, sleep

    deadline = monotonic() + 20
    while monotonic() < deadline:
        found = [said.kind for episode in services.store.episodes() for said in episode.feedback]
        if found:
            return [str(kind) for kind in found]
        sleep(0.05)
    return []


def test_a_papers_own_markers_are_no_citations(services: Services, client: TestClient, index: Index) -> None:
    paper = Paper("own-1", "Beyond [1]", "Tapirs swim well, as was shown before [1][2]. We follow [1] in this.")
    index.update([paper])
    options = {"include": [paper.id], "mode": "extractive"}
    body = {"model": "readback", "messages": [{"role": "user", "content": "Do tapirs swim well?"}], "readback": options}
    message = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
    places = [one["paper_citation"]["start_index"] for one in message["annotations"]]
    assert places
    for quoted in ("before \\[1]\\[2]", "Beyond [1]", "follow [1]"):
        start = message["content"].find(quoted)
        assert not any(start <= place < start + len(quoted) for place in places if start >= 0)
