"""The folded controls below an answer: what was searched, which papers, how many, quotes or words, which model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.types import Answer
from ui.page.markup import Html, el

if TYPE_CHECKING:
    from rag.settings import Settings

LISTED = 10  # papers to keep or leave out
COUNTS = (1, 2, 3, 5, 8)


def steering(answer: Answer, settings: Settings) -> Html:
    """A form that asks this turn again in another way."""
    searched = el("textarea", answer.standalone_question, name="standalone", rows=2, dir="auto")
    rows = [_paper_row(paper.paper_id, paper.title) for paper in answer.retrieved[:LISTED]]
    picked = el("fieldset", el("legend", "Papers found"), el("div", rows, cls="pick")) if rows else None
    counts = [("0", "No limit"), *((str(number), f"Up to {number}") for number in COUNTS)]
    controls = el(
        "div",
        el("label", "Papers in the answer", _select("papers", counts)),
        _writing(settings),
        el("button", "Ask again", type="submit", cls="primary"),
        cls="row",
    )
    form = el("form", el("label", "Searched for", searched), picked, controls, data_form="steer")
    return el("details", el("summary", "Adjust and ask again"), form, cls="steer")


def _select(name: str, options: list[tuple[str, str]], **more: object) -> Html:
    return el("select", (el("option", word, value=value) for value, word in options), name=name, **more)


def _paper_row(paper_id: str, title: str) -> Html:
    options = [("", "As found"), ("include", "Only from this"), ("exclude", "Leave out")]
    choice = _select("paper", options, data_paper=paper_id)
    return el("label", el("span", title, dir="auto"), choice, cls="paper-row")


def _writing(settings: Settings) -> list[Html]:
    """Quotes or words, and the model; where there is no model there is nothing to choose."""
    if not settings.has_model:
        return []
    usual = "written" if settings.writes else "quotes only"
    modes = [("", f"Usual ({usual})"), ("extractive", "Quotes only"), ("generative", "Written")]
    model = el("input", type="text", name="model", maxlength=100, placeholder=settings.chat_model)
    return [el("label", "Answer", _select("mode", modes)), el("label", "Model", model)]
