"""Papers → the index: incremental, resumable, and atomic for everyone who searches meanwhile.

LlamaIndex's ingestion pipeline cuts, embeds and stores passages; the catalog decides what is part of the collection.
"""

from __future__ import annotations

import json
import logging
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, IndexUnusable
from rag.index.catalog import Catalog, Change, Entry, Manifest
from rag.index.chunk import CHUNKER, passages_of
from rag.index.lexical import LexicalIndex
from rag.index.vectors import StoredCollection, VectorsDamaged, VectorStore
from rag.ports import Embedder
from rag.settings import Settings
from rag.text import sentences
from rag.tokens import count_tokens
from rag.types import Paper, Passage

if TYPE_CHECKING:
    from llama_index.core.ingestion import IngestionPipeline

log = logging.getLogger(__name__)
BATCH = 32  # papers embedded and stored at a time
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


class Index:
    """The collection on disk: what searching reads and indexing writes."""

    def __init__(self, settings: Settings, embedder: Embedder) -> None:
        """Opens nothing yet; safe to share between threads."""
        self._settings = settings
        self.embedder = embedder
        self.catalog = Catalog(settings.data_dir / "catalog.sqlite3")
        self.vectors = VectorStore.from_settings(settings)
        self._lexical_dir = settings.data_dir / "lexical"

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
        wanted = self.wanted
        if made == wanted:
            return
        differences = [
            f"{name}: the index has {mine!r}, the settings ask for {theirs!r}"
            for name, mine, theirs in zip(asdict(made), asdict(made).values(), asdict(wanted).values(), strict=True)
            if mine != theirs
        ]
        raise IndexMismatch(
            f"The index does not fit the settings ({'; '.join(differences)}). Run: readback index --rebuild"
        )

    @property
    def collection_name(self) -> str:
        """The Chroma collection of the current generation."""
        return self.catalog.meta().get("collection", "")

    def lexical_folder(self, generation: int) -> Any:
        """Where the lexical index of a generation lies."""
        return self._lexical_dir / str(generation)

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
        with self._writing() as vectors:
            if rebuild and self.catalog.damaged():
                log.warning("the catalog cannot be read: it is set aside as *.damaged")
                self.catalog.set_aside()
            if self.catalog.manifest() is not None and not rebuild:
                self.check()
                rebuild = self._lost(vectors, sum(1 for _ in self.catalog.passages()))
            if rebuild and vectors.set_aside_if_damaged():
                log.warning("the vectors cannot be opened: they are set aside as *.damaged")
            known = self.catalog.fingerprints()
            given = {paper.id: paper for paper in papers}
            if rebuild and not prune:
                given = {paper.id: paper for paper in self.catalog.papers()} | given
            todo = [paper for paper in given.values() if rebuild or known.get(paper.id) != paper.fingerprint]
            gone = [paper_id for paper_id in known if paper_id not in given] if prune else []
            progress(len(given) - len(todo))
            old_name, name = self.collection_name, self._name_for(rebuild)
            if name != old_name:
                vectors.drop(name)  # a killed run's, perhaps damaged; the cache has its vectors
            facts = {"manifest": json.dumps(asdict(self.wanted)), "collection": name}
            if sources:
                facts["sources"] = json.dumps(list(sources))
            self._write(vectors, todo, gone, facts, anew=rebuild, progress=progress)
            self._sweep(vectors, name, old_name)
            return IndexReport(
                added=sum(paper.id not in known for paper in todo),
                changed=sum(known.get(paper.id, paper.fingerprint) != paper.fingerprint for paper in todo),
                unchanged=len(given) - sum(known.get(paper.id) != paper.fingerprint for paper in given.values()),
                removed=len(gone),
                total=len(self.catalog.fingerprints()),
            )

    def mend(self, passages: int) -> None:
        """Make the embedded vectors anew if they cannot be searched, as after a kill while Chroma wrote its files.

        passages: how many vectors there should be. Raises IndexBusy if an indexer is at work.
        """
        if not self.vectors.embedded:
            return
        if self._interrupted:
            try:
                self.update([])
            except IndexBusy:
                log.debug("not interrupted: another indexer is still at work")
        elif self._lost(self.vectors, passages):
            self.vectors.reopen()
            self.update([])

    @property
    def _interrupted(self) -> bool:
        """Whether a run has begun and not ended: it is still at work, or was killed."""
        return self.catalog.meta().get("unswept") == "yes"

    def _lost(self, vectors: VectorStore, passages: int) -> bool:
        """Whether the vectors of the current generation must be made anew."""
        try:
            vectors.probe(self.collection_name, self.wanted.dimension, passages, thorough=self._interrupted)
        except VectorsDamaged as error:
            if not vectors.embedded:
                raise
            log.warning("making the vectors anew: %s", error)
            return True
        return False

    def remove(self, paper_ids: Iterable[str]) -> int:
        """Take papers out of the collection; returns how many were there."""
        with self._writing() as vectors:
            known = self.catalog.fingerprints()
            gone = [paper_id for paper_id in dict.fromkeys(paper_ids) if paper_id in known]
            if gone:
                self.check()
                self._write(vectors, [], gone, {}, anew=False, progress=lambda _: None)
                self._sweep(vectors, self.collection_name, self.collection_name)
            return len(gone)

    def sources(self) -> list[str]:
        """The files named at the last run that named any."""
        return [str(source) for source in json.loads(self.catalog.meta().get("sources", "[]"))]

    @contextmanager
    def _writing(self) -> Iterator[VectorStore]:
        """Be the only indexer, with a view of the vectors as they are now, which no searching thread closes."""
        from filelock import FileLock, Timeout

        path = self._settings.data_dir / "index.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise IndexBusy(
                f"Another indexer is at work on {self._settings.data_dir}. Wait for it to finish, then run this again."
            ) from error
        vectors = VectorStore.from_settings(self._settings)
        try:
            yield vectors
        finally:
            vectors.close()
            lock.release()

    def _name_for(self, rebuild: bool) -> str:
        """Each manifest has a collection of its own, and so has each rebuild, so that the old one serves meanwhile."""
        current = self.collection_name
        if current and not rebuild:
            return current
        owner = self.catalog.meta().get("owner")
        if owner is None:  # several data folders may share a Chroma server
            owner = uuid.uuid4().hex
            self.catalog.set_meta(owner=owner)
        digest = sha256(f"{self.wanted}\n{current if rebuild else ''}\n{owner}".encode()).hexdigest()[:8]
        return f"{self._settings.collection}-{digest}"

    def _write(
        self,
        vectors: VectorStore,
        todo: Sequence[Paper],
        gone: Sequence[str],
        facts: dict[str, str],
        *,
        anew: bool,
        progress: Progress,
    ) -> None:
        # a rebuild swaps the collection at the end, in one go; otherwise long runs become visible step by step
        step = len(todo) if anew else CHECKPOINT
        parts = [todo[start : start + step] for start in range(0, len(todo), max(step, 1))] or [[]]
        for number, part in enumerate(parts, start=1):
            last = number == len(parts)
            if not part and not gone and not anew and self.catalog.manifest() is not None:
                if "sources" in facts:
                    self.catalog.set_meta(sources=facts["sources"])
                return  # nothing else to do: leave the generation as it is
            if part:
                self.catalog.set_meta(unswept="yes")
            stored = vectors.collection(facts["collection"]) if part or anew else None
            entries = list(self._store(part, stored, progress)) if stored is not None else []
            with self.catalog.changing() as change:
                if anew:
                    change.clear()
                change.put(entries)
                if last:
                    change.remove(gone)
                self._finish(change, facts)

    def _finish(self, change: Change, facts: dict[str, str]) -> None:
        passages = change.passages()
        generation = change.commit_generation({**facts, "unswept": "yes"})
        # under the write lock: if the process dies now the transaction never happened and the folder is a leftover
        LexicalIndex.write(
            self.lexical_folder(generation), passages, lambda words: self.embedder.embed(words, "document")
        )

    def _store(self, papers: Sequence[Paper], collection: StoredCollection, progress: Progress) -> Iterator[Entry]:
        from rag.index.ingest import make_pipeline

        pipeline: IngestionPipeline = make_pipeline(collection, self.embedder)
        for start in range(0, len(papers), BATCH):
            batch = papers[start : start + BATCH]
            cut = [(paper, passages_of(paper, self._settings.chunk_tokens, count_tokens)) for paper in batch]
            run_pipeline(pipeline, cut)
            spans = [(paper, span.of(paper.abstract)) for paper in batch for span in sentences(paper.abstract)]
            vectors = self.embedder.embed([text for _, text in spans], "document")
            owners = np.asarray([paper.id for paper, _ in spans], dtype=object)
            for paper, passages in cut:
                yield Entry(paper, tuple((p.start, p.end) for p in passages), vectors[owners == paper.id])
            progress(len(batch))

    def _sweep(self, vectors: VectorStore, name: str, old_name: str) -> None:
        """Delete what the catalog no longer names: replaced passages, leftovers of killed runs, old generations."""
        if not self._interrupted:
            return
        kept = {passage_id(fingerprint, passage) for fingerprint, passage in self.catalog.passages()}
        collection = vectors.collection(name)
        stored = set(collection.ids())
        orphans = sorted(stored - kept)
        for start in range(0, len(orphans), 1000):
            collection.delete(orphans[start : start + 1000])
        if kept - stored:
            raise IndexUnusable(f"Vectors are missing from {vectors.place}. Run: readback index --rebuild")
        prefix = f"{self._settings.collection}-"
        for other in vectors.names():
            if other != name and (other == old_name or (vectors.embedded and other.startswith(prefix))):
                vectors.drop(other)
        current = str(self.catalog.generation())
        for folder in self._lexical_dir.iterdir():
            if folder.name != current:
                shutil.rmtree(folder, ignore_errors=True)
        self.catalog.set_meta(unswept="no")


def passage_id(fingerprint: str, passage: Passage) -> str:
    """The id in Chroma: another text or another chunking is another id, so versions of a paper never mix."""
    return f"{fingerprint}:{passage.key}"


def run_pipeline(pipeline: IngestionPipeline, cut: Sequence[tuple[Paper, Sequence[Passage]]]) -> None:
    """Embed and store the passages of some papers."""
    from rag.index.ingest import to_node

    nodes = [
        to_node(paper.fingerprint, passage, passage_id(paper.fingerprint, passage))
        for paper, passages in cut
        for passage in passages
    ]
    pipeline.run(nodes=nodes)
