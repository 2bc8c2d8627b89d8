"""Passage vectors in Chroma, embedded in the data folder or on a server chosen by URL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexUnusable
from rag.settings import Settings

T = TypeVar("T")
HNSW = {"space": "cosine", "ef_construction": 200, "max_neighbors": 32, "ef_search": 200}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One stored passage near a query vector."""

    paper_id: str
    fingerprint: str  # of the paper as it was when the vector was stored
    start: int
    end: int
    cosine: float


class VectorStore:
    """One Chroma collection at a time. Safe for many threads."""

    def __init__(self, path: Path, url: str | None) -> None:
        """path: the embedded store's folder, used when url is None."""
        self._path = path
        self._url = url
        self._lock = threading.Lock()  # a client may not be swapped under a running query
        self._client: Any = None

    @classmethod
    def from_settings(cls, settings: Settings) -> VectorStore:
        """The store that the settings name; nothing is opened yet."""
        return cls(settings.data_dir / "chroma", settings.chroma_url)

    @property
    def place(self) -> str:
        """Where the vectors are, for people to read."""
        return self._url or str(self._path)

    def reopen(self) -> None:
        """Forget what this process has read: an embedded client does not see another process's writes."""
        with self._lock:
            if self._client is not None and self._url is None:
                self._client.close()
                self._client = None

    close = reopen

    def collection(self, name: str) -> Any:
        """The Chroma collection of that name, created if missing; for the indexer."""
        return self._call(
            lambda client: client.get_or_create_collection(name, embedding_function=None, configuration={"hnsw": HNSW})
        )

    def drop(self, name: str) -> None:
        """Delete a whole collection, if there is one."""

        def delete(client: Any) -> None:
            if name in {collection.name for collection in client.list_collections()}:
                client.delete_collection(name)

        self._call(delete)

    def names(self) -> list[str]:
        """Names of all collections in the store."""
        return self._call(lambda client: [collection.name for collection in client.list_collections()])

    def count(self, name: str) -> int:
        """How many vectors a collection holds; 0 if there is no such collection."""
        return self._call(
            lambda client: (
                client.get_collection(name, embedding_function=None).count() if self._has(client, name) else 0
            )
        )

    def search(
        self,
        name: str,
        vector: NDArray[np.float32],
        k: int,
        *,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
    ) -> list[Neighbour]:
        """The k stored passages nearest to the vector, best first, from the paper ids that the filters allow."""
        clauses = []
        if include:
            clauses.append({"paper_id": {"$in": sorted(include)}})
        if exclude:
            clauses.append({"paper_id": {"$nin": sorted(exclude)}})
        where = clauses[0] if len(clauses) == 1 else {"$and": clauses} if clauses else None

        def query(client: Any) -> Any:
            if not self._has(client, name):
                raise IndexUnusable(f"The vectors are missing from {self.place}. Run: readback index --rebuild")
            collection = client.get_collection(name, embedding_function=None)
            size = collection.count()
            if size == 0:
                return None
            return collection.query(
                query_embeddings=vector[np.newaxis],
                n_results=min(k, size),
                where=where,
                include=["metadatas", "distances"],
            )

        found = self._call(query)
        if found is None:
            return []
        return [
            Neighbour(
                str(row["paper_id"]), str(row["fingerprint"]), int(row["start"]), int(row["end"]), 1.0 - float(distance)
            )
            for row, distance in zip(found["metadatas"][0], found["distances"][0], strict=True)
        ]

    @staticmethod
    def _has(client: Any, name: str) -> bool:
        from chromadb.errors import NotFoundError

        try:
            client.get_collection(name, embedding_function=None)
        except NotFoundError:
            return False
        return True

    def _call(self, work: Callable[[Any], T]) -> T:
        with self._lock:
            if self._client is None:
                self._client = self._open()
            try:
                return work(self._client)
            except (OSError, ValueError, RuntimeError) as error:
                raise self._unusable(error) from error
            except Exception as error:
                if type(error).__module__.startswith(("chromadb", "httpx", "httpcore")):
                    raise self._unusable(error) from error
                raise

    def _open(self) -> Any:
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        quiet = ChromaSettings(anonymized_telemetry=False)
        if self._url is None:
            self._path.mkdir(parents=True, exist_ok=True)
            return chromadb.PersistentClient(str(self._path), settings=quiet)
        parts = urlsplit(self._url)
        try:
            return chromadb.HttpClient(
                host=parts.hostname or "127.0.0.1",
                port=parts.port or (443 if parts.scheme == "https" else 80),
                ssl=parts.scheme == "https",
                settings=quiet,
            )
        except Exception as error:  # the client raises ValueError, httpx errors and its own, by version
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> IndexUnusable:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        advice = (
            "Is the Chroma server running? See READBACK_CHROMA_URL."
            if self._url
            else "If it stays so, run: readback index --rebuild"
        )
        return IndexUnusable(f"The vectors in {self.place} cannot be used ({reason}). {advice}")
