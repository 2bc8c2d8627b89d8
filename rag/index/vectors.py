"""Passage vectors in Chroma, embedded in the data folder or on a server chosen by URL.

Embedded Chroma is made for one process. Two things make it safe for several: a file lock, because a process that loads
the index files while another one writes them crashes, and clients that share nothing, because a client reads the files
once and does not see what others write later.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexUnusable
from rag.settings import Settings

T = TypeVar("T")
HNSW = {"space": "cosine", "ef_construction": 200, "max_neighbors": 32, "ef_search": 200}
CHECKED = 5000  # vectors looked at together
GATE_S = 120.0  # longest wait for another process's batch, seconds


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One stored passage near a query vector."""

    paper_id: str
    fingerprint: str  # of the paper as it was when the vector was stored
    start: int
    end: int
    cosine: float


class VectorsDamaged(IndexUnusable):
    """The embedded store has lost vectors or cannot be loaded; making it anew mends it."""


class VectorStore:
    """One Chroma collection at a time. Safe for many threads."""

    def __init__(self, path: Path, url: str | None) -> None:
        """path: the embedded store's folder, used when url is None."""
        self._path = path
        self._url = url
        self._lock = threading.Lock()  # a client may not be swapped under a running query
        self._client: Any = None
        self._spelling = -1
        self._loaded: set[str] = set()  # collections whose index files this client has read

    @classmethod
    def from_settings(cls, settings: Settings) -> VectorStore:
        """The store that the settings name; nothing is opened yet."""
        return cls(settings.data_dir / "chroma", settings.chroma_url)

    @property
    def place(self) -> str:
        """Where the vectors are, for people to read."""
        return self._url or str(self._path)

    @property
    def embedded(self) -> bool:
        """Whether the vectors are in the data folder."""
        return self._url is None

    def reopen(self) -> None:
        """Forget what this client has read: an embedded one does not see another process's writes."""
        with self._lock:
            if self._client is not None and self.embedded:
                self._client.close()
                self._client = None
                self._loaded.clear()
                _Spellings.give_back(self._path, self._spelling)

    close = reopen

    def collection(self, name: str) -> StoredCollection:
        """The Chroma collection of that name, created if missing; for the indexer."""
        self._call(
            lambda client: client.get_or_create_collection(name, embedding_function=None, configuration={"hnsw": HNSW}),
            gated=True,
        )
        return StoredCollection(self, name)

    def on(self, name: str, work: Callable[[Any], T]) -> T:
        """Do something to a collection while no other process reads or writes the files."""
        return self._call(lambda client: work(client.get_collection(name, embedding_function=None)), gated=True)

    def drop(self, name: str) -> None:
        """Delete a whole collection, if there is one."""

        def delete(client: Any) -> None:
            if name in {collection.name for collection in client.list_collections()}:
                client.delete_collection(name)

        self._call(delete, gated=True)

    def set_aside_if_damaged(self) -> bool:
        """Rename the embedded store's folder if it cannot even be opened; says whether it had to."""
        try:
            self.names()
        except VectorsDamaged:
            self.close()
            aside = self._path.with_name(f"{self._path.name}.damaged")
            shutil.rmtree(aside, ignore_errors=True)
            self._path.replace(aside)
            return True
        return False

    def names(self) -> list[str]:
        """Names of all collections in the store."""
        return self._call(lambda client: [collection.name for collection in client.list_collections()])

    def count(self, name: str) -> int:
        """How many vectors a collection holds; 0 if there is no such collection."""
        return self._call(
            lambda client: (
                client.get_collection(name, embedding_function=None).count() if self._has(client, name) else 0
            ),
            gated=True,
        )

    def probe(self, name: str, dimension: int, passages: int, *, thorough: bool = False) -> None:
        """Load a collection. Raises VectorsDamaged if it cannot be searched or holds less than so many vectors.

        thorough: look at every vector, because a killed process may have left a file half written.
        """
        self.search(name, np.full(dimension, dimension**-0.5, dtype=np.float32), 1)
        stored = self.count(name)
        if stored < passages:
            raise self._damaged(f"{passages - stored} of {passages} are missing")
        for offset in range(0, stored if thorough else 0, CHECKED):
            page: dict[str, Any] = {"include": ["embeddings"], "limit": CHECKED, "offset": offset}
            lengths = np.linalg.norm(self.on(name, partial(_embeddings, page)), axis=1)
            if not np.allclose(lengths, 1.0, atol=0.01):
                raise self._damaged("some are not what was stored")

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

        def query(client: Any) -> list[tuple[Any, float]]:
            if not self._has(client, name):
                raise self._damaged(f"there is no collection {name}")
            collection = client.get_collection(name, embedding_function=None)
            wanted = k
            while collection.count():
                found = collection.query(
                    query_embeddings=vector[np.newaxis],
                    n_results=wanted,
                    where=where,
                    include=["metadatas", "distances"],
                )
                rows = list(zip(found["metadatas"][0], found["distances"][0], strict=True))
                # what another process has deleted since this client read the files is found, but has no metadata
                alive = [row for row in rows if row[0] is not None]
                if len(alive) >= k or len(rows) < wanted:
                    return alive[:k]
                wanted *= 2
            return []

        found = self._call(query, loads=name)
        return [
            Neighbour(
                str(row["paper_id"]), str(row["fingerprint"]), int(row["start"]), int(row["end"]), 1.0 - float(distance)
            )
            for row, distance in found
        ]

    @staticmethod
    def _has(client: Any, name: str) -> bool:
        from chromadb.errors import NotFoundError

        try:
            client.get_collection(name, embedding_function=None)
        except NotFoundError:
            return False
        return True

    def _call(self, work: Callable[[Any], T], *, gated: bool = False, loads: str | None = None) -> T:
        """gated: alone with the files. loads: a collection whose files this reads, the first time."""
        with self._lock, self._gate(gated or self._client is None or (loads is not None and loads not in self._loaded)):
            if self._client is None:
                self._client = self._open()
            try:
                done = work(self._client)
                if loads is not None:
                    self._loaded.add(loads)
                return done
            except (OSError, ValueError, RuntimeError) as error:
                raise self._unusable(error) from error
            except Exception as error:
                if type(error).__module__.startswith(("chromadb", "httpx", "httpcore")):
                    raise self._unusable(error) from error
                raise

    @contextmanager
    def _gate(self, closed: bool) -> Iterator[None]:
        """Keep other processes from the files meanwhile; a server does that by itself."""
        if not closed or not self.embedded:
            yield
            return
        from filelock import FileLock, Timeout

        self._path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path.with_name(f"{self._path.name}.lock"))
        try:
            lock.acquire(timeout=GATE_S, poll_interval=0.01)
        except Timeout as error:
            raise IndexUnusable(f"{self.place} is being written to. Try again in a minute.") from error
        try:
            yield
        finally:
            lock.release()

    def _open(self) -> Any:
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        quiet = ChromaSettings(anonymized_telemetry=False)
        if self._url is None:
            self._spelling = _Spellings.take(self._path)
            try:
                return chromadb.PersistentClient(str(self._path) + "/." * self._spelling, settings=quiet)
            except Exception as error:  # Chroma keeps the broken client under this spelling, so it stays taken
                raise self._unusable(error) from error
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
        if self.embedded:
            return self._damaged(reason)
        return IndexUnusable(
            f"The vectors in {self.place} cannot be used ({reason}). "
            "Is the Chroma server running? See READBACK_CHROMA_URL."
        )

    def _damaged(self, reason: str) -> IndexUnusable:
        return VectorsDamaged(f"The vectors in {self.place} cannot be used ({reason}). Run: readback index --rebuild")


def _embeddings(page: dict[str, Any], collection: Any) -> NDArray[np.float32]:
    return np.asarray(collection.get(**page)["embeddings"], dtype=np.float32)


class StoredCollection:
    """A Chroma collection as LlamaIndex and the indexer use it: each call alone with the files, errors made ours."""

    def __init__(self, store: VectorStore, name: str) -> None:
        """name: of a collection that exists."""
        self._store = store
        self._name = name

    def add(self, **rows: Any) -> None:
        """Store vectors; those whose ids are there already are left alone."""
        self._store.on(self._name, lambda collection: collection.add(**rows))

    def ids(self) -> list[str]:
        """Ids of all that is stored."""
        return [str(one) for one in self._store.on(self._name, lambda collection: collection.get(include=[])["ids"])]

    def delete(self, ids: list[str]) -> None:
        """Delete vectors by id."""
        self._store.on(self._name, lambda collection: collection.delete(ids=ids))


class _Spellings:
    """Chroma shares what it has read between all clients of one path in a process, for as long as any of them is open.

    So each store spells its path in its own way: "chroma", "chroma/.", "chroma/./." and so on.
    """

    _taken: ClassVar[dict[Path, set[int]]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def take(cls, path: Path) -> int:
        with cls._lock:
            taken = cls._taken.setdefault(path, set())
            spelling = next(number for number in range(len(taken) + 1) if number not in taken)
            taken.add(spelling)
            return spelling

    @classmethod
    def give_back(cls, path: Path, spelling: int) -> None:
        with cls._lock:
            cls._taken.get(path, set()).discard(spelling)
