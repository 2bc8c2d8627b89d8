"""The map of the collection as a drawing of our own: small, themed by the page's colours, and without a library."""

from __future__ import annotations

from collections.abc import Sequence

from rag.types import Paper
from ui.page.atlas import Atlas
from ui.page.markup import Html, el
from ui.page.words import count

WIDTH, HEIGHT, MARGIN = 1000, 860, 50
RADIUS = 9.0
LINE = 27  # from one line of a label to the next
LABEL_LINE_CHARS = 24


def map_drawing(atlas: Atlas, papers: Sequence[Paper], total: int) -> Html:
    """Points, and the names of their clusters. papers: those of the atlas. total: in the collection."""
    if not papers:
        return el("p", "The collection is empty: add papers to see a map of them.", cls="hint")
    radius = max(3.5, RADIUS * min(1.0, (250 / len(papers)) ** 0.5))
    points = [
        el(
            "circle",
            cx=_across(point.x),
            cy=_down(point.y),
            r=round(radius, 1),
            cls=f"point c{point.cluster}",
            data_paper=papers[point.paper].id,
            data_title=papers[point.paper].title,
        )
        for point in atlas.points
    ]
    clusters = count(len(atlas.clusters), "topic")
    says = f"Map of {count(len(papers), 'paper')} in {clusters}. The table lists the same papers."
    drawing = el(
        "svg",
        points,
        _labels(atlas),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=says,
        cls="map",
    )
    hidden = total - len(papers)
    note = f" {hidden:,} of {total:,} papers are left out to keep it readable." if hidden > 0 else ""
    return el(
        "figure",
        drawing,
        el("figcaption", f"Near means alike. Choose a point to ask about its paper.{note}", cls="hint"),
        el("div", cls="tip", hidden=True, aria_hidden="true"),
        cls="map-figure",
    )


def _labels(atlas: Atlas) -> list[Html]:
    """Names on their clusters, moved apart where they would lie on each other."""
    taken: list[tuple[float, float, float, float]] = []
    labels = []
    for number, cluster in enumerate(atlas.clusters):
        lines = _lines(cluster.label)
        width, height = max(map(len, lines)) * 14, LINE * len(lines)
        x = min(max(_across(cluster.x), width / 2 + 4), WIDTH - width / 2 - 4)
        y = _free(taken, x, _down(cluster.y), width, height)
        taken.append((x, y, width, height))
        spans = (el("tspan", line, x=round(x), dy=LINE if place else 0) for place, line in enumerate(lines))
        labels.append(el("text", spans, x=round(x), y=round(y - height / 2 + LINE * 0.8), cls=f"label c{number}"))
    return labels


def _free(taken: Sequence[tuple[float, float, float, float]], x: float, y: float, width: float, height: float) -> float:
    """The height nearest to y at which a label of this size lies on no other."""
    low, high = height / 2, HEIGHT - height / 2
    for step in range(0, HEIGHT, 8):
        for tried in (y - step, y + step):
            at = min(max(tried, low), high)
            if all(abs(x - ox) * 2 >= width + ow or abs(at - oy) * 2 >= height + oh for ox, oy, ow, oh in taken):
                return at
    return y


def _lines(label: str) -> list[str]:
    first, _, second = label.partition(", ")
    if not second or len(label) <= LABEL_LINE_CHARS:
        return [label]
    return [f"{first},", second]


def _across(x: float) -> float:
    return round(MARGIN + x * (WIDTH - 2 * MARGIN), 1)


def _down(y: float) -> float:
    return round(MARGIN + y * (HEIGHT - 2 * MARGIN), 1)
