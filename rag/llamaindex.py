"""A LlamaIndex face: Readback as a retriever and as a query engine of an application that uses LlamaIndex.

    from rag import Assistant
    from rag.llamaindex import ReadbackQueryEngine, ReadbackRetriever

    assistant = Assistant.open()
    response = ReadbackQueryEngine(assistant).query("How can a critic be trained without human supervision?")
    nodes = ReadbackRetriever(assistant, papers=5).retrieve("critics for code generation")

The application's own LLM and embedding model, and LlamaIndex's global Settings, are neither used nor changed. Importing
this module imports llama_index.core, which takes a second; nothing else in Readback's start does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import RESPONSE_TYPE, AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from rag.engine import DEFAULT, Assistant
from rag.told import Told
from rag.types import Answer, Citation, Options, Paper, TextDelta

__all__ = ["ReadbackQueryEngine", "ReadbackRetriever"]

_FOR_MACHINES = ["paper_id", "start", "end", "marker"]  # metadata that neither an LLM nor an embedder should read


class ReadbackRetriever(BaseRetriever):
    """Finds papers for LlamaIndex: one node per paper, best first, holding its best passage or its whole abstract.

    A node's metadata has ``paper_id``, ``title``, ``start`` and ``end`` (``abstract[start:end]`` is the node's text),
    and ``authors``, ``year`` and ``url`` where they are known. Scores are comparable within one result only.
    """

    def __init__(
        self,
        assistant: Assistant,
        papers: int = 10,
        *,
        options: Options = DEFAULT,
        whole_abstracts: bool = False,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        """papers: maximum number of nodes. options: include and exclude limit the papers. Raises ValueError."""
        if papers < 1:
            raise ValueError("papers must be at least 1")
        self._assistant = assistant
        self._papers = papers
        self._options = options
        self._whole = whole_abstracts
        super().__init__(callback_manager=callback_manager)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._assistant.search(query_bundle.query_str, self._papers, self._options)
        nodes = []
        for one in found:
            paper, passage = one.paper, one.hit.passage
            start, end = (0, len(paper.abstract)) if self._whole else (passage.start, passage.end)
            nodes.append(_node(paper, start, end, one.hit.score))
        return nodes

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class ReadbackQueryEngine(BaseQueryEngine):
    """Answers for LlamaIndex. ``response.source_nodes`` are the exact quotes of the answer's citations, in order.

    ``response.metadata`` has the whole Answer under ``answer``, as the JSON object of ``readback ask --json``, and
    ``abstained``. An answer that abstains has no source nodes; its closest evidence is in the Answer.
    """

    def __init__(
        self,
        assistant: Assistant,
        *,
        options: Options = DEFAULT,
        streaming: bool = False,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        """streaming: query() gives a StreamingResponse, whose sources and metadata are filled in when it has ended."""
        self._assistant = assistant
        self._options = options
        self._streaming = streaming
        super().__init__(callback_manager=callback_manager)

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The papers that an answer would be made from; no answer is made."""
        return ReadbackRetriever(
            self._assistant, options=self._options, callback_manager=self.callback_manager
        ).retrieve(query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        question = query_bundle.query_str
        with self.callback_manager.event(CBEventType.QUERY, payload={EventPayload.QUERY_STR: question}) as event:
            response: Response | StreamingResponse
            if self._streaming:
                response = StreamingResponse(response_gen=_no_text(), metadata={})
                response.response_gen = self._pieces(question, response)
            else:
                answer = self._assistant.ask(question, options=self._options)
                response = Response(answer.text, self._sources(answer), _metadata(answer))
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        question = query_bundle.query_str
        with self.callback_manager.event(CBEventType.QUERY, payload={EventPayload.QUERY_STR: question}) as event:
            response: Response | AsyncStreamingResponse
            if self._streaming:
                response = AsyncStreamingResponse(response_gen=_no_text_async(), metadata={})
                response.response_gen = self._pieces_async(question, response)
            else:
                answer = await asyncio.to_thread(self._assistant.ask, question, (), self._options)
                response = Response(answer.text, self._sources(answer), _metadata(answer))
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    def _pieces(
        self, question: str, response: StreamingResponse | AsyncStreamingResponse
    ) -> Generator[str, None, None]:
        """Text as it comes; at the end the response gets its sources and metadata."""
        told = Told()
        events = self._assistant.stream(question, options=self._options)
        with closing(events):  # type: ignore[type-var]  # it is a generator
            for event in events:
                told.hear(event)
                if isinstance(event, TextDelta):
                    yield event.text
                elif isinstance(event, Answer):
                    response.source_nodes = self._sources(event)
                    response.metadata = _metadata(event)
                    if rest := told.rest(event):
                        yield rest

    async def _pieces_async(
        self, question: str, response: StreamingResponse | AsyncStreamingResponse
    ) -> AsyncGenerator[str, None]:
        pieces = self._pieces(question, response)
        try:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece
        finally:
            pieces.close()

    def _sources(self, answer: Answer) -> list[NodeWithScore]:
        nodes = []
        for citation in answer.citations:
            paper = self._assistant.paper(citation.paper_id) or _known(citation)
            node = _node(paper, citation.start, citation.end, citation.score, text=citation.quote)
            node.node.metadata["marker"] = citation.marker
            nodes.append(node)
        return nodes


def _node(paper: Paper, start: int, end: int, score: float, *, text: str | None = None) -> NodeWithScore:
    details = {"authors": "; ".join(paper.authors), "year": paper.year, "url": paper.url}
    node = TextNode(
        id_=f"{paper.id}:{start}-{end}",
        text=paper.abstract[start:end] if text is None else text,
        start_char_idx=start,
        end_char_idx=end,
        metadata={
            "paper_id": paper.id,
            "title": paper.title,
            "start": start,
            "end": end,
            **{name: value for name, value in details.items() if value},
        },
        excluded_embed_metadata_keys=_FOR_MACHINES,
        excluded_llm_metadata_keys=_FOR_MACHINES,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=paper.id)},
    )
    return NodeWithScore(node=node, score=score)


def _known(citation: Citation) -> Paper:
    """What a citation tells of a paper that was removed a moment ago."""
    return Paper(citation.paper_id, citation.title, "")


def _metadata(answer: Answer) -> dict[str, Any]:
    return {"answer": answer.to_dict(), "abstained": answer.abstained}


def _no_text() -> Generator[str, None, None]:
    yield from ()


async def _no_text_async() -> AsyncGenerator[str, None]:
    return
    yield ""  # what makes it a generator
