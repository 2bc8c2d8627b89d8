"""The evidence of one turn as HTML: a card for every paper that the answer cites, the others folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.types import Answer, Citation, Paper, RetrievedPaper, Sentence
from ui.page.markup import Html, button, el, join, linked_title
from ui.page.words import count, shortened, support

AUTHORS = 3  # named on a card before "et al."
CLAIM_CHARS = 220
CLAIMS_OPEN = 2  # more would push the quotes out of sight


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an abstract, and the markers of the quotes that it is part of."""

    text: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """One paper with all that an answer quotes from it."""

    turn: int
    place: int  # among the cards, from 1
    answer: Answer
    quotes: Sequence[Citation]
    paper: Paper | None  # None if it has left the collection since

    @property
    def markers(self) -> list[int]:
        """The n of each [n] that leads here."""
        return [one.marker for one in self.quotes]

    @property
    def leaning(self) -> list[Sentence]:
        """The sentences that lean on it."""
        return [one for one in self.answer.sentences if set(one.citations) & set(self.markers)]


def found_so_far(papers: Sequence[RetrievedPaper]) -> Html:
    """What the search found, while the answer is being made."""
    rows = (el("li", paper.title, dir="auto") for paper in papers)
    head = el("div", el("h2", "Evidence"), el("p", "being read", cls="hint"), cls="head")
    return join(head, el("ol", rows, cls="found")) if papers else Html()


def evidence_of(turn: int, answer: Answer, papers: Mapping[str, Paper], useful: Mapping[str, str]) -> Html:
    """All evidence of one answer. papers: those of its papers in the collection. useful: paper id -> verdict."""
    by_paper: dict[str, list[Citation]] = {}
    for citation in answer.closest if answer.abstained else answer.citations:
        by_paper.setdefault(citation.paper_id, []).append(citation)
    cards = [
        _card(Cited(turn, place, answer, quotes, papers.get(paper_id)), useful.get(paper_id))
        for place, (paper_id, quotes) in enumerate(by_paper.items(), start=1)
    ]
    title = "Closest evidence" if answer.abstained else "Evidence"
    hint = count(len(cards), "paper") if cards else "none that comes close"
    back = button("↑ Back to the answer", "to-answer", cls="quiet stacked-only")
    head = el("div", el("h2", title), el("p", hint, cls="hint"), back, cls="head")
    others = _others([paper for paper in answer.retrieved if paper.paper_id not in by_paper])
    return el("section", head, cards, others, cls="set", data_turn=turn, data_answer=answer.id, aria_label=title)


def segments(abstract: str, citations: Sequence[Citation]) -> list[Segment]:
    """Cut an abstract at the ends of its quotes. Quotes that are not there word for word any more are left out."""
    fitting = [one for one in citations if one.quote and abstract[one.start : one.end] == one.quote]
    edges = sorted({0, len(abstract), *(one.start for one in fitting), *(one.end for one in fitting)})
    return [
        Segment(abstract[start:end], tuple(one.marker for one in fitting if one.start <= start and end <= one.end))
        for start, end in pairwise(edges)
    ]


def highlighted(turn: int, abstract: str, citations: Sequence[Citation]) -> Html:
    """The abstract with its quotes marked; each quote's first mark carries the id that its [n] links to."""
    seen: set[int] = set()
    parts = []
    for segment in segments(abstract, citations):
        if not segment.markers:
            parts.append(el("span", segment.text, cls="rest"))
            continue
        new = [marker for marker in segment.markers if marker not in seen]
        seen.update(new)
        anchors = (el("sup", str(marker), id=f"quote-{turn}-{marker}", cls="anchor") for marker in new)
        parts.append(el("mark", anchors, segment.text, data_quotes=" ".join(map(str, segment.markers))))
    return join(parts)


def byline(paper: Paper | None) -> Html | None:
    """Authors and year, as far as they are known."""
    if paper is None or not (paper.authors or paper.year):
        return None
    names = ", ".join(paper.authors[:AUTHORS]) + (" et al." if len(paper.authors) > AUTHORS else "")
    return el("p", " · ".join(part for part in (names, str(paper.year or "")) if part), cls="by", dir="auto")


def strength(cited: Cited) -> tuple[str, str]:
    """How well a paper carries what leans on it: a word for the style and words for people."""
    if cited.answer.abstained:
        return "fair", "Close, but no answer"
    if cited.answer.mode == "extractive":
        return "strong", "Strong support: quoted word for word"
    scores = [one.support for one in cited.leaning] or [one.score for one in cited.quotes]
    level = support(max(scores))
    return level, f"{level.capitalize()} support"


def _card(cited: Cited, verdict: str | None) -> Html:
    paper, first = cited.paper, cited.quotes[0]
    level, words = strength(cited)
    heading = f"card-{cited.turn}-{cited.place}"
    badges = (button(str(one), "quote", cls="badge-n", data_n=one, label=f"Show quote {one}") for one in cited.markers)
    title = el("h3", linked_title(paper.title if paper else first.title, paper.url if paper else None), id=heading)
    return el(
        "article",
        el("div", title, cls="card-head"),
        byline(paper),
        el("div", badges, el("p", words, cls=f"support {level}"), cls="meta"),
        _claims(cited),
        _body(cited),
        _card_tools(first.paper_id, verdict, known=paper is not None),
        cls="card",
        data_paper=first.paper_id,
        data_markers=" ".join(map(str, cited.markers)),
        aria_labelledby=heading,
        tabindex="-1",
    )


def _body(cited: Cited) -> Html:
    paper = cited.paper
    kept = paper is not None and all(paper.abstract[one.start : one.end] == one.quote for one in cited.quotes)
    if paper is not None and kept:
        return el("p", highlighted(cited.turn, paper.abstract, cited.quotes), cls="abstract", dir="auto")
    changed = "has changed since" if paper else "is no longer in the collection"
    quotes = (
        el("blockquote", el("mark", _anchor(cited.turn, one), one.quote, data_quotes=one.marker), dir="auto")
        for one in cited.quotes
    )
    return join(quotes, el("p", f"This paper {changed}, so the quotes are shown as they were.", cls="hint"))


def _anchor(turn: int, quote: Citation) -> Html:
    return el("sup", str(quote.marker), id=f"quote-{turn}-{quote.marker}", cls="anchor")


def _claims(cited: Cited) -> Html | None:
    """What the sentences that lean on this card say. Where they are the quotes themselves, the marks say it already."""
    if cited.answer.mode == "extractive" or not cited.leaning:
        return None
    rows = [el("li", shortened(_bare(one), CLAIM_CHARS), dir="auto") for one in cited.leaning]
    summary = el("summary", f"Cited for {count(len(rows), 'sentence')}")
    return el("details", summary, el("ul", rows), cls="claims", open=len(rows) <= CLAIMS_OPEN)


def _bare(sentence: Sentence) -> str:
    text = sentence.text.removeprefix("- ")
    for marker in sentence.citations:
        text = text.replace(f" [{marker}]", "")
    return text


def _card_tools(paper_id: str, verdict: str | None, *, known: bool) -> Html:
    votes = [
        button(word, "useful", cls="chip", data_value=value, pressed=verdict == value)
        for value, word in (("useful", "Useful"), ("not_useful", "Not useful"))
    ]
    expand = button("Whole abstract", "expand", aria_expanded="false") if known else None
    alike = button("Papers like this one", "similar", data_paper=paper_id) if known else None
    saved = el("span", cls="saved", role="status")
    return el("div", el("div", votes, saved, cls="votes"), expand, alike, cls="tools")


def _others(papers: Sequence[RetrievedPaper]) -> Html | None:
    if not papers:
        return None
    rows = (
        el("li", button(paper.title, "paper", cls="link", data_paper=paper.paper_id, dir="auto")) for paper in papers
    )
    summary = el("summary", f"Also retrieved: {count(len(papers), 'paper')}")
    return el("details", summary, el("ol", rows), cls="also")
