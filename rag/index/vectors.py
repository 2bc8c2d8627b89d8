"""Passage vectors in Chroma, embedded in the data folder or on a server chosen by URL.

Embedded Chroma is made for one process. Two things make it safe for several: a file lock, because a process that loads
the index files while another one writes them crashes, and stores that share nothing, because a client reads the files
once and does not see what other processes write later. Within a process many threads read and write at once.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import methodcaller
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexUnusable
from rag.index.faults import advice
from rag.index.ports import PassageStore, Row, paper_key, passage_id
from rag.settings import Settings

T = TypeVar("T")
HNSW = {"space": "cosine", "ef_construction": 200, "max_neighbors": 32, "ef_search": 200}
PAGE = 5000  # vectors checked or deleted together
GATE_S = 120.0  # longest wait for another process's batch, seconds
# in Chroma's messages: what may be gone at the next try, such as too few file handles, no space, no permission, a lock
PASSING = ("(os error 24)", "(os error 28)", "(os error 13)", "unable to open database", "database is locked", "disk")


class VectorsDamaged(IndexUnusable):
    """The embedded store has lost vectors or cannot be loaded; making it anew mends it."""


class VectorStore(PassageStore):
    """Chroma as a PassageStore."""

    def __init__(self, path: Path, url: str | None) -> None:
        """path: the embedded store's folder, used when url is None."""
        self._path = path
        self._url = url
        self._turns = _Turns()  # the client may not be swapped under a running call
        self._client: Any = None
        self._spelling = -1
        self._loaded: dict[str, Any] = {}  # collections by name, once this client has read their index files

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

    def close(self) -> None:
        """Forget what this client has read: an embedded one does not see another process's writes."""
        with self._turns.alone():
            self._loaded.clear()
            if self._client is not None and self.embedded:
                self._client.close()
                self._client = None
                _Spellings.give_back(self._path, self._spelling)

    def make(self, name: str) -> None:
        """Make an empty collection; whatever has its name is dropped."""
        self.drop(name)
        self._write(
            lambda client: client.create_collection(name, embedding_function=None, configuration={"hnsw": HNSW})
        )

    def collection(self, name: str) -> StoredCollection:
        """A collection as LlamaIndex's vector store takes it."""
        return StoredCollection(self, name)

    def delete(self, name: str, rows: Sequence[Row]) -> None:
        """Delete vectors; those that are not there are no error."""
        for start in range(0, len(rows), PAGE):
            ids = [passage_id(row) for row in rows[start : start + PAGE]]
            self.on(name, methodcaller("delete", ids=ids))

    def on(self, name: str, work: Callable[[Any], T]) -> T:
        """Do something to a collection while no other process reads or writes the files."""
        return self._write(lambda client: work(client.get_collection(name, embedding_function=None)))

    def drop(self, name: str) -> None:
        """Delete a whole collection, if there is one."""
        if name in self.names():
            self._write(lambda client: client.delete_collection(name))
        self._loaded.pop(name, None)

    def names(self) -> list[str]:
        """Names of all collections in the store."""
        return self._write(lambda client: [collection.name for collection in client.list_collections()])

    def count(self, name: str) -> int:
        """How many vectors a collection holds; 0 if there is no such collection."""
        return int(self.on(name, methodcaller("count"))) if name in self.names() else 0

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

    def probe(self, name: str, dimension: int, passages: int, *, thorough: bool = False) -> None:
        """Load a collection. Raises VectorsDamaged if it cannot be searched or holds fewer vectors than expected.

        thorough: look at every vector, because a killed process may have left a file half written.
        """
        for found, _ in self._query(name, np.full(dimension, dimension**-0.5, dtype=np.float32), 1, None):
            if ":" in found:
                raise self._damaged("they are those of an earlier version")
        stored = int(self.on(name, methodcaller("count")))
        if stored < passages:
            raise self._damaged(f"{passages - stored} of {passages} are missing")
        for offset in range(0, stored if thorough else 0, PAGE):
            page = self.on(name, methodcaller("get", include=["embeddings"], limit=PAGE, offset=offset))
            if not np.allclose(np.linalg.norm(page["embeddings"], axis=1), 1.0, atol=0.01):
                raise self._damaged("some are not what was stored")

    def search(
        self,
        name: str,
        vector: NDArray[np.float32],
        k: int,
        committed: Mapping[str, Row],
        *,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
    ) -> list[tuple[Row, float]]:
        """The k committed passages nearest to the vector, with their cosines, best first.

        committed: passage id → row. What is stored but not in there is never returned, and displaces nothing: more is
        asked for until k committed ones are found. include, exclude: paper ids.
        """
        clauses: list[dict[str, Any]] = []
        if include:
            clauses.append({"paper": {"$in": sorted(map(paper_key, include))}})
        if exclude:
            clauses.append({"paper": {"$nin": sorted(map(paper_key, exclude))}})
        where = {"$and": clauses} if len(clauses) > 1 else clauses[0] if clauses else None
        wanted = k if committed else 0
        found: list[tuple[Row, float]] = []
        while wanted:
            near = self._query(name, vector, wanted, where)
            found = [(committed[one], 1.0 - distance) for one, distance in near if one in committed]
            if len(found) >= k or len(near) < wanted:
                break
            wanted *= 2
        return found[:k]

    def _query(
        self, name: str, vector: NDArray[np.float32], k: int, where: dict[str, Any] | None
    ) -> list[tuple[str, float]]:
        def query(collection: Any) -> list[tuple[str, float]]:
            found = collection.query(
                query_embeddings=vector[np.newaxis], n_results=k, where=where, include=["distances"]
            )
            return list(zip(found["ids"][0], map(float, found["distances"][0]), strict=True))

        with self._errors():
            with self._turns.shared():
                if name in self._loaded:
                    return query(self._loaded[name])
            with self._turns.alone(), self._gate():  # the first query reads the index files
                self._open()
                collection = self._client.get_collection(name, embedding_function=None)
                found = query(collection)
                self._loaded[name] = collection
                return found

    def _write(self, work: Callable[[Any], T]) -> T:
        """Do something while no other process reads or writes the files."""
        with self._errors():
            while True:
                with self._turns.shared():
                    if self._client is not None:
                        with self._gate():
                            return work(self._client)
                with self._turns.alone(), self._gate():
                    self._open()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Whatever Chroma raises becomes IndexUnusable; VectorsDamaged only where trying again cannot help."""
        try:
            yield
        except IndexUnusable:
            raise
        except Exception as error:
            foreign = type(error).__module__.startswith(("chromadb", "httpx", "httpcore"))
            if not foreign and not isinstance(error, OSError | ValueError | RuntimeError):
                raise
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            if not self.embedded:
                if type(error).__name__ == "NotFoundError":
                    raise self._damaged(reason) from error
                raise IndexUnusable(
                    f"The vectors in {self.place} cannot be used ({reason}). "
                    "Is the Chroma server running? See READBACK_CHROMA_URL."
                ) from error
            if isinstance(error, OSError) or any(sign in str(error).casefold() for sign in PASSING):
                raise IndexUnusable(
                    f"The vectors in {self.place} cannot be used now ({reason}). {advice(reason)}"
                ) from error
            raise self._damaged(reason) from error

    @contextmanager
    def _gate(self) -> Iterator[None]:
        """Keep other processes from the files meanwhile; a server does that by itself."""
        if not self.embedded:
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

    def _open(self) -> None:
        if self._client is not None:
            return
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        quiet = ChromaSettings(anonymized_telemetry=False)
        if self._url is None:
            # where opening fails, Chroma keeps the broken client under this spelling, so it stays taken
            self._spelling = _Spellings.take(self._path)
            self._client = chromadb.PersistentClient(str(self._path) + "/." * self._spelling, settings=quiet)
        else:
            parts = urlsplit(self._url)
            self._client = chromadb.HttpClient(
                host=parts.hostname or "127.0.0.1",
                port=parts.port or (443 if parts.scheme == "https" else 80),
                ssl=parts.scheme == "https",
                settings=quiet,
            )

    def _damaged(self, reason: str) -> IndexUnusable:
        return VectorsDamaged(f"The vectors in {self.place} cannot be used ({reason}). Run: readback index --rebuild")


class StoredCollection:
    """A Chroma collection as LlamaIndex and the indexer use it: each call alone with the files, errors made ours."""

    def __init__(self, store: VectorStore, name: str) -> None:
        """name: of a collection that exists."""
        self._store = store
        self._name = name

    def add(self, **rows: Any) -> None:
        """Store vectors; those whose ids are there already are left alone."""
        self._store.on(self._name, methodcaller("add", **rows))


class _Turns:
    """Many share, or one is alone; who waits to be alone is not kept waiting by newcomers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = self._waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:  # held throughout, so that nobody can begin to share
            self._waiting += 1
            self._changed.wait_for(lambda: not self._sharing)
            self._waiting -= 1
            self._changed.notify_all()
            yield


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
