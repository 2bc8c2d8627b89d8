"""Claims → the text, sentences, numbered citations and emphasis of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.types import Citation, Emphasis, Sentence, Verdict
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

    def add(self, claim: Claim, note: str = "") -> str:
        """Append a claim and return the piece of text that it adds. note: goes after the markers."""
        quotes = tuple(dict.fromkeys(self._place(quote) for quote in claim.quotes))
        markers = tuple(dict.fromkeys(self.citations[place].marker for place in quotes))
        words, placed = self._marked(claim, markers)
        cited = "".join(f" [{marker}]" for marker in markers if marker not in placed) + claim.note + note
        text = f"{words.rstrip(' |')}{cited} |" if claim.lead == ROW else words + cited
        body = claim.lead + text
        joint = self.joint(claim.lead)
        verified = claim.state == "verified"
        self.sentences.append(Sentence(body.strip(), markers, verified, round(claim.support, 4), claim.state, quotes))
        begin = len(self.text) + len(joint) + len(claim.lead)
        self.emphasis += [Emphasis(begin + start, begin + end) for start, end in claim.emphasis]
        self.text += joint + body
        return joint + body

    def body(self, verdict: Verdict, reason: str | None = None) -> Body:
        """The finished answer. reason: what it lacks, if it is the closest only."""
        return Body(verdict, self.text, tuple(self.sentences), tuple(self.citations), tuple(self.emphasis), reason)

    def joint(self, lead: str) -> str:
        """What goes between the text so far and a sentence with this lead."""
        if not self.text or "\n" in lead:
            return ""
        if not self.sentences:
            return "\n\n"
        listed = lead == ROW or lead.startswith("- ") or lead[:1].isdigit()
        return "\n" if listed else "\n\n" if lead else " "

    def _marked(self, claim: Claim, markers: Sequence[int]) -> tuple[str, set[int]]:
        """The words with markers behind the clauses that rest on them, and which these are."""
        words, placed = claim.text, set[int]()
        for at, papers in sorted(claim.clauses, reverse=True):
            here = [one for one in markers if one in {self._numbers.get(paper) for paper in papers}]
            words = words[:at] + "".join(f" [{marker}]" for marker in here) + words[at:]
            placed |= {*here}
        return words, placed

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
