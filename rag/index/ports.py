"""The stores of the collection: what indexing and searching ask of each, whatever product keeps it.

The catalog is the truth: a passage is part of the collection if the catalog says so. The passage store holds vectors by
passage id and may hold more than the catalog names; the lexical index is read off the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.ports import Vectors
from rag.types import Paper

SCHEMA = 2
Row = tuple[str, str, int, int]  # a passage: paper id, fingerprint of the paper, start, end


class GenerationGone(Exception):
    """What was being read has been replaced; there is a newer generation to read."""


def passage_id(row: Row) -> str:
    """The id of a passage's vector: another text or another chunking is another id, so versions never mix.

    A digest, as that of a paper is: Chroma keeps traces of what was deleted, and nobody shall read there what it was.
    """
    paper_id, fingerprint, start, end = row
    return sha256(f"{fingerprint}:{start}:{end}:{paper_id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def paper_key(paper_id: str) -> str:
    """What a vector says of the paper that it is from."""
    return sha256(paper_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that decides whether an index fits the settings."""

    embedder: str
    dimension: int
    chunking: str
    schema: int = SCHEMA

    def differences(self, wanted: Manifest) -> list[str]:
        """What another manifest says differently, for people to read."""
        return [
            f"{name}: the index has {mine!r}, the settings ask for {theirs!r}"
            for name, mine, theirs in zip(asdict(self), asdict(self).values(), asdict(wanted).values(), strict=True)
            if mine != theirs
        ]


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper, ready to be stored: all that embedding and counting words found out about it."""

    paper: Paper
    spans: tuple[tuple[int, int], ...]  # the passages, as offsets into the abstract
    passage_vectors: Vectors  # [number of passages, dimension], rows of unit length
    sentence_vectors: Vectors  # [number of sentences, dimension], rows of unit length
    words: tuple[Mapping[str, int], ...]  # of each passage with its title: stem → how often
    forms: Mapping[str, str]  # stem → the word as it stands most often

    @property
    def rows(self) -> list[Row]:
        """The passages in order."""
        return [(self.paper.id, self.paper.fingerprint, start, end) for start, end in self.spans]


@dataclass(frozen=True, slots=True)
class State:
    """The facts of one generation and the numbers of its entries, read at one moment."""

    facts: Mapping[str, str]
    entries: NDArray[np.int64]

    @property
    def generation(self) -> int:
        """A number that grows with every commit; 0 before the first."""
        return int(self.facts.get("generation", "0"))

    @property
    def edition(self) -> str:
        """What was made with the same settings: a rebuild makes another one."""
        return self.facts.get("edition", "")


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry as the lexical index reads it."""

    number: int
    rows: Sequence[Row]
    counts: NDArray[np.int32]  # [postings, 3]: place among the rows, number of the word, how often


@dataclass(frozen=True, slots=True)
class Word:
    """One stem of the vocabulary."""

    number: int
    stem: str
    vector: NDArray[np.float16] | None  # of the word as it stands; None for what cannot expand others


class PassageStore(Protocol):
    """Passage vectors by id, in collections; it may hold more than the catalog names. Safe for threads."""

    @property
    def place(self) -> str:
        """Where the vectors are, for people to read."""
        ...

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

        committed: passage id → row; what is stored but not in there is never returned, and displaces nothing.
        include, exclude: paper ids. Raises IndexUnusable.
        """
        ...

    def delete(self, name: str, rows: Sequence[Row]) -> None:
        """Delete vectors; those that are not there are no error."""
        ...

    def names(self) -> list[str]:
        """Names of all collections in the store."""
        ...

    def count(self, name: str) -> int:
        """How many vectors a collection holds; 0 if there is no such collection."""
        ...

    def drop(self, name: str) -> None:
        """Delete a whole collection, if there is one."""
        ...

    def close(self) -> None:
        """Let go of files and connections; the next call opens them again."""
        ...


class CatalogStore(Protocol):
    """What the collection holds: papers, their passages, sentence vectors and words. Safe for threads and processes.

    One process at a time writes. Entries are staged while an update is at work, and become visible together when it
    commits.
    """

    def generation(self) -> int:
        """A number that grows with every commit; 0 before the first."""
        ...

    def state(self) -> State:
        """The facts of the current generation and the numbers of its entries, read at one moment."""
        ...

    def listed(self, numbers: Sequence[int]) -> list[Listed]:
        """Entries by number. Raises GenerationGone if one of them has been deleted."""
        ...

    def words(self, numbers: Sequence[int]) -> list[Word]:
        """Words by number, in that order. Raises GenerationGone if one of them has been deleted."""
        ...

    def some(self, paper_ids: Iterable[str]) -> dict[str, tuple[Paper, Vectors]]:
        """Paper and sentence vectors of those of the ids that the collection holds."""
        ...

    def fingerprints(self, paper_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Paper id → fingerprint: of all papers, in the order in which they first came, or of some."""
        ...

    def papers(self) -> list[Paper]:
        """All papers, in the order in which they first came."""
        ...

    def staged(self, edition: str) -> dict[str, str]:
        """Paper id → fingerprint of what is staged for an edition."""
        ...

    def stage(self, edition: str, entries: Sequence[Entry], embed_words: Callable[[Sequence[str]], Vectors]) -> None:
        """Write entries that no reader sees yet."""
        ...

    def commit(self, edition: str, gone: Iterable[str], facts: Mapping[str, str]) -> int:
        """Make what is staged for an edition visible, take papers out, and return the new generation's number."""
        ...

    def litter(self, edition: str) -> list[Row]:
        """Passages of an edition that are no longer, or never became, part of the collection."""
        ...

    def sweep(self) -> None:
        """Delete the entries that are no longer part of the collection."""
        ...
