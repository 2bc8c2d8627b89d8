"""The drawings of the report. Text in them is escaped, because plotly reads some HTML in labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.measures import Graded, right
from eval.metrics import risk_coverage
from eval.report.page import esc
from eval.summary import Figure

COLOURS = ("#2f6fdb", "#d9822b", "#2f9e78", "#a05bb5", "#8a8f98")  # told apart in both themes, and by shape too
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross")


def layout(height: int, **more: Any) -> dict[str, Any]:
    """What all drawings share; colours of text and grid are set by the page."""
    return {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 30, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "legend": {"orientation": "h", "y": 1.12, "x": 0},
        "xaxis": {"automargin": True},
        "yaxis": {"automargin": True},
        **more,
    }


def forest(systems: Mapping[str, Mapping[str, Figure]], measures: Sequence[str]) -> Any:
    """Systems beside each other on some measures, with their intervals."""
    import plotly.graph_objects as go

    plot = go.Figure()
    for number, (name, figures) in enumerate(systems.items()):
        have = [measure for measure in measures if measure in figures]
        offset = (number - (len(systems) - 1) / 2) * 0.17
        values = [figures[measure].value for measure in have]
        plot.add_trace(
            go.Scatter(
                x=values,
                y=[len(measures) - 1 - measures.index(measure) - offset for measure in have],
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [figures[measure].high - figures[measure].value for measure in have],
                    "arrayminus": [figures[measure].value - figures[measure].low for measure in have],
                    "thickness": 1.4,
                },
                text=[esc(measure) for measure in have],
                hovertemplate="%{text}: %{x:.3f}<extra>" + esc(name) + "</extra>",
                mode="markers",
                name=esc(name),
                marker={"size": 9, "color": COLOURS[number % 5], "symbol": SHAPES[number % 5]},
            )
        )
    ticks = [len(measures) - 1 - place for place in range(len(measures))]
    plot.update_layout(
        layout(
            80 + 62 * len(measures),
            xaxis={"range": [-0.02, 1.02]},
            yaxis={"tickvals": ticks, "ticktext": [esc(measure) for measure in measures], "automargin": True},
        )
    )
    return plot


def risk(graded: Mapping[str, Sequence[Graded]]) -> Any:
    """How wrong the answers are, if only the most confident ones were given."""
    import plotly.graph_objects as go

    plot = go.Figure()
    for number, (name, some) in enumerate(graded.items()):
        answered = [one for one in some if one.asker is None and one.answer is not None and one.answered]
        if not answered:
            continue
        sure = [one.answer.confidence for one in answered if one.answer]
        curve = risk_coverage(sure, [1.0 - right(one) for one in answered])
        share = len(answered) / sum(one.asker is None for one in some)
        line = {"color": COLOURS[number % 5], "width": 2}
        x, y = [coverage * share for coverage, _ in curve], [loss for _, loss in curve]
        plot.add_trace(go.Scatter(x=x, y=y, mode="lines", name=esc(name), line=line))
    axes = {
        "xaxis": {"title": "share of questions answered", "range": [0, 1]},
        "yaxis": {"title": "mean loss", "range": [0, 1]},
    }
    plot.update_layout(layout(340, **axes))
    return plot


def calibration(graded: Sequence[Graded], bins: int = 8) -> Any:
    """Stated confidence against how often the collection does hold the answer, in bins of equal mass."""
    import plotly.graph_objects as go

    some = sorted(
        (one.answer.confidence, float(one.question.answerable))
        for one in graded
        if one.asker is None and one.answer is not None and one.question.expects != "correct"
    )
    plot = go.Figure()
    plot.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": COLOURS[4]}, name="perfect")
    )
    parts = [part for part in np.array_split(np.array(some), min(bins, len(some)) or 1) if len(part)]
    plot.add_trace(
        go.Scatter(
            x=[float(part[:, 0].mean()) for part in parts],
            y=[float(part[:, 1].mean()) for part in parts],
            mode="lines+markers",
            name="readback",
            marker={"size": 9, "color": COLOURS[0]},
        )
    )
    axes = {"xaxis": {"title": "confidence", "range": [0, 1]}, "yaxis": {"title": "answerable", "range": [-0.03, 1.03]}}
    plot.update_layout(layout(340, **axes))
    return plot


def bars(counts: Mapping[str, int]) -> Any:
    """Counts as lying bars, in the order given."""
    import plotly.graph_objects as go

    names = [esc(name) for name in list(counts)[::-1]]
    plot = go.Figure(go.Bar(y=names, x=list(counts.values())[::-1], orientation="h", marker={"color": COLOURS[0]}))
    plot.update_layout(layout(80 + 34 * len(counts)))
    return plot


def lines(series: Mapping[str, Sequence[tuple[str, Figure, str]]]) -> Any:
    """Measures over time. series: measure → (when, figure, label for the pointer)."""
    import plotly.graph_objects as go

    plot = go.Figure()
    for number, (name, points) in enumerate(series.items()):
        values = [figure.value for _, figure, _ in points]
        plot.add_trace(
            go.Scatter(
                x=[when for when, *_ in points],
                y=values,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [figure.high - figure.value for _, figure, _ in points],
                    "arrayminus": [figure.value - figure.low for _, figure, _ in points],
                    "thickness": 1,
                },
                text=[esc(label) for *_, label in points],
                hovertemplate="%{text}<br>%{y:.3f}<extra>" + esc(name) + "</extra>",
                mode="lines+markers",
                name=esc(name),
                marker={"color": COLOURS[number % 5], "symbol": SHAPES[number % 5], "size": 8},
            )
        )
    plot.update_layout(layout(420, yaxis={"automargin": True, "rangemode": "tozero"}))
    return plot
