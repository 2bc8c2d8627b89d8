"""Claims → the text, sentences and numbered citations of an Answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.answer.draft import Claim, Quote
from rag.types import Citation, Sentence


@dataclass(slots=True)
class Composer:
    """Grows an answer claim by claim, numbering quotes in the order in which they are first used.

    A quote that two sentences share has one marker. What ``add`` returns, joined, is ``text``.
    """

    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    text: str = ""
    _markers: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def add(self, claim: Claim, *, supported: bool = True, note: str = "") -> str:
        """Append a claim and return the piece of text that it adds. note: goes after the markers."""
        markers = tuple(dict.fromkeys(self._marker(quote) for quote in claim.quotes))
        body = claim.lead + claim.text + "".join(f" [{marker}]" for marker in markers) + note
        self.sentences.append(Sentence(body.strip(), markers, supported, round(claim.support, 4)))
        piece = self._joint(claim.lead) + body
        self.text += piece
        return piece

    def _joint(self, lead: str) -> str:
        if not self.text:
            return ""
        if "\n" in lead:
            return ""
        return "\n" if lead.startswith("- ") else "\n\n" if lead else " "

    def _marker(self, quote: Quote) -> int:
        paper = quote.paper.paper
        key = (paper.id, quote.start, quote.end)
        if key not in self._markers:
            self._markers[key] = len(self._markers) + 1
            self.citations.append(
                Citation(self._markers[key], paper.id, paper.title, quote.text, quote.start, quote.end, quote.score)
            )
        return self._markers[key]
