"""The catalog: papers, passages, sentence vectors and words of the collection, in one SQLite file.

Vectors to be searched live in the passage store, but only what the catalog names is part of the collection. An update
stages new entries beside the old ones and then changes what is visible in one transaction, so a reader sees a paper as
it was or as it is. A killed update leaves staged entries, which the next one uses or deletes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.index.catalog_file import CatalogFile, among
from rag.index.ports import CatalogStore, Entry, GenerationGone, Listed, Manifest, Row, State, Word
from rag.index.schema import FROM_SCHEMA_1, LIVE, STAGED, TABLES, packed, packed_counts, paper_of, rows_of, unpacked
from rag.lru import Lru
from rag.ports import Vectors
from rag.types import Paper, Passage

REMEMBERED = 32 << 20  # bytes of papers and sentence vectors kept parsed in memory


class Catalog(CatalogFile, CatalogStore):
    """The catalog file. Reading is safe at any time from any thread or process; one process may write."""

    def __init__(self, path: Path) -> None:
        """path: the SQLite file; it is created at the first write."""
        super().__init__(path)
        # by id and fingerprint, so never stale
        self._read: Lru[tuple[str, str], tuple[Paper, Vectors]] = Lru(REMEMBERED)

    def upgrade(self) -> None:
        """Bring the papers of an earlier schema into today's tables, where a rebuild finds them."""
        if self._rows("SELECT 1 FROM sqlite_master WHERE name = 'paper'"):
            with self._writing() as db:
                for statement in (*TABLES, *FROM_SCHEMA_1):
                    db.execute(statement)

    def generation(self) -> int:
        """A number that grows with every commit; 0 before the first."""
        return int(dict(self._rows("SELECT key, value FROM meta WHERE key = 'generation'")).get("generation", 0))

    def meta(self) -> dict[str, str]:
        """The facts of the current generation: its manifest and the names of its parts."""
        return dict(self._rows("SELECT key, value FROM meta"))

    def manifest(self) -> Manifest | None:
        """What the current generation was made with; None before the first commit."""
        stored = self.meta().get("manifest")
        if not stored:
            return None
        facts = json.loads(stored)  # a later schema may say more, but its number alone makes it another manifest
        return Manifest(**{one.name: facts[one.name] for one in fields(Manifest) if one.name in facts})

    def state(self) -> State:
        """The facts of the current generation and the numbers of its entries, read at one moment."""
        with self._connect() as db:
            db.execute("BEGIN")
            facts = dict(db.execute("SELECT key, value FROM meta"))
            numbers = db.execute(f"SELECT number FROM entry WHERE {LIVE} ORDER BY position").fetchall()
        return State(facts, np.asarray(numbers, dtype=np.int64).reshape(-1))

    def size(self) -> tuple[int, int]:
        """How many papers and how many passages the collection holds."""
        rows = self._rows(f"SELECT count(*), coalesce(sum(parts), 0) FROM entry WHERE {LIVE}")
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def fingerprints(self, paper_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Paper id → fingerprint: of all papers, in the order in which they first came, or of some."""
        select = f"SELECT id, fingerprint FROM entry WHERE {LIVE}"
        if paper_ids is None:
            return dict(self._rows(f"{select} ORDER BY position"))
        return dict(self._among(f"{select} AND id IN", paper_ids))

    def papers(self) -> list[Paper]:
        """All papers, in the order in which they first came."""
        select = f"SELECT record, fingerprint FROM entry WHERE {LIVE} ORDER BY position"
        return [self._paper(record, version) for record, version in self._rows(select)]

    def paper(self, paper_id: str) -> Paper | None:
        """One paper, or None if the collection does not hold it."""
        found = self.some([paper_id])
        return found[paper_id][0] if found else None

    def some(self, paper_ids: Iterable[str]) -> dict[str, tuple[Paper, Vectors]]:
        """Paper and sentence vectors of those of the ids that the collection holds."""
        versions = self.fingerprints(list(dict.fromkeys(paper_ids)))
        found = {paper_id: self._read.get((paper_id, version)) for paper_id, version in versions.items()}
        missing = [paper_id for paper_id, held in found.items() if held is None]
        select = f"SELECT id, fingerprint, record, dimension, sentences FROM entry WHERE {LIVE} AND id IN"
        for paper_id, version, record, dimension, blob in self._among(select, missing):
            held = found[paper_id] = (self._paper(record, version), unpacked(blob, dimension))
            self._read.put((paper_id, version), held, len(record) + held[1].nbytes)
        return {paper_id: held for paper_id, held in found.items() if held is not None}

    def passages(self) -> Iterator[tuple[str, Passage]]:
        """(fingerprint of the paper, passage) of the whole collection, in order."""
        select = f"SELECT fingerprint, record, spans FROM entry WHERE {LIVE} ORDER BY position"
        for version, record, spans in self._rows(select):
            paper = self._paper(record, version)
            for start, end in json.loads(spans):
                yield version, Passage(paper.id, paper.title, start, paper.abstract[start:end])

    def listed(self, numbers: Sequence[int]) -> list[Listed]:
        """Entries by number. Raises GenerationGone if one of them has been deleted."""
        select = "SELECT number, id, fingerprint, spans, counts FROM entry WHERE number IN"
        try:
            found = [
                Listed(number, rows_of(*row), np.frombuffer(counts, dtype=np.int32).reshape(-1, 3))
                for number, *row, counts in self._among(select, numbers)
            ]
        except ValueError as error:
            raise self._damaged("the words of a paper are broken") from error
        if len(found) < len(numbers):
            raise GenerationGone
        return found

    def words(self, numbers: Sequence[int]) -> list[Word]:
        """Words in the order of their numbers given; those that can expand others have a vector."""
        found = {
            number: Word(number, stem, None if blob is None else np.frombuffer(blob, dtype=np.float16))
            for number, stem, blob in self._among("SELECT number, stem, vector FROM word WHERE number IN", numbers)
        }
        if len(found) < len(numbers):
            raise GenerationGone
        return [found[number] for number in numbers]

    def vectors(self, edition: str | None = None) -> Iterator[tuple[list[Row], Vectors]]:
        """Passages and their vectors, paper by paper: of the collection, or of what is staged for an edition."""
        which, values = (LIVE, []) if edition is None else (f"{STAGED} AND edition = ?", [edition])
        with self._connect() as db:
            select = f"SELECT dimension, passages, id, fingerprint, spans FROM entry WHERE {which}"
            for dimension, blob, *row in db.execute(select, values):
                yield rows_of(*row), unpacked(blob, dimension)

    def set_meta(self, **values: str) -> None:
        """Write facts that are not part of a generation."""
        with self._writing() as db:
            _set(db, values)

    def staged(self, edition: str) -> dict[str, str]:
        """Paper id → fingerprint of what is staged for an edition."""
        return dict(self._rows(f"SELECT id, fingerprint FROM entry WHERE {STAGED} AND edition = ?", edition))

    def stage(self, edition: str, entries: Sequence[Entry], embed_words: Callable[[Sequence[str]], Vectors]) -> None:
        """Write entries that no reader sees yet.

        embed_words: the vectors of words as they stand in text; called for words that are new to the edition.
        """
        forms = {stem: form for entry in entries for stem, form in entry.forms.items()}
        select = "SELECT stem, number FROM word WHERE edition = ? AND stem IN"
        numbers = dict(self._among(select, list(forms), edition)) if self.exists else {}
        new = [stem for stem in forms if stem not in numbers]
        lettered = [stem for stem in new if len(stem) > 2 and stem.isalpha()]
        vectors = dict(zip(lettered, embed_words([forms[stem] for stem in lettered]), strict=True)) if lettered else {}
        with self._writing() as db:
            for stem in new:
                row = (edition, stem, packed(vectors[stem]) if stem in vectors else None)
                numbers[stem] = db.execute("INSERT INTO word (edition, stem, vector) VALUES (?, ?, ?)", row).lastrowid
            db.executemany(
                """INSERT INTO entry (edition, id, fingerprint, parts, spans, counts, record, dimension, passages,
                   sentences) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                [
                    (
                        edition,
                        entry.paper.id,
                        entry.paper.fingerprint,
                        len(entry.spans),
                        json.dumps(entry.spans),
                        packed_counts(entry, numbers),
                        json.dumps(asdict(entry.paper), ensure_ascii=False),
                        entry.sentence_vectors.shape[1],
                        packed(entry.passage_vectors),
                        packed(entry.sentence_vectors),
                    )
                    for entry in entries
                ],
            )
            _set(db, {"unswept": "yes"})

    def discard(self, edition: str, paper_ids: Iterable[str]) -> None:
        """Give up what is staged for these papers, and for other editions."""
        with self._writing() as db:
            ending = f"UPDATE entry SET until = 0 WHERE {STAGED} AND"
            db.execute(f"{ending} edition != ?", [edition])
            db.executemany(f"{ending} edition = ? AND id = ?", [(edition, paper_id) for paper_id in paper_ids])

    def commit(self, edition: str, gone: Iterable[str], facts: Mapping[str, str]) -> int:
        """Make what is staged for an edition visible, take papers out, and return the new generation's number.

        What belongs to another edition ceases to be part of the collection.
        """
        with self._writing() as db:
            before = dict(db.execute("SELECT key, value FROM meta"))
            generation = int(before.get("generation", "0")) + 1
            staged = db.execute(f"SELECT id, number FROM entry WHERE {STAGED} AND edition = ?", [edition]).fetchall()
            places = dict(
                among(db, f"SELECT id, position FROM entry WHERE {LIVE} AND id IN", [one for one, _ in staged])
            )
            ending = f"UPDATE entry SET until = ? WHERE {LIVE} AND"
            if before.get("edition") != edition:
                db.execute(f"{ending} edition != ?", [generation, edition])
            out = [*gone, *(paper_id for paper_id, _ in staged)]
            db.executemany(f"{ending} id = ?", [(generation, paper_id) for paper_id in out])
            db.executemany(
                "UPDATE entry SET since = ?, position = ? WHERE number = ?",
                [(generation, places.get(paper_id, number), number) for paper_id, number in staged],
            )
            _set(db, {**facts, "edition": edition, "generation": str(generation), "unswept": "yes"})
            return generation

    def litter(self, edition: str) -> list[Row]:
        """Passages of an edition that are no longer, or never became, part of the collection."""
        select = "SELECT id, fingerprint, spans FROM entry WHERE until IS NOT NULL AND edition = ?"
        return [row for found in self._rows(select, edition) for row in rows_of(*found)]

    def sweep(self) -> None:
        """Delete the entries that are no longer part of the collection, and words that none is left to use.

        Nothing of them stays in the file, or in the log beside it.
        """
        with self._writing() as db:
            gone = _words(db, "until IS NOT NULL")
            for (counts,) in db.execute("SELECT counts FROM entry WHERE until IS NULL") if len(gone) else ():
                gone = np.setdiff1d(gone, _numbers(counts), assume_unique=True)
            db.executemany("DELETE FROM word WHERE number = ?", [(int(number),) for number in gone])
            swept = db.execute("DELETE FROM entry WHERE until IS NOT NULL").rowcount
            for (edition,) in db.execute(
                "SELECT min(edition) FROM word UNION SELECT max(edition) FROM word"
            ).fetchall():
                if not db.execute("SELECT 1 FROM entry WHERE edition = ? LIMIT 1", [edition]).fetchone():
                    db.execute("DELETE FROM word WHERE edition = ?", [edition])
            _set(db, {"unswept": "no"})
        if swept:
            self._rows("PRAGMA incremental_vacuum")
            self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def _paper(self, record: str, version: str) -> Paper:
        """A paper from its JSON. Raises IndexUnusable if it is not what was stored."""
        try:
            paper = paper_of(record)
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged("a record of a paper is broken") from error
        if paper.fingerprint != version:
            raise self._damaged("a record of a paper is not what was stored")
        return paper


def _words(db: sqlite3.Connection, which: str) -> NDArray[np.int32]:
    """Numbers of the words of some entries, each once. which: a condition."""
    found = [_numbers(counts) for (counts,) in db.execute(f"SELECT counts FROM entry WHERE {which}")]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int32)


def _numbers(counts: bytes) -> NDArray[np.int32]:
    return np.unique(np.frombuffer(counts, dtype=np.int32).reshape(-1, 3)[:, 1])


def _set(db: sqlite3.Connection, values: Mapping[str, str]) -> None:
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())
