"""The folded controls below an answer: what was searched, which papers, how many, quotes or words, which model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.types import Answer
from ui.page.markup import attributes, esc

if TYPE_CHECKING:
    from rag.settings import Settings

LISTED = 10  # papers to keep or leave out
COUNTS = (1, 2, 3, 5, 8)


def steering(answer: Answer, settings: Settings) -> str:
    """A form that asks this turn again in another way."""
    papers = "".join(_paper_row(paper.paper_id, paper.title) for paper in answer.retrieved[:LISTED])
    counts = '<option value="0">As it sees fit</option>' + "".join(
        f'<option value="{number}">At most {number}</option>' for number in COUNTS
    )
    picked = f'<fieldset><legend>Papers</legend><div class="pick">{papers}</div></fieldset>' if papers else ""
    return (
        '<details class="steer"><summary>Adjust and ask again</summary><form data-form="steer">'
        f'<label class="wide">Searched for<textarea name="standalone" rows="2" dir="auto">{esc(answer.standalone_question)}'
        f"</textarea></label>{picked}"
        f'<div class="row"><label>Papers in the answer<select name="papers">{counts}</select></label>{_writing(settings)}'
        '<button type="submit" class="primary">Ask again</button></div></form></details>'
    )


def _paper_row(paper_id: str, title: str) -> str:
    options = "".join(
        f'<option value="{value}">{word}</option>'
        for value, word in (("", "As found"), ("include", "Only from this"), ("exclude", "Leave out"))
    )
    return (
        f'<label class="paper-row"><span dir="auto">{esc(title)}</span>'
        f'<select name="paper"{attributes({"data-paper": paper_id})}>{options}</select></label>'
    )


def _writing(settings: Settings) -> str:
    """Quotes or words, and the model; where there is no model there is nothing to choose."""
    if not settings.has_model:
        return ""
    preset = "Written" if settings.writes else "Quotes only"
    return (
        f'<label>Answer<select name="mode"><option value="">Usual ({preset})</option>'
        '<option value="extractive">Quotes only</option><option value="generative">Written</option></select></label>'
        f'<label>Model<input type="text" name="model" maxlength="100" placeholder="{esc(settings.chat_model)}"></label>'
    )
