"""Readback inside an application that uses LlamaIndex."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from llama_index.core import Settings as GlobalSettings
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import MetadataMode, NodeRelationship, QueryBundle

from rag import Assistant
from rag.errors import ProviderBusy
from rag.llamaindex import ReadbackQueryEngine, ReadbackRetriever
from rag.told import TAKEN_BACK
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, CTRL, TPRF, UNKNOWN, Scripted, writing


@pytest.fixture(autouse=True)
def _global_settings_untouched() -> Iterator[None]:
    before = dict(vars(GlobalSettings))
    yield
    after = {name: value for name, value in vars(GlobalSettings).items() if name not in ("_prompt_helper",)}
    assert all(before.get(name) is value for name, value in after.items())
    assert GlobalSettings._llm is None
    assert GlobalSettings._embed_model is None


def test_a_node_is_an_exact_span_of_its_paper(assistant: Assistant) -> None:
    nodes = ReadbackRetriever(assistant, papers=7).retrieve(ABOUT_TPRF)
    assert len(nodes) == 7
    assert nodes[0].node.metadata["paper_id"] == TPRF
    scores = [node.get_score() for node in nodes]
    assert scores == sorted(scores, reverse=True)
    for found in nodes:
        data = found.node.metadata
        paper = assistant.paper(data["paper_id"])
        assert paper is not None
        assert paper.abstract[data["start"] : data["end"]] == found.text
        assert data["title"] == paper.title
        assert found.node.relationships[NodeRelationship.SOURCE].node_id == paper.id  # type: ignore[union-attr]
        assert "paper_id" not in found.node.get_content(MetadataMode.LLM)
        assert paper.title in found.node.get_content(MetadataMode.LLM)
    assert len({found.node.node_id for found in nodes}) == 7


def test_node_ids_are_the_same_every_time(assistant: Assistant) -> None:
    retriever = ReadbackRetriever(assistant)
    first, again = retriever.retrieve(ABOUT_CTRL), retriever.retrieve(QueryBundle(ABOUT_CTRL))
    assert [one.node.node_id for one in first] == [one.node.node_id for one in again]


def test_whole_abstracts_and_options(assistant: Assistant) -> None:
    options = Options(exclude=frozenset({TPRF}))
    nodes = ReadbackRetriever(assistant, 3, options=options, whole_abstracts=True).retrieve(ABOUT_TPRF)
    assert TPRF not in {one.node.metadata["paper_id"] for one in nodes}
    for one in nodes:
        paper = assistant.paper(one.node.metadata["paper_id"])
        assert paper is not None
        assert one.text == paper.abstract


def test_nothing_is_found_for_no_question(assistant: Assistant) -> None:
    assert ReadbackRetriever(assistant).retrieve("") == []
    with pytest.raises(ValueError, match="at least 1"):
        ReadbackRetriever(assistant, papers=0)


def test_retrieving_in_an_event_loop(assistant: Assistant) -> None:
    async def both() -> tuple[list[str], list[str]]:
        retriever = ReadbackRetriever(assistant, 5)
        one, other = await asyncio.gather(retriever.aretrieve(ABOUT_TPRF), retriever.aretrieve(ABOUT_CTRL))
        return [found.node.metadata["paper_id"] for found in one], [found.node.metadata["paper_id"] for found in other]

    one, other = asyncio.run(both())
    assert (one[0], other[0]) == (TPRF, CTRL)


def test_it_plugs_into_llamaindex_s_own_query_engine(assistant: Assistant) -> None:
    llm = MockLLM(max_tokens=50)
    synthesizer = get_response_synthesizer(llm=llm, callback_manager=CallbackManager())
    engine = RetrieverQueryEngine(ReadbackRetriever(assistant, papers=2), response_synthesizer=synthesizer)
    response = engine.query(ABOUT_TPRF)
    assert response.source_nodes[0].node.metadata["paper_id"] == TPRF
    assert len(response.source_nodes) == 2
    assert str(response)


def test_an_answer_s_sources_are_its_quotes(assistant: Assistant) -> None:
    response = ReadbackQueryEngine(assistant).query(ABOUT_CTRL)
    assert isinstance(response, Response)
    assert response.metadata is not None
    answer = response.metadata["answer"]
    assert str(response) == answer["text"]
    assert response.metadata["abstained"] is False
    assert json.loads(json.dumps(answer))["question"] == ABOUT_CTRL
    found = [(one.text, one.node.metadata["marker"], one.node.metadata["start"]) for one in response.source_nodes]
    assert found == [(one["quote"], one["marker"], one["start"]) for one in answer["citations"]]
    assert response.get_formatted_sources()


def test_an_abstention_has_no_sources(assistant: Assistant) -> None:
    response = ReadbackQueryEngine(assistant).query(UNKNOWN)
    assert response.source_nodes == []
    assert response.metadata is not None
    assert response.metadata["abstained"] is True


def test_asking_in_an_event_loop(assistant: Assistant) -> None:
    engine = ReadbackQueryEngine(assistant, options=Options(papers=1))
    response = asyncio.run(engine.aquery(QueryBundle(ABOUT_TPRF)))
    assert str(response) == str(engine.query(ABOUT_TPRF))
    assert {one.node.metadata["paper_id"] for one in response.source_nodes} == {TPRF}


def test_streaming_gives_text_first_and_sources_at_the_end(assistant: Assistant) -> None:
    response = ReadbackQueryEngine(assistant, streaming=True).query(ABOUT_CTRL)
    assert isinstance(response, StreamingResponse)
    assert response.source_nodes == []
    pieces = list(response.response_gen)
    assert response.metadata is not None
    assert "".join(pieces) == response.metadata["answer"]["text"]
    assert response.source_nodes


def test_a_streamed_abstention_says_so(assistant: Assistant) -> None:
    response = ReadbackQueryEngine(assistant, streaming=True).query(UNKNOWN)
    assert str(response) == assistant.ask(UNKNOWN).text


def test_streaming_in_an_event_loop(assistant: Assistant) -> None:
    async def read() -> tuple[str, AsyncStreamingResponse]:
        response = await ReadbackQueryEngine(assistant, streaming=True).aquery(ABOUT_TPRF)
        assert isinstance(response, AsyncStreamingResponse)
        return "".join([piece async for piece in response.async_response_gen()]), response

    text, response = asyncio.run(read())
    assert text == assistant.ask(ABOUT_TPRF).text
    assert response.source_nodes


def test_what_was_streamed_and_taken_back_is_said_to_be(assistant: Assistant) -> None:
    model = Scripted(["Critics enhance the weather in Paris [1]. And", ProviderBusy("Cut off.")])
    response = ReadbackQueryEngine(writing(assistant, model), streaming=True).query(ABOUT_CTRL)
    shown, _, final = str(response).partition(TAKEN_BACK)
    assert shown.startswith("Critics enhance the weather in Paris.")
    assert response.metadata is not None
    assert final == response.metadata["answer"]["text"]


def test_leaving_a_stream_ends_the_model_s_work(assistant: Assistant) -> None:
    model = Scripted("Critics trained with CTRL significantly enhance pass rates [1]. " * 2)
    response = ReadbackQueryEngine(writing(assistant, model), streaming=True).query(ABOUT_CTRL)
    assert isinstance(response, StreamingResponse)
    next(response.response_gen)
    response.response_gen.close()
    assert model.streams[0].closed


def test_callbacks_of_the_application_are_called(assistant: Assistant) -> None:
    debug = LlamaDebugHandler(print_trace_on_end=False)
    manager = CallbackManager([debug])
    engine = ReadbackQueryEngine(assistant, callback_manager=manager)
    engine.query(ABOUT_TPRF)
    assert len(debug.get_event_pairs(CBEventType.QUERY)) == 1
    nodes = engine.retrieve(QueryBundle(ABOUT_TPRF))
    assert nodes[0].node.metadata["paper_id"] == TPRF
    assert len(debug.get_event_pairs(CBEventType.RETRIEVE)) == 1


def test_neither_has_prompts_to_change(assistant: Assistant) -> None:
    assert ReadbackRetriever(assistant).get_prompts() == {}
    assert ReadbackQueryEngine(assistant).get_prompts() == {}
