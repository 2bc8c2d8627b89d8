"""The collection as HTML: a table, one paper in full, and papers like it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

from rag.types import Paper
from ui.page.markup import Html, button, el, join, linked_title
from ui.page.view_evidence import byline
from ui.page.words import count, shortened

Column = Literal["title", "authors", "year", "source"]
COLUMNS: tuple[Column, ...] = ("title", "authors", "year", "source")
AUTHORS = 3
ALIKE_CHARS = 240
VERY, QUITE = 0.75, 0.6  # cosines of papers that are very, or quite, alike


def told(paper: Paper, column: Column) -> str:
    """What the table says about a paper in one column; empty if nothing is known."""
    if column == "title":
        return paper.title
    if column == "authors":
        more = " et al." if len(paper.authors) > AUTHORS else ""
        return ", ".join(paper.authors[:AUTHORS]) + more
    if column == "year":
        return str(paper.year or "")
    return PurePath(paper.source or "").name


def table(papers: Sequence[Paper], columns: Sequence[Column], sort: Column | None, *, down: bool) -> Html:
    """The rows of one screenful under headings that sort. columns: those in which any paper says something."""
    heads = (_heading(column, sort, down=down) for column in columns)
    return el(
        "table",
        el("caption", "Papers of the collection", cls="spoken"),
        el("thead", el("tr", heads)),
        el("tbody", rows(papers, columns)),
    )


def rows(papers: Sequence[Paper], columns: Sequence[Column]) -> Html:
    """One row a paper."""
    return join([el("tr", (_cell(paper, column) for column in columns), data_paper=paper.id) for paper in papers])


def paper_card(paper: Paper, *, removable: bool) -> Html:
    """One paper in full, with what can be done about it."""
    tools = [
        button("Ask about this paper", "ask-paper", cls="primary", data_paper=paper.id, data_title=paper.title),
        button("Papers like this one", "similar", data_paper=paper.id),
        button("Limit questions to it", "limit", data_paper=paper.id, data_title=paper.title),
        button("Remove", "remove", cls="quiet danger", data_paper=paper.id) if removable else None,
    ]
    return el(
        "article",
        el("h3", linked_title(paper.title, paper.url)),
        byline(paper),
        el("p", paper.abstract, cls="abstract", dir="auto"),
        el("p", f"From {told(paper, 'source')}", cls="hint") if paper.source else None,
        el("div", tools, cls="tools"),
        cls="card selected",
        data_paper=paper.id,
        tabindex="-1",
    )


def alike_list(paper: Paper, found: Sequence[tuple[Paper, float]]) -> Html:
    """Papers like one, nearest first."""
    items = [
        el(
            "li",
            button(one.title, "paper", cls="link", data_paper=one.id, dir="auto"),
            el("p", _alike_words(cosine), cls="hint"),
            el("p", shortened(one.abstract, ALIKE_CHARS), cls="excerpt", dir="auto"),
        )
        for one, cosine in found
    ]
    heading = join("Papers like ", el("cite", shortened(paper.title, 90), dir="auto"))
    body = el("ul", items, cls="alike") if items else el("p", "The collection holds no others.", cls="hint")
    return join(el("h3", heading, tabindex="-1"), body)


def upload_report(file: str, sums: Sequence[tuple[int, str]], faults: Sequence[tuple[int | None, str]]) -> Html:
    """What became of one file: how many papers, and each record that could not be read. sums: number and word."""
    done = ", ".join(f"{number:,} {word}" for number, word in sums if number) or "nothing new"
    problems = None
    if faults:
        items = (el("li", el("b", f"Line {line}: " if line else ""), reason) for line, reason in faults)
        head = el("p", f"{count(len(faults), 'record')} could not be read:", cls="failure")
        problems = el("div", head, el("ul", items, cls="faults"))
    return join(el("p", el("cite", file), f": {done}."), problems)


def _heading(column: Column, sort: Column | None, *, down: bool) -> Html:
    order = None if column != sort else "descending" if down else "ascending"
    sign = {"ascending": " ↑", "descending": " ↓", None: ""}[order]
    label = join(column.capitalize(), el("span", sign, aria_hidden="true"))
    return el("th", button(label, "sort", cls="sort", data_column=column), scope="col", aria_sort=order, cls=column)


def _cell(paper: Paper, column: Column) -> Html:
    if column == "title":
        return el("td", button(paper.title, "paper", cls="link", data_paper=paper.id, dir="auto"), cls="title")
    return el("td", told(paper, column), cls=column, dir="auto")


def _alike_words(cosine: float) -> str:
    return "very alike" if cosine >= VERY else "alike" if cosine >= QUITE else "somewhat alike"
