"""The evidence of one turn: a card for every paper that the answer cites, the others folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from rag.types import Answer, Citation, Paper, RetrievedPaper, Sentence
from ui.render import render
from ui.words import support


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an abstract, and the places of the quotes that it is part of, in the answer's citations."""

    text: str
    places: tuple[int, ...]
    anchors: tuple[int, ...] = ()  # markers whose first quote begins here


@dataclass(frozen=True, slots=True)
class Card:
    """One paper with all that an answer quotes from it."""

    answer: Answer
    quotes: Mapping[int, Citation]  # by their places in the answer's citations; at least one
    paper: Paper | None  # None if it has left the collection since
    verdict: str | None  # of the reader: "useful" or "not_useful"

    @property
    def paper_id(self) -> str:
        """Whose card it is."""
        return next(iter(self.quotes.values())).paper_id

    @property
    def title(self) -> str:
        """As it is now, else as it was."""
        return self.paper.title if self.paper else next(iter(self.quotes.values())).title

    @property
    def markers(self) -> list[int]:
        """The n of [n] that leads here; several in older records, which numbered quotes."""
        return list(dict.fromkeys(one.marker for one in self.quotes.values()))

    @property
    def places(self) -> list[int]:
        """Where its quotes stand in the answer's citations, from 0."""
        return list(self.quotes)

    @property
    def leaning(self) -> list[Sentence]:
        """The sentences that rest on it."""
        return [one for one in self.answer.sentences if set(one.citations) & {*self.markers}]

    @property
    def claims(self) -> list[str]:
        """What the sentences that lean on it say. Where they are the quotes themselves, the marks say it already."""
        if self.answer.mode == "extractive":
            return []
        return [_bare(one.text, one.citations) for one in self.leaning]

    @property
    def segments(self) -> list[Segment]:
        """The abstract cut at the ends of its quotes; empty if they are not there word for word any more."""
        paper = self.paper
        if paper is None or any(paper.abstract[one.start : one.end] != one.quote for one in self.quotes.values()):
            return []
        return segments(paper.abstract, self.quotes)

    @property
    def strength(self) -> tuple[str, str]:
        """How well the paper carries what leans on it: a word for the style and words for people."""
        if self.answer.abstained:
            return "fair", "Close, but no answer"
        if self.answer.mode == "extractive":  # what is quoted is always there; the question is whether it answers
            if self.answer.verdict == "closest":
                return "fair", "Close; may not answer"
            return "strong", "Quoted word for word"
        leaning = self.leaning
        if leaning and not any(one.supported for one in leaning):
            return "weak", "Close, but nothing was checked by it"
        level = support(max([one.support for one in leaning] or [one.score for one in self.quotes.values()]))
        return level, f"{level.capitalize()} support"


def evidence_of(turn: int, answer: Answer, papers: Mapping[str, Paper], useful: Mapping[str, str]) -> Markup:
    """All evidence of one answer. papers: those of its papers in the collection. useful: paper id -> verdict."""
    by_paper: dict[str, dict[int, Citation]] = {}
    for place, citation in enumerate(answer.closest if answer.abstained else answer.citations):
        by_paper.setdefault(citation.paper_id, {})[place] = citation
    if not by_paper and not answer.retrieved:
        return Markup()  # it was not about the papers
    return render(
        "evidence",
        turn=turn,
        answer=answer,
        title="Closest evidence" if answer.abstained else "Evidence",
        cards=[Card(answer, quotes, papers.get(one), useful.get(one)) for one, quotes in by_paper.items()],
        others=[paper for paper in answer.retrieved if paper.paper_id not in by_paper],
    )


def found_so_far(papers: Sequence[RetrievedPaper]) -> Markup:
    """What the search found, while the answer is being made."""
    return render("found", papers=papers) if papers else Markup()


def segments(abstract: str, citations: Mapping[int, Citation]) -> list[Segment]:
    """Cut an abstract at the ends of its quotes. Quotes that are not there word for word any more are left out."""
    fitting = {
        place: one for place, one in citations.items() if one.quote and abstract[one.start : one.end] == one.quote
    }
    edges = sorted({0, len(abstract), *(edge for one in fitting.values() for edge in (one.start, one.end))})
    first = {one.marker: one.start for one in sorted(fitting.values(), key=lambda one: -one.start)}
    return [
        Segment(
            abstract[start:end],
            tuple(place for place, one in fitting.items() if one.start <= start and end <= one.end),
            tuple(marker for marker, begin in first.items() if begin == start),
        )
        for start, end in pairwise(edges)
    ]


def _bare(text: str, markers: Sequence[int]) -> str:
    """What a sentence says, without its markers and the signs of its list, table or bold words."""
    for marker in markers:
        text = text.replace(f" [{marker}]", "")
    return text.strip("| ").removeprefix("- ").replace(" | ", ": ").replace("**", "")
