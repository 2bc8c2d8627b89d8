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
NUISANCE = 25  # how far a label moves rather than cover one point more
FAR = 10_000  # how far it moves rather than lie on another
Box = tuple[float, float, float, float]  # middle, width and height


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
    """Names on their clusters, moved off each other and, as far as there is room nearby, off the points."""
    taken: list[Box] = []
    points = [(_across(one.x), _down(one.y)) for one in atlas.points]
    labels = []
    for cluster in atlas.clusters:
        lines = _lines(cluster.label)
        width, height = max(map(len, lines)) * 14, LINE * len(lines)
        x = min(max(_across(cluster.x), width / 2 + 4), WIDTH - width / 2 - 4)
        box = _free(taken, points, (x, _down(cluster.y), width, height))
        taken.append(box)
        y = box[1]
        labels.append({"x": round(x), "y": round(y - height / 2 + LINE * 0.8), "lines": lines})
    return labels


def _free(taken: Sequence[Box], points: Sequence[tuple[float, float]], box: Box) -> Box:
    """The box moved up or down: off all others, over few points, and not far."""
    x, y, width, height = box
    low, high = height / 2, HEIGHT - height / 2

    def cost(at: float) -> float:
        meets = any(abs(x - ox) * 2 < width + ow and abs(at - oy) * 2 < height + oh for ox, oy, ow, oh in taken)
        covers = sum(abs(x - px) * 2 < width and abs(at - py) * 2 < height + 2 * RADIUS for px, py in points)
        return (FAR if meets else 0) + covers * NUISANCE + abs(at - y)

    moves = (y + step for step in range(-HEIGHT, HEIGHT, 8))
    return x, min((min(max(at, low), high) for at in moves), key=cost), width, height


def _lines(label: str) -> list[str]:
    first, _, second = label.partition(", ")
    if not second or len(label) <= LABEL_LINE_CHARS:
        return [label]
    return [f"{first},", second]


def _across(x: float) -> float:
    return round(MARGIN + x * (WIDTH - 2 * MARGIN), 1)


def _down(y: float) -> float:
    return round(MARGIN + y * (HEIGHT - 2 * MARGIN), 1)
