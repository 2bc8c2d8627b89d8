"""The map of the collection as a drawing of our own: small, themed by the page's colours, and without a library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from rag.types import Paper
from ui.page.atlas import Atlas
from ui.render import render

WIDTH, HEIGHT, MARGIN = 1000, 860, 50
RADIUS = 9.0
LINE = 27  # from one line of a label to the next
LABEL_LINE_CHARS = 24


def map_drawing(atlas: Atlas, papers: Sequence[Paper], total: int) -> Markup:
    """Points, and the names of their clusters. papers: those of the atlas. total: in the collection."""
    points = [
        {"x": _across(one.x), "y": _down(one.y), "cluster": one.cluster, "paper": papers[one.paper]}
        for one in atlas.points
    ]
    return render(
        "map",
        papers=papers,
        points=points,
        labels=_labels(atlas),
        radius=round(max(3.5, RADIUS * min(1.0, (250 / max(len(papers), 1)) ** 0.5)), 1),
        hidden=total - len(papers),
    )


def _labels(atlas: Atlas) -> list[dict[str, Any]]:
    """Names on their clusters, moved apart where they would lie on each other."""
    taken: list[tuple[float, float, float, float]] = []
    labels = []
    for cluster in atlas.clusters:
        lines = _lines(cluster.label)
        width, height = max(map(len, lines)) * 14, LINE * len(lines)
        x = min(max(_across(cluster.x), width / 2 + 4), WIDTH - width / 2 - 4)
        y = _free(taken, x, _down(cluster.y), width, height)
        taken.append((x, y, width, height))
        labels.append({"x": round(x), "y": round(y - height / 2 + LINE * 0.8), "lines": lines})
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
