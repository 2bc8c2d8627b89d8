"""One turn of a conversation as HTML: the question, what became of it, and what can be done about it."""

from __future__ import annotations

from rag.events.feedback import ANSWERED, COMMENT_CHARS, EDIT_CHARS
from rag.types import Answer
from ui.page.markup import Html, button, el, join, marker, with_markers
from ui.page.said import Said
from ui.page.view_prose import marked_up, plain_text
from ui.page.words import count

ANSWERED_WORDS = dict(zip(ANSWERED, ("Yes", "Partly", "No"), strict=True))
REASON_WORDS = {
    "wrong_paper": "Wrong paper",
    "not_supported": "Not supported",
    "incomplete": "Incomplete",
    "too_long": "Too long",
}
REFUSAL_WORDS = {"wrong_refusal": "The answer is in the collection", "wrong_paper": "Wrong papers"}
REFUSED = "The collection does not answer this"


def working_turn(turn: int, question: str, text: str, progress: str) -> Html:
    """A turn whose answer is still being made. text: what has been said so far."""
    pulse = el("span", cls="pulse", aria_hidden="true")
    said = el("div", plain_text(text), cls="words") if text else None
    body = el("div", said, el("p", pulse, progress, cls="progress"), cls="answer")
    return _turn(turn, _question(question), body, cls="turn working", aria_busy="true")


def failed_turn(turn: int, question: str, message: str) -> Html:
    """A turn that came to nothing, with the reason and a way on."""
    tools = el("div", button("Try again", "retry"), cls="tools")
    body = el("div", el("p", message, cls="failure", role="alert"), tools, cls="answer")
    return _turn(turn, _question(question, edit=True), body)


def finished_turn(turn: int, answer: Answer, said: Said, steering: Html) -> Html:
    """A turn with its answer. steering: the controls that are folded away below it."""
    body = el(
        "div",
        _abstention(turn, answer, said) if answer.abstained else _answer(turn, answer, said),
        el("p", answer.notice, cls="notice") if answer.notice else None,
        _tools(answer, said),
        _verdict(answer, said),
        steering,
        cls="abstention" if answer.abstained else "answer",
    )
    return _turn(turn, _question(answer.question, edit=True), body, data_answer=answer.id)


def copy_text(answer: Answer, edit: str | None = None) -> str:
    """The answer and what it cites, as plain text to paste elsewhere."""
    quotes = [f"[{one.marker}] {one.title}. “{one.quote}”" for one in answer.citations]
    return "\n".join([edit or answer.text, *(["", *quotes] if quotes else [])])


def _turn(turn: int, *children: Html, cls: str = "turn", **more: object) -> Html:
    return el("article", *children, cls=cls, id=f"turn-{turn}", data_turn=turn, **more)


def _question(question: str, *, edit: bool = False) -> Html:
    tool = button("Edit", "edit-question", cls="quiet small", label="Edit this question") if edit else None
    return el("div", el("h2", question, dir="auto"), tool, cls="question")


def _answer(turn: int, answer: Answer, said: Said) -> Html:
    original = el("div", marked_up(turn, answer), cls="words", dir="auto")
    if said.edit is None:
        return original
    return join(
        _edited(turn, answer, said.edit, "Edited by you"),
        el("details", el("summary", "The original answer"), original, cls="original"),
    )


def _edited(turn: int, answer: Answer, edit: str, by: str) -> Html:
    markers = [citation.marker for citation in (*answer.citations, *answer.closest)]
    lines = (el("p", with_markers(line, turn, markers)) for line in edit.splitlines() if line.strip())
    return join(el("p", by, cls="badge"), el("div", lines, cls="words", dir="auto"))


def _abstention(turn: int, answer: Answer, said: Said) -> Html:
    near = [
        el(
            "li",
            el("cite", one.title),
            marker(turn, one.marker, [one.marker]),
            el("blockquote", one.quote, dir="auto"),
        )
        for one in answer.closest
    ]
    better = [el("li", button(one, "suggest", cls="suggestion")) for one in answer.suggestions]
    return join(
        None if said.edit is None else _edited(turn, answer, said.edit, "Written by you"),
        el("p", REFUSED, cls="verdict"),
        el("p", answer.abstain_reason or answer.text, cls="missing", dir="auto"),
        (el("h3", "Closest evidence"), el("ul", near, cls="closest")) if near else None,
        (el("h3", "You could ask instead"), el("ul", better, cls="suggestions")) if better else None,
    )


def _tools(answer: Answer, said: Said) -> Html:
    papers = {one.paper_id for one in (answer.closest if answer.abstained else answer.citations)}
    tools = [
        button("Copy", "copy", title="Copy the answer with its citations"),
        button("Write the answer" if answer.abstained else "Edit answer", "edit-answer", data_limit=EDIT_CHARS),
        button("Retry", "retry", title="Ask the same question again"),
        button(f"Evidence: {count(len(papers), 'paper')}", "show-evidence") if papers else None,
    ]
    text = el("template", said.edit or ("" if answer.abstained else answer.text), cls="text")
    return join(el("div", tools, cls="tools"), text, el("template", copy_text(answer, said.edit), cls="copy"))


def _verdict(answer: Answer, said: Said) -> Html:
    ask = "Did this answer your question?"
    options = (
        button(word, "answered", cls="chip", data_value=value, pressed=said.answered == value)
        for value, word in ANSWERED_WORDS.items()
    )
    reasons = (
        button(word, "reason", cls="chip", data_value=reason, pressed=reason in said.reasons)
        for reason, word in (REFUSAL_WORDS if answer.abstained else REASON_WORDS).items()
    )
    comment = el(
        "input",
        type="text",
        name="comment",
        maxlength=COMMENT_CHARS,
        aria_label="Comment on this answer",
        placeholder="Anything else? (optional)",
        value=said.comment or "",
    )
    save = el("button", "Save", type="submit", cls="quiet", aria_label="Save the comment")
    return join(
        el("div", el("span", ask), options, _saved(), cls="judge", role="group", aria_label=ask),
        el(
            "div",
            el("div", reasons, cls="reasons", role="group", aria_label="What was wrong?"),
            el("form", comment, save, cls="comment", data_form="comment"),
            cls="why",
            hidden=not said.unhappy,
        ),
    )


def _saved() -> Html:
    return el("span", cls="saved", role="status")
