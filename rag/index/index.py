"""Papers → the index: incremental, resumable, and atomic for everyone who searches meanwhile.

Three steps: plan what there is to do, embed it, commit it. Only the middle one is much work, and it needs no store.
"""

from __future__ import annotations

import json
import logging
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice

import numpy as np

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, IndexUnusable, SettingsError
from rag.index.catalog import Catalog
from rag.index.chunk import CHUNKER
from rag.index.faults import advice
from rag.index.ports import Entry, Manifest, Row
from rag.index.vectors import VectorsDamaged, VectorStore
from rag.ports import Embedder, Vectors
from rag.settings import Settings
from rag.types import Paper

log = logging.getLogger(__name__)
BATCH = 32  # papers embedded and stored at a time: what a crash can lose
CHECKPOINT = 2048  # papers between two commits: what a searcher may have to wait for
Progress = Callable[[int], None]  # told how many more papers are done


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one run changed, in papers."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    total: int = 0  # in the collection afterwards


@dataclass(frozen=True, slots=True)
class Plan:
    """What an update has to do."""

    edition: str  # what the entries belong to in the catalog
    collection: str  # where their vectors go
    papers: Sequence[Paper]  # to be embedded and stored
    resumed: int  # more papers, which an interrupted update has staged
    gone: Sequence[str]  # ids to be taken out
    fresh: bool  # the collection is to be made
    replaces: str  # the collection that a rebuild takes the place of, at once at the end; without one, in steps

    @property
    def empty(self) -> bool:
        """Whether the collection stays as it is."""
        return not (self.papers or self.resumed or self.gone or self.fresh)


class Index:
    """The collection on disk: what searching reads and indexing writes."""

    def __init__(self, settings: Settings, embedder: Embedder) -> None:
        """Opens nothing yet; safe to share between threads."""
        self._settings = settings
        self.embedder = embedder
        self.catalog = Catalog(settings.data_dir / "catalog.sqlite3")
        self.vectors = VectorStore.from_settings(settings)
        self._name = uuid.uuid4().hex  # a generation says which Index wrote it

    @property
    def wanted(self) -> Manifest:
        """What an index made with today's settings would say of itself."""
        return Manifest(
            self.embedder.name,
            self.embedder.dimension,
            f"{CHUNKER}/{self._settings.chunk_tokens} tokens, title in front",
        )

    def check(self) -> None:
        """Raise IndexMissing or IndexMismatch if searching now would find nothing or nonsense."""
        made = self.catalog.manifest()
        if made is None:
            raise IndexMissing("Nothing is indexed yet. Run: readback index")
        if made != self.wanted:
            raise IndexMismatch(
                f"The index does not fit the settings ({'; '.join(made.differences(self.wanted))}). "
                "Run: readback index --rebuild"
            )

    @property
    def collection_name(self) -> str:
        """The Chroma collection of the current generation."""
        return self.catalog.meta().get("collection", "")

    def update(
        self,
        papers: Sequence[Paper],
        *,
        prune: bool = False,
        rebuild: bool = False,
        sources: Sequence[str] = (),
        progress: Progress = lambda _: None,
    ) -> IndexReport:
        """Bring the collection up to date with these papers.

        Papers already there with the same text are left alone, changed ones replaced, others added. With prune, papers
        not among these are removed. With rebuild, everything is made anew with today's settings, also the papers that
        are in the collection but not among these. Raises IndexBusy if another indexer is at work, IndexMismatch if the
        index was made with other settings and rebuild is not asked for.
        """
        with self._writing():
            if rebuild:
                self._make_way()
            elif self.catalog.manifest() is not None:
                self.check()
                self._mend_vectors()
            given = {paper.id: paper for paper in papers}
            known = self.catalog.fingerprints(None if prune or rebuild else list(given))
            if rebuild and not prune:
                given = {paper.id: paper for paper in self.catalog.papers()} | given
            changed = [paper for paper in given.values() if known.get(paper.id) != paper.fingerprint]
            todo = list(given.values()) if rebuild else changed
            gone = [paper_id for paper_id in known if paper_id not in given] if prune else []
            progress(len(given) - len(todo))
            self._carry_out(self._plan(todo, gone, rebuild), sources, progress)
            return IndexReport(
                added=sum(paper.id not in known for paper in changed),
                changed=sum(paper.id in known for paper in changed),
                unchanged=len(given) - len(changed),
                removed=len(gone),
                total=self.catalog.size()[0],
            )

    def remove(self, paper_ids: Iterable[str]) -> int:
        """Take papers out of the collection; returns how many were there."""
        with self._writing():
            gone = list(self.catalog.fingerprints(list(dict.fromkeys(paper_ids))))
            if gone:
                self.check()
                self._carry_out(self._plan([], gone, False), (), lambda _: None)
            return len(gone)

    def mend(self, passages: int) -> None:
        """Make the embedded vectors anew if they cannot be searched, as after a kill while Chroma wrote its files.

        passages: how many there should be. Nothing is embedded for it: the catalog has the vectors too. Raises
        IndexBusy if an indexer is at work and the vectors cannot be searched.
        """
        interrupted = self._interrupted
        if not self.vectors.embedded:
            return  # only its operator can tell what is wrong with a server
        if not interrupted and not self._lost(passages):
            return
        try:
            with self._writing():
                self._mend_vectors()
                self._sweep()
        except IndexBusy:
            if not interrupted:
                raise
            log.debug("not interrupted: another indexer is still at work")

    def sources(self) -> list[str]:
        """The files named at the last run that named any."""
        return [str(source) for source in json.loads(self.catalog.meta().get("sources", "[]"))]

    def follow(self, writer: str) -> None:
        """Make the vectors that another Index wrote visible. writer: as the generation's facts name it."""
        if writer != self._name:
            self.vectors.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Be the only indexer, with the vectors in view as they are now."""
        from filelock import FileLock, Timeout

        path = self._settings.data_dir / "index.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"READBACK_DATA_DIR: {path.parent} cannot be made ({error.strerror}).") from error
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise IndexBusy(
                f"Another indexer is at work on {self._settings.data_dir}. Wait for it to finish, then run this again."
            ) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise IndexUnusable(f"{path} cannot be written ({reason}). {advice(reason)}") from error
        try:
            if not self.catalog.damaged():
                self.follow(self.catalog.meta().get("writer", "") if not self._interrupted else "")
            yield
        finally:
            lock.release()

    # plan

    def _plan(self, papers: Sequence[Paper], gone: Sequence[str], rebuild: bool) -> Plan:
        facts = self.catalog.meta()
        fresh = rebuild or "collection" not in facts
        collection = self._fresh_name(facts.get("collection", "")) if fresh else facts["collection"]
        edition = collection if fresh else facts["edition"]
        staged, wanted = self.catalog.staged(edition), {paper.id: paper.fingerprint for paper in papers}
        stale = [paper_id for paper_id, version in staged.items() if wanted.get(paper_id) != version]
        if stale or self._interrupted:
            self.catalog.discard(edition, stale)
        resumed = staged.keys() - set(stale)
        left = [paper for paper in papers if paper.id not in resumed]
        return Plan(edition, collection, left, len(resumed), gone, fresh, facts.get("collection", "") if fresh else "")

    def _fresh_name(self, current: str) -> str:
        """A rebuild has a collection of its own, so that the old one serves meanwhile; a retry has the same one."""
        owner = self.catalog.meta().get("owner")
        if owner is None:  # several data folders may share a Chroma server
            owner = uuid.uuid4().hex
            self.catalog.set_meta(owner=owner)
        digest = sha256(f"{self.wanted}\n{current}\n{owner}".encode()).hexdigest()[:8]
        return f"{self._settings.collection}-{digest}"

    # embed

    def _embedded(self, papers: Sequence[Paper]) -> Iterator[list[Entry]]:
        """Entries batch by batch; each batch is embedded while the one before it is being stored."""
        from rag.index.ingest import make_entries

        batches = [papers[start : start + BATCH] for start in range(0, len(papers), BATCH)]
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[list[Entry]] | None = None
            for batch in [*batches, []]:
                done, coming = coming, None
                if batch:
                    coming = ahead.submit(make_entries, batch, self.embedder, self._settings.chunk_tokens)
                if done:
                    yield done.result()

    # commit

    def _carry_out(self, plan: Plan, sources: Sequence[str], progress: Progress) -> None:
        named = {"sources": json.dumps(list(sources))} if sources else {}
        if plan.empty:
            if named:
                self.catalog.set_meta(**named)
        else:
            facts = {"manifest": json.dumps(asdict(self.wanted)), "collection": plan.collection, "writer": self._name}
            if plan.replaces:
                facts["replaced"] = plan.replaces
            if plan.fresh:
                self.vectors.make(plan.collection)  # over a killed run's, perhaps damaged: the catalog has its vectors
            if plan.resumed:
                self._store(plan.collection, self.catalog.vectors(plan.edition))
                progress(plan.resumed)
            stored = 0
            for entries in self._embedded(plan.papers):
                self.catalog.stage(plan.edition, entries, lambda words: self.embedder.embed(words, "document"))
                self._store(plan.collection, ((entry.rows, entry.passage_vectors) for entry in entries))
                progress(len(entries))
                stored += len(entries)
                if stored % CHECKPOINT < len(entries) and not plan.replaces:
                    self.catalog.commit(plan.edition, (), facts)
            self.catalog.commit(plan.edition, plan.gone, facts | named)
        self._sweep()

    def _store(self, collection: str, found: Iterable[tuple[Sequence[Row], Vectors]]) -> None:
        from rag.index.ingest import store

        waiting = iter(found)
        while part := list(islice(waiting, BATCH)):
            rows = [row for rows, _ in part for row in rows]
            store(self.vectors.collection(collection), rows, np.concatenate([vectors for _, vectors in part]))

    def _sweep(self) -> None:
        """Delete what the catalog no longer names: replaced passages, leftovers of killed runs, old collections."""
        if not self._interrupted:
            return
        facts = self.catalog.meta()
        name = facts["collection"]
        self.vectors.delete(name, self.catalog.litter(facts["edition"]))
        prefix = f"{self._settings.collection}-"
        for other in self.vectors.names():
            if other != name and (
                other == facts.get("replaced") or (self.vectors.embedded and other.startswith(prefix))
            ):
                self.vectors.drop(other)
        self.catalog.sweep()

    # damage

    @property
    def _interrupted(self) -> bool:
        """Whether a run has begun and not ended: it is still at work, or was killed."""
        return self.catalog.meta().get("unswept") == "yes"

    def _lost(self, passages: int) -> bool:
        """Whether the embedded vectors must be stored anew. Raises IndexUnusable if those on a server must be."""
        try:
            self.vectors.probe(self.collection_name, self.wanted.dimension, passages, thorough=self._interrupted)
        except VectorsDamaged as error:
            if not self.vectors.embedded:
                raise
            log.warning("storing the vectors anew: %s", error)
            return True
        return False

    def _mend_vectors(self) -> None:
        """Store the vectors of the collection anew, from the catalog, if they were lost."""
        if not self._lost(self.catalog.size()[1]):
            return
        self.vectors.close()
        if self.vectors.set_aside_if_damaged():
            log.warning("the vectors cannot be opened: they are set aside as *.damaged")
        facts = self.catalog.meta()
        name = self._fresh_name(facts["collection"])
        self.vectors.make(name)
        self._store(name, self.catalog.vectors())
        mended = {"collection": name, "replaced": facts["collection"], "writer": self._name}
        self.catalog.commit(facts["edition"], (), mended)

    def _make_way(self) -> None:
        """Before a rebuild: set aside what cannot be read, and bring over what an earlier version wrote."""
        if self.catalog.damaged():
            log.warning("the catalog cannot be read: it is set aside as *.damaged")
            self.catalog.set_aside()
        self.catalog.upgrade()
        if self.vectors.set_aside_if_damaged():
            log.warning("the vectors cannot be opened: they are set aside as *.damaged")
        for folder in ("lexical", "cache"):  # of the first schema
            shutil.rmtree(self._settings.data_dir / folder, ignore_errors=True)
