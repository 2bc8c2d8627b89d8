"""What the two ways of answering hand to verification."""

from __future__ import annotations

from dataclasses import dataclass

from rag.answer.evidence import PaperEvidence


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of one abstract: ``paper.abstract[start:end]``, whole sentences."""

    paper: PaperEvidence
    start: int
    end: int
    score: float  # in [0, 1]

    @property
    def text(self) -> str:
        """The quoted text."""
        return self.paper.paper.abstract[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer before it has markers: its text and the quotes that carry it."""

    text: str
    quotes: tuple[Quote, ...]
    support: float  # in [0, 1]
    lead: str = ""  # goes before the sentence: names the paper, or begins a paragraph or a list item
