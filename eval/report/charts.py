"""The plots of the report. Text in them is escaped, because plotly reads some HTML in labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from markupsafe import Markup

from eval.graded import Graded
from eval.metrics.answerability import risk_coverage
from eval.summary import Figure

COLOURS = ("#2f6fdb", "#d9822b", "#2f9e78", "#a05bb5", "#8a8f98")  # told apart in both themes, and by shape too
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross")


def forest(systems: Mapping[str, Mapping[str, Figure]], measures: Sequence[str]) -> Markup:
    """Systems beside each other on some measures, with their intervals."""
    traces = []
    for number, (name, figures) in enumerate(systems.items()):
        have = [measure for measure in measures if measure in figures]
        shift = (number - (len(systems) - 1) / 2) * 0.17
        traces.append(
            {
                "x": [figures[measure].value for measure in have],
                "y": [len(measures) - 1 - measures.index(measure) - shift for measure in have],
                "error_x": _whiskers([figures[measure] for measure in have]),
                "text": [escape(measure) for measure in have],
                "hovertemplate": "%{text}: %{x:.3f}<extra>" + escape(name) + "</extra>",
                "mode": "markers",
                "name": escape(name),
                "marker": {"size": 9, "color": COLOURS[number % 5], "symbol": SHAPES[number % 5]},
            }
        )
    ticks = [len(measures) - 1 - place for place in range(len(measures))]
    yaxis = {"tickvals": ticks, "ticktext": [escape(measure) for measure in measures], "automargin": True}
    return _plot(traces, 80 + 62 * len(measures), xaxis={"range": [-0.02, 1.02]}, yaxis=yaxis)


def risk(graded: Mapping[str, Sequence[Graded]]) -> Markup:
    """How wrong the answers are, if only the most confident ones were given."""
    traces = []
    for number, (name, some) in enumerate(graded.items()):
        written = [one for one in some if one.asker is None]
        answers = [(one.answer.confidence, 1.0 - one.right) for one in written if one.answer and one.answered]
        if answers:
            curve = risk_coverage(*zip(*answers, strict=True))
            share = len(answers) / len(written)
            x, y = [coverage * share for coverage, _ in curve], [loss for _, loss in curve]
            line = {"color": COLOURS[number % 5], "width": 2}
            traces.append({"x": x, "y": y, "mode": "lines", "name": escape(name), "line": line})
    return _plot(
        traces,
        340,
        xaxis={"title": "share of questions answered", "range": [0, 1]},
        yaxis={"title": "mean loss", "range": [0, 1]},
    )


def calibration(graded: Sequence[Graded], bins: int = 8) -> Markup:
    """Stated confidence against how often the collection does hold the answer, in bins of equal mass."""
    some = sorted(
        (one.answer.confidence, float(one.question.answerable))
        for one in graded
        if one.asker is None and one.answer is not None and one.question.expects != "correct"
    )
    parts = [part for part in np.array_split(np.array(some), min(bins, len(some)) or 1) if len(part)]
    perfect = {"x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"dash": "dot", "color": COLOURS[4]}}
    found = {
        "x": [float(part[:, 0].mean()) for part in parts],
        "y": [float(part[:, 1].mean()) for part in parts],
        "mode": "lines+markers",
        "name": "readback",
        "marker": {"size": 9, "color": COLOURS[0]},
    }
    return _plot(
        [{**perfect, "name": "perfect"}, found],
        340,
        xaxis={"title": "confidence", "range": [0, 1]},
        yaxis={"title": "answerable", "range": [-0.03, 1.03]},
    )


def bars(counts: Mapping[str, int]) -> Markup:
    """Counts as horizontal bars, in the order given."""
    names = [escape(name) for name in list(counts)[::-1]]
    bar = {"type": "bar", "y": names, "x": list(counts.values())[::-1], "orientation": "h"}
    return _plot([{**bar, "marker": {"color": COLOURS[0]}}], 80 + 34 * len(counts))


def curves(series: Mapping[str, Mapping[float, float]], x_title: str, y_title: str) -> Markup:
    """Lines of y by x, one for each system."""
    traces = [
        {"x": list(points), "y": list(points.values()), "mode": "lines+markers", "name": escape(name),
         "marker": {"color": COLOURS[number % 5], "symbol": SHAPES[number % 5], "size": 8}}
        for number, (name, points) in enumerate(series.items())
    ]  # fmt: skip
    return _plot(traces, 340, xaxis={"title": x_title}, yaxis={"title": y_title, "range": [0, 1]})


def history(series: Mapping[str, Sequence[tuple[str, Figure, str]]]) -> Markup:
    """Measures over time. series: measure → (when, figure, label for the pointer)."""
    traces = []
    for number, (name, points) in enumerate(series.items()):
        traces.append(
            {
                "x": [when for when, *_ in points],
                "y": [figure.value for _, figure, _ in points],
                "error_y": _whiskers([figure for _, figure, _ in points]),
                "text": [escape(label) for *_, label in points],
                "hovertemplate": "%{text}<br>%{y:.3f}<extra>" + escape(name) + "</extra>",
                "mode": "lines+markers",
                "name": escape(name),
                "marker": {"color": COLOURS[number % 5], "symbol": SHAPES[number % 5], "size": 8},
            }
        )
    return _plot(traces, 420, yaxis={"rangemode": "tozero"})


def _whiskers(figures: Sequence[Figure]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [figure.high - figure.value for figure in figures],
        "arrayminus": [figure.value - figure.low for figure in figures],
        "thickness": 1.4,
    }


def _plot(traces: Sequence[Mapping[str, Any]], height: int, **axes: Mapping[str, Any]) -> Markup:
    """HTML of a plot; the page sets the colours of text and grid."""
    from plotly.graph_objects import Figure as Plot

    layout = {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 30, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "legend": {"orientation": "h", "y": 1.12, "x": 0},
        **{name: {"automargin": True, **axes.get(name, {})} for name in ("xaxis", "yaxis")},
    }
    config = {"displaylogo": False, "displayModeBar": False, "responsive": True}
    drawn = Plot({"data": list(traces), "layout": layout})
    return Markup(drawn.to_html(full_html=False, include_plotlyjs=False, config=config))
