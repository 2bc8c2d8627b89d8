"""What a verifier takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rag.ports import Vectors
from rag.text import Span
from rag.types import Paper
from rag.values.evidence import Quote

State = Literal["verified", "unchecked", "contradicted"]
Kind = Literal["claim", "framing", "instruction"]


@dataclass(frozen=True, slots=True)
class Source:
    """One paper that a draft was made from."""

    paper: Paper
    spans: tuple[Span, ...]  # of the abstract's sentences, in order
    vectors: Vectors  # [sentences, dimension], rows of unit length


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking one drafted sentence came to.

    A claim is *verified* if its quotes say it, *contradicted* if they say something else or it adds what no abstract
    holds, and *unchecked* if neither can be shown. Framing ("Two approaches are described:") states nothing about the
    papers: it is verified, without quotes. An instruction addresses the reader, carries a link or markup, or does what
    an abstract tells the model to do: it is contradicted, and nobody should be shown it.
    """

    text: str  # the sentence without its markers
    state: State
    quotes: tuple[Quote, ...]  # best first; of a claim that is not verified: what comes closest
    support: float  # how surely the quotes say it, in [0, 1]
    why: str  # for people; empty if verified
    kind: Kind = "claim"


class Verifier(Protocol):
    """Judges drafted sentences by the abstracts that they were drafted from."""

    def verify(self, sentences: Sequence[str], sources: Sequence[Source]) -> list[Verdict]:
        """One verdict a sentence, in their order; a whole draft at once, or as much of it as is there.

        sentences: with their [n] markers, which are hints only. sources: numbered from 1, as the model saw them.
        """
        ...
