"""Papers → entries: cut, embed and count words. Needs neither store, so it can be mapped over threads or machines.

LlamaIndex does the embedding of passages, and its Chroma adapter stores them: our embedder and passages in its terms.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import BaseNode, TextNode
from llama_index.vector_stores.chroma import ChromaVectorStore
from pydantic import PrivateAttr

from rag.index.chunk import passages_of
from rag.index.ports import Entry, Row, paper_key, passage_id
from rag.ports import Embedder, Vectors
from rag.text import content_words, sentences
from rag.tokens import count_tokens
from rag.types import Paper, Passage

if TYPE_CHECKING:
    from rag.index.vectors import StoredCollection

TITLE = 2  # times that a title counts in lexical search: its words say what a paper is about


class PortEmbedding(BaseEmbedding):
    """An Embedder as LlamaIndex sees it."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        """embedder: does the work; batches of any size are handed through whole."""
        super().__init__(model_name=embedder.name, embed_batch_size=2048)
        self._embedder = embedder

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts, "document").tolist()
        return vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        vector: list[float] = self._embedder.embed([query], "query")[0].tolist()
        return vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def make_entries(papers: Sequence[Paper], embedder: Embedder, chunk_tokens: int) -> list[Entry]:
    """What is to be stored of some papers. Raises ProviderError if the embedder's model cannot be reached."""
    cut = [passages_of(paper, chunk_tokens, count_tokens) for paper in papers]
    whole = [[span.of(paper.abstract) for span in sentences(paper.abstract)] for paper in papers]
    nodes = [_node(passage) for passages in cut for passage in passages]
    nodes += [TextNode(text=text) for texts in whole for text in texts]
    pipeline = IngestionPipeline(transformations=[PortEmbedding(embedder)], disable_cache=True)
    embedded = [node.embedding for node in pipeline.run(nodes=nodes)]
    found = np.asarray(embedded, dtype=np.float16).astype(np.float32)  # as the catalog keeps them
    ends = np.cumsum([*map(len, cut), *map(len, whole)])
    vectors = np.split(found.reshape(-1, embedder.dimension), ends[:-1])
    return [
        _entry(paper, passages, by_passage, by_sentence)
        for paper, passages, by_passage, by_sentence in zip(
            papers, cut, vectors[: len(papers)], vectors[len(papers) :], strict=True
        )
    ]


def store(collection: StoredCollection, rows: Sequence[Row], vectors: Vectors) -> None:
    """Put vectors into Chroma by LlamaIndex's adapter. The texts are in the catalog and are not stored twice."""
    nodes: list[BaseNode] = [
        TextNode(id_=passage_id(row), metadata={"paper": paper_key(row[0])}, embedding=vector.tolist())
        for row, vector in zip(rows, vectors, strict=True)
    ]
    ChromaVectorStore(chroma_collection=collection).add(nodes)


def _node(passage: Passage) -> TextNode:
    """A passage as a node. The title is embedded in front of the text."""
    return TextNode(
        text=passage.text,
        metadata={"title": passage.title},
        metadata_template="{value}",
        text_template="{metadata_str}\n{content}",
    )


def _entry(paper: Paper, passages: Sequence[Passage], by_passage: Vectors, by_sentence: Vectors) -> Entry:
    words = [content_words(" ".join([passage.title] * TITLE + [passage.text])) for passage in passages]
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for found in words:
        for stem, word in found:
            forms[stem][word] += 1
    return Entry(
        paper,
        tuple((passage.start, passage.end) for passage in passages),
        by_passage,
        by_sentence,
        tuple(Counter(stem for stem, _ in found) for found in words),
        {stem: min(counts, key=lambda word: (-counts[word], word)) for stem, counts in forms.items()},
    )
