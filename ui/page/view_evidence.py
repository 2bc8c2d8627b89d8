"""The evidence of one turn as HTML: a card for every paper that the answer cites, the others folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import Answer, Citation, Paper, RetrievedPaper, Sentence
from ui.page.markup import button, esc, linked_title
from ui.page.words import count, shortened, support

AUTHORS = 3  # named on a card before "et al."
CLAIM_CHARS = 220


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an abstract, and the markers of the quotes that it is part of."""

    text: str
    markers: tuple[int, ...]


def found_so_far(papers: Sequence[RetrievedPaper]) -> str:
    """What the search found, while the answer is being made."""
    rows = "".join(f'<li dir="auto">{esc(paper.title)}</li>' for paper in papers)
    return f'<h2>Evidence</h2><p class="hint">Reading these papers:</p><ol class="found">{rows}</ol>' if rows else ""


def evidence_of(turn: int, answer: Answer, papers: Mapping[str, Paper], useful: Mapping[str, str]) -> str:
    """All evidence of one answer. papers: those of its papers that the collection holds. useful: paper id -> verdict."""
    citations = answer.closest if answer.abstained else answer.citations
    by_paper: dict[str, list[Citation]] = {}
    for citation in citations:
        by_paper.setdefault(citation.paper_id, []).append(citation)
    cards = "".join(
        _card(turn, place, quotes, papers.get(paper_id), answer, useful.get(paper_id))
        for place, (paper_id, quotes) in enumerate(by_paper.items(), start=1)
    )
    others = [paper for paper in answer.retrieved if paper.paper_id not in by_paper]
    title = "Closest evidence" if answer.abstained else "Evidence"
    hint = count(len(by_paper), "paper") if by_paper else "No abstract comes close enough to be shown."
    return (
        f'<section class="set" data-turn="{turn}" data-answer="{esc(answer.id)}" aria-label="{title}">'
        f'<div class="head"><h2>{title}</h2><p class="hint">{esc(hint)}</p></div>{cards}{_others(others)}</section>'
    )


def segments(abstract: str, citations: Sequence[Citation]) -> list[Segment]:
    """Cut an abstract at the ends of its quotes. Quotes that are not there word for word any more are left out."""
    fitting = [one for one in citations if abstract[one.start : one.end] == one.quote and one.quote]
    edges = sorted({0, len(abstract), *(one.start for one in fitting), *(one.end for one in fitting)})
    return [
        Segment(abstract[start:end], tuple(one.marker for one in fitting if one.start <= start and end <= one.end))
        for start, end in zip(edges, edges[1:], strict=False)
    ]


def highlighted(turn: int, abstract: str, citations: Sequence[Citation]) -> str:
    """The abstract with its quotes marked; each quote's first mark carries the id that its [n] links to."""
    seen: set[int] = set()
    html = []
    for segment in segments(abstract, citations):
        if not segment.markers:
            html.append(f'<span class="rest">{esc(segment.text)}</span>')
            continue
        new = [marker for marker in segment.markers if marker not in seen]
        seen.update(new)
        anchors = "".join(f'<sup id="quote-{turn}-{marker}" class="anchor">{marker}</sup>' for marker in new)
        quotes = " ".join(str(marker) for marker in segment.markers)
        html.append(f'<mark data-quotes="{quotes}">{anchors}{esc(segment.text)}</mark>')
    return "".join(html)


def strength(citations: Sequence[Citation], sentences: Sequence[Sentence], *, quoting: bool) -> tuple[str, str]:
    """How strongly a paper carries what cites it: a word for the style and one for people.

    quoting: the answer's sentences are the quotes themselves. Otherwise the best supported of them counts.
    """
    markers = {one.marker for one in citations}
    leaning = [one for one in sentences if markers & set(one.citations)]
    if quoting and leaning:
        return "strong", "Strong support: quoted word for word"
    level = support(max((one.support for one in leaning), default=max(one.score for one in citations)))
    return level, f"{level.capitalize()} support"


def _card(
    turn: int, place: int, quotes: Sequence[Citation], paper: Paper | None, answer: Answer, verdict: str | None
) -> str:
    markers = [one.marker for one in quotes]
    title = paper.title if paper else quotes[0].title
    level, words = (
        ("weak", "Close, but no answer")
        if answer.abstained
        else strength(quotes, answer.sentences, quoting=answer.mode == "extractive")
    )
    if paper is None:
        body = "".join(f"<blockquote>{esc(one.quote)}</blockquote>" for one in quotes)
        body += '<p class="hint">This paper is no longer in the collection, so only the quote can be shown.</p>'
    else:
        body = f'<p class="abstract" dir="auto">{highlighted(turn, paper.abstract, quotes)}</p>'
    badges = "".join(
        f'<button type="button" class="badge-n" data-do="quote" data-n="{marker}" aria-label="Show quote {marker}">'
        f"{marker}</button>"
        for marker in markers
    )
    heading = f"card-{turn}-{place}"
    return (
        f'<article class="card" data-paper="{esc(quotes[0].paper_id)}" data-markers="{" ".join(map(str, markers))}" '
        f'aria-labelledby="{heading}" tabindex="-1">'
        f'<div class="card-head">{badges}<h3 id="{heading}">{linked_title(title, paper.url if paper else None)}</h3></div>'
        f"{byline(paper)}"
        f'<p class="support {level}">{esc(words)}</p>{_claims(markers, answer)}{body}'
        f"{_card_tools(quotes[0].paper_id, verdict, known=paper is not None)}</article>"
    )


def byline(paper: Paper | None) -> str:
    """Authors and year, as far as they are known."""
    if paper is None or not (paper.authors or paper.year):
        return ""
    names = ", ".join(paper.authors[:AUTHORS]) + (" et al." if len(paper.authors) > AUTHORS else "")
    return f'<p class="by" dir="auto">{esc(" · ".join(part for part in (names, str(paper.year or "")) if part))}</p>'


def _claims(markers: Sequence[int], answer: Answer) -> str:
    """What the sentences that lean on this card say. Where they are the quotes themselves, the marks say it already."""
    if answer.mode == "extractive":
        return ""
    leaning = [one for one in answer.sentences if set(one.citations) & set(markers)]
    rows = "".join(f"<li>{esc(shortened(_bare(one), CLAIM_CHARS))}</li>" for one in leaning)
    return f'<div class="claims"><p>It is cited for:</p><ul>{rows}</ul></div>' if rows else ""


def _bare(sentence: Sentence) -> str:
    text = sentence.text.removeprefix("- ")
    for marker in sentence.citations:
        text = text.replace(f" [{marker}]", "")
    return text


def _card_tools(paper_id: str, verdict: str | None, *, known: bool) -> str:
    tools = [
        button("Useful", "useful", cls="chip", value="useful", pressed=verdict == "useful"),
        button("Not useful", "useful", cls="chip", value="not_useful", pressed=verdict == "not_useful"),
    ]
    if known:
        tools.insert(0, button("Whole abstract", "expand", cls="quiet", pressed=False))
        tools.append(button("Papers like this one", "similar", cls="quiet", paper=paper_id))
    return f'<div class="tools">{"".join(tools)}<span class="saved" role="status"></span></div>'


def _others(papers: Sequence[RetrievedPaper]) -> str:
    if not papers:
        return ""
    rows = "".join(
        f'<li><button type="button" class="link" data-do="paper" data-paper="{esc(paper.paper_id)}" dir="auto">'
        f"{esc(paper.title)}</button></li>"
        for paper in papers
    )
    return f'<details class="also"><summary>Also retrieved: {count(len(papers), "paper")}</summary><ol>{rows}</ol></details>'
