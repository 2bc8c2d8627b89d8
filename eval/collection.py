"""The collection that is asked: an index of its own, so that a user's papers and lessons neither help nor suffer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from eval.provenance import corpus_hash, digest
from rag.collection import Collection
from rag.errors import IndexMismatch
from rag.settings import Settings
from rag.types import Paper


def prepare(
    settings: Settings, papers: Sequence[Paper], cache: Path, progress: Callable[[int], None] = lambda _: None
) -> Settings:
    """Index the papers in a folder of their own under the cache, and return settings that point there.

    The folder is named by all that decides the index, so nothing is embedded twice; an interrupted run goes on.
    """
    name = digest(corpus_hash(papers), settings.embed_model, str(settings.chunk_tokens))[:12]
    own = settings.model_copy(update={"data_dir": cache / name, "chroma_url": None, "collection": "evaluation"})
    collection = Collection.open(own)
    try:
        collection.index.update(papers, prune=True, progress=progress)
    except IndexMismatch:  # another version of the chunker or the embedder made it
        collection.index.update(papers, prune=True, rebuild=True, progress=progress)
    finally:
        collection.close()
    return own
