"""The frame of a page: one file that needs no network, in light and dark. Texts from outside go through ``esc``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def esc(value: object) -> str:
    """Any text, safe between tags and inside quoted attributes."""
    return escape(str(value), quote=True)


def tag(name: str, *inside: str, **attributes: object) -> str:
    """An element. inside: HTML, so texts must be escaped; attributes are escaped here ("class_" stands for "class")."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{esc(value)}"' for key, value in attributes.items() if value is not None
    )
    return f"<{name}{given}>{''.join(inside)}</{name}>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], **attributes: object) -> str:
    """A table of cells that are HTML. A row of one cell is a heading of its group."""
    top = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head)))
    body = [
        tag("tr", tag("th", row[0], scope="rowgroup", colspan=len(head)), class_="group")
        if len(row) == 1
        else tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    return tag("div", tag("table", top, tag("tbody", *body), **attributes), class_="scroll", tabindex=0)


def figure(plot: Any, caption: str) -> str:
    """A plotly figure as a drawing that follows the page's colours. caption: what it shows, for all readers."""
    drawing = plot.to_html(
        full_html=False,
        include_plotlyjs=False,
        config={"displaylogo": False, "displayModeBar": False, "responsive": True},
    )
    return tag("figure", drawing, tag("figcaption", esc(caption)))


def document(title: str, body: Sequence[str], *, plots: bool = True) -> str:
    """The whole document. plots: with the plotting library, once, in front of the drawings."""
    library = ""
    if plots:
        from plotly.offline import get_plotlyjs

        library = f"<script>{get_plotlyjs()}</script>"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            tag("title", esc(title)),
            f"<style>{(HERE / 'style.css').read_text('utf-8')}</style>",
            library,
            "</head><body><main>",
            *body,
            "</main>",
            f"<script>{(HERE / 'page.js').read_text('utf-8')}</script>",
            "</body></html>",
        ]
    )
