"""What a reader can do with the collection: look through it, look at a paper, see it as a map, remove papers."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, get_args

from markupsafe import Markup

from ui.page import arguments
from ui.page.layout import LayoutFile
from ui.render import render
from ui.words import count

if TYPE_CHECKING:
    from rag.types import Paper
    from ui.services import Services

Column = Literal["title", "authors", "year", "source"]
COLUMNS: tuple[Column, ...] = get_args(Column)
SCREENFUL = 50  # rows
SIMILAR = 6
AUTHORS = 3
MAPPED = 1500  # papers on the map: more would be neither quick to draw nor readable


class Library:
    """The page's calls about papers. Everybody sees the same collection, so it does not matter who asks."""

    def __init__(self, services: Services) -> None:
        self._papers = services.papers
        self._map_lock = threading.Lock()
        self._map: tuple[int, Markup] | None = None
        self._layout = LayoutFile(services.settings.data_dir)

    def table(self, given: Mapping[str, Any], _user: str) -> dict[str, Any]:
        """A screenful of papers that match, as HTML: the whole table, or with ``from`` further rows of it."""
        words = arguments.text(given, "search", 200)
        start = arguments.number(given, "from", 0, 10_000_000, 0)
        sort = next((column for column in COLUMNS if column == given.get("sort")), None)
        down = given.get("down") is True
        found = self._papers.matching(words)
        everything = found if not words.strip() else self._papers.matching()
        columns = [one for one in COLUMNS if one == "title" or tells_apart(everything, one)]
        if sort:
            found = sorted(found, key=lambda paper: _sort_key(paper, sort), reverse=down)
            found.sort(key=lambda paper: not told(paper, sort))  # what says nothing stands last either way
        shown = found[start : start + SCREENFUL]
        html = render(
            "rows" if start else "table",
            papers=shown,
            columns=columns,
            sort=sort,
            down=down,
            told=told,
            searched=words.strip(),
        )
        left = len(found) - start - len(shown)
        total = count(len(found), "paper") + (f" of {len(everything):,}" if words.strip() else "")
        fixed = self._papers.fixed
        return {"html": html, "count": total, "left": left, "next": start + len(shown), "fixed": fixed}

    def paper(self, given: Mapping[str, Any], _user: str) -> dict[str, Any]:
        """One paper in full."""
        paper = self._paper(given)
        return {"html": render("paper", paper=paper, source=told(paper, "source"), fixed=self._papers.fixed)}

    def similar(self, given: Mapping[str, Any], _user: str) -> dict[str, Any]:
        """Papers like one."""
        paper = self._paper(given)
        return {"html": render("similar", paper=paper, found=self._papers.similar(paper, SIMILAR))}

    def map(self, _given: Mapping[str, Any], _user: str) -> dict[str, Any]:
        """The map. When papers are added or removed, all others stay where they were."""
        from ui.page.atlas import Layout, draw, extended
        from ui.page.map import map_drawing

        with self._map_lock:  # several readers at once wait for one drawing
            generation = self._papers.generation()
            if self._map is None or self._map[0] != generation:
                papers, vectors = self._papers.sample(MAPPED)
                # the file says nothing about a paper that is removed later
                ids = [sha256(one.id.encode()).hexdigest()[:16] for one in papers]
                before = self._layout.read()
                atlas = extended(before, ids, vectors) if before else None
                if atlas is None:
                    atlas = draw(vectors, [one.title for one in papers], [one.abstract for one in papers])
                self._layout.write(Layout.of(atlas, ids))
                self._map = (generation, map_drawing(atlas, papers, len(self._papers.matching())))
            return {"html": self._map[1]}

    def remove(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Take one paper out of the collection."""
        removed = self._papers.remove([arguments.text(given, "paper", 200)], who=user)
        return {"said": f"{count(removed, 'paper')} removed."}

    def put_back(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Undo that."""
        self._papers.put_back(arguments.text(given, "paper", 200), who=user)
        return {"said": "Put back."}

    def _paper(self, given: Mapping[str, Any]) -> Paper:
        return self._papers.get(arguments.text(given, "paper", 200))


def told(paper: Paper, column: Column) -> str:
    """What the table says about a paper in one column; empty if nothing is known."""
    if column == "title":
        return paper.title
    if column == "authors":
        return ", ".join(paper.authors[:AUTHORS]) + (" et al." if len(paper.authors) > AUTHORS else "")
    return str(paper.year or "") if column == "year" else PurePath(paper.source or "").name


def tells_apart(papers: Sequence[Paper], column: Column) -> bool:
    """Whether papers differ in a column; one that says the same everywhere only takes room."""
    return len({told(paper, column) for paper in papers}) > 1


def _sort_key(paper: Paper, column: Column) -> tuple[int, str]:
    return (paper.year or 0, "") if column == "year" else (0, told(paper, column).casefold())
