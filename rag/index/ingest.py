"""Passages through LlamaIndex's ingestion pipeline: our embedder and our Chroma collection in its terms."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.vector_stores.chroma import ChromaVectorStore
from pydantic import PrivateAttr

from rag.ports import Embedder
from rag.types import Passage


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


def make_pipeline(collection: Any, embedder: Embedder) -> IngestionPipeline:
    """Embed, then store in the Chroma collection. No cache of its own: ours is on disk and knows the model."""
    return IngestionPipeline(
        transformations=[PortEmbedding(embedder)],
        vector_store=ChromaVectorStore(chroma_collection=collection),
        disable_cache=True,
    )


def to_node(fingerprint: str, passage: Passage, node_id: str) -> TextNode:
    """A passage as a node. The title is embedded in front of the text; the other metadata is not embedded."""
    where = {"paper_id": passage.paper_id, "fingerprint": fingerprint, "start": passage.start, "end": passage.end}
    return TextNode(
        id_=node_id,
        text=passage.text,
        metadata={"title": passage.title, **where},
        excluded_embed_metadata_keys=list(where),
        metadata_template="{value}",
        text_template="{metadata_str}\n{content}",
    )
