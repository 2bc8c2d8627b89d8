"""Claims → the text, sentences, numbered citations and emphasis of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.types import Citation, Emphasis, Sentence, TextDelta, Verdict
from rag.values.evidence import Body, Claim, Quote

ROW = "| "  # the lead of a table's row, which closes with a bar as well


@dataclass(slots=True)
class Composer:
    """Grows an answer claim by claim, numbering papers in the order in which they are first used.

    All quotes of a paper share its number. What ``say`` and ``add`` return, joined, is ``text``.
    """

    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    emphasis: list[Emphasis] = field(default_factory=list)
    text: str = ""
    _numbers: dict[str, int] = field(default_factory=dict)  # paper id → marker
    _places: dict[tuple[str, int, int], int] = field(default_factory=dict)  # a quote → its place in the citations

    def say(self, words: str) -> str:
        """Append a paragraph that claims nothing about a paper, and return the piece of text that it adds."""
        piece = f"\n\n{words}" if self.text else words
        self.text += piece
        return piece

    def add(self, claim: Claim, *, supported: bool = True, note: str = "") -> str:
        """Append a claim and return the piece of text that it adds. note: goes after the markers."""
        quotes = tuple(dict.fromkeys(self._place(quote) for quote in claim.quotes))
        markers = tuple(dict.fromkeys(self.citations[place].marker for place in quotes))
        cited = "".join(f" [{marker}]" for marker in markers) + claim.note + note
        text = f"{claim.text.rstrip(' |')}{cited} |" if claim.lead == ROW else claim.text + cited
        body = claim.lead + text
        joint = self._joint(claim.lead)
        state = claim.state if supported or claim.state != "verified" else "unchecked"
        self.sentences.append(Sentence(body.strip(), markers, supported, round(claim.support, 4), state, quotes))
        begin = len(self.text) + len(joint) + len(claim.lead)
        self.emphasis += [Emphasis(begin + start, begin + end) for start, end in claim.emphasis]
        self.text += joint + body
        return joint + body

    def delta(self, claim: Claim, *, supported: bool = True, note: str = "") -> TextDelta:
        """Like ``add``, for a reader who may leave before the end: the piece with what carries it."""
        before = len(self.citations)
        piece = self.add(claim, supported=supported, note=note)
        return TextDelta(piece, self.sentences[-1], tuple(self.citations[before:]))

    def body(self, verdict: Verdict, reason: str | None = None) -> Body:
        """The finished answer. reason: what it lacks, if it is the closest only."""
        return Body(verdict, self.text, tuple(self.sentences), tuple(self.citations), tuple(self.emphasis), reason)

    def _joint(self, lead: str) -> str:
        if not self.text or "\n" in lead:
            return ""
        if not self.sentences:
            return "\n\n"
        listed = lead == ROW or lead.startswith("- ") or lead[:1].isdigit()
        return "\n" if listed else "\n\n" if lead else " "

    def _place(self, quote: Quote) -> int:
        paper = quote.paper
        number = self._numbers.setdefault(paper.id, len(self._numbers) + 1)
        key = (paper.id, quote.start, quote.end)
        if key not in self._places:
            self._places[key] = len(self._places)
            self.citations.append(
                Citation(number, paper.id, paper.title, quote.text, quote.start, quote.end, quote.score)
            )
        return self._places[key]
