"""One turn of a conversation as HTML: the question, the answer, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.events.feedback import ANSWERED, COMMENT_CHARS, EDIT_CHARS
from rag.events.records import Episode, Kind
from rag.types import Answer, Sentence
from ui.page.markup import button, esc, with_markers
from ui.page.words import count

ANSWERED_WORDS = dict(zip(ANSWERED, ("Yes", "Partly", "No"), strict=True))
REASON_WORDS = {
    "wrong_paper": "Wrong paper",
    "not_supported": "Not supported",
    "incomplete": "Incomplete",
    "wrong_refusal": "It is in the collection",
    "too_long": "Too long",
}
UNSUPPORTED = "(not supported by the abstracts)"


@dataclass(frozen=True, slots=True)
class Said:
    """What its reader has said about an answer so far."""

    answered: str | None = None
    reasons: frozenset[str] = frozenset()
    comment: str | None = None
    edit: str | None = None

    @classmethod
    def of(cls, episode: Episode) -> Said:
        """The last word of each kind in the record."""
        reasons = {str(one.value) for one in episode.feedback if one.kind == "reason"}
        kinds: tuple[Kind, ...] = ("answered", "comment", "edit")
        latest = {kind: episode.latest(kind) for kind in kinds}
        told = {str(kind): str(one.value) for kind, one in latest.items() if one is not None and one.value is not None}
        return cls(told.get("answered"), frozenset(reasons), told.get("comment"), told.get("edit"))


def working_turn(turn: int, question: str, text: str, progress: str) -> str:
    """A turn whose answer is still being made. text: what has been said so far."""
    body = f'<div class="prose">{plain_text(text)}</div>' if text else ""
    return (
        f'<article class="turn working" id="turn-{turn}" data-turn="{turn}" aria-busy="true">{_question(question)}'
        f'<div class="answer">{body}<p class="progress"><span class="pulse" aria-hidden="true"></span>{esc(progress)}</p>'
        "</div></article>"
    )


def failed_turn(turn: int, question: str, message: str) -> str:
    """A turn that came to nothing, with the reason and a way on."""
    return (
        f'<article class="turn" id="turn-{turn}" data-turn="{turn}">{_question(question, edit=True)}'
        f'<div class="answer failed"><p class="failure" role="alert">{esc(message)}</p>'
        f'<div class="tools">{button("Try again", "retry", turn=turn)}</div></div></article>'
    )


def stopped_turn(turn: int, question: str, text: str) -> str:
    """A turn that its reader has stopped."""
    body = f'<div class="prose">{plain_text(text)}</div>' if text else ""
    return (
        f'<article class="turn" id="turn-{turn}" data-turn="{turn}">{_question(question, edit=True)}'
        f'<div class="answer stopped">{body}<p class="failure">You stopped this answer.</p>'
        f'<div class="tools">{button("Ask again", "retry", turn=turn)}</div></div></article>'
    )


def finished_turn(turn: int, answer: Answer, said: Said, steering: str = "") -> str:
    """A turn with its answer. steering: HTML, folded away below it."""
    parts = [_question(answer.question, edit=True)]
    kind = "abstention" if answer.abstained else "answer"
    body = _abstention(turn, answer) if answer.abstained else _prose(turn, answer, said)
    notice = f'<p class="notice">{esc(answer.notice)}</p>' if answer.notice else ""
    parts.append(f'<div class="{kind}">{body}{notice}{_tools(turn, answer)}{_verdict(answer, said)}{steering}</div>')
    return f'<article class="turn" id="turn-{turn}" data-turn="{turn}" data-answer="{esc(answer.id)}">{"".join(parts)}</article>'


def _question(question: str, *, edit: bool = False) -> str:
    tool = button("Edit", "edit-question", cls="quiet small", label="Edit this question") if edit else ""
    return f'<div class="question"><h2 dir="auto">{esc(question)}</h2>{tool}</div>'


def _prose(turn: int, answer: Answer, said: Said) -> str:
    original = marked_up(turn, answer)
    if said.edit is None:
        return f'<div class="prose" dir="auto">{original}</div>'
    markers = [citation.marker for citation in answer.citations]
    lines = "".join(f"<p>{with_markers(line, turn, markers)}</p>" for line in said.edit.splitlines() if line.strip())
    return (
        f'<p class="badge">Edited by you</p><div class="prose edited" dir="auto">{lines}</div>'
        f'<details class="original"><summary>The original answer</summary>'
        f'<div class="prose" dir="auto">{original}</div></details>'
    )


def marked_up(turn: int, answer: Answer) -> str:
    """The answer's text with paragraphs, lists, links to evidence and marks on what is unsupported."""
    if not answer.sentences:
        return plain_text(answer.text)
    papers = {citation.marker: citation.paper_id for citation in answer.citations}
    titles = {citation.marker: citation.title for citation in answer.citations}
    blocks: list[tuple[str, list[str]]] = []
    place = 0
    for sentence in answer.sentences:
        found = answer.text.find(sentence.text, place)
        joint = answer.text[place:found] if found >= 0 else "\n\n"
        place = found + len(sentence.text) if found >= 0 else place
        item = sentence.text.startswith("- ")
        if not blocks or item or "\n" in joint:
            blocks.append(("li" if item else "p", []))
        blocks[-1][1].append(_sentence(turn, sentence, papers, titles))
    return _joined([(tag, " ".join(spans)) for tag, spans in blocks])


def _sentence(turn: int, sentence: Sentence, papers: dict[int, str], titles: dict[int, str]) -> str:
    text = sentence.text.removeprefix("- ")
    known = [marker for marker in sentence.citations if marker in papers]
    named = [titles[marker] for marker in known]
    leans = " ".join(str(marker) for marker in known)
    if sentence.supported:
        return f'<span class="said" data-leans="{leans}">{with_markers(text, turn, known, named)}</span>'
    bare = text.replace(UNSUPPORTED, "").strip()
    return (
        f'<span class="said unsupported" data-leans="{leans}">{with_markers(bare, turn, known, named)} '
        '<span class="flag">not supported by the abstracts</span></span>'
    )


def plain_text(text: str) -> str:
    """Running text as paragraphs and list items; its markers are not links yet."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _joined(
        [
            ("li", with_markers(line[2:], 0, ())) if line.startswith("- ") else ("p", with_markers(line, 0, ()))
            for line in lines
        ]
    )


def _joined(blocks: Sequence[tuple[str, str]]) -> str:
    html = "".join(f"<{tag}>{body}</{tag}>" for tag, body in blocks)
    return re.sub(r"(?:<li>.*?</li>)+", lambda run: f"<ul>{run.group()}</ul>", html, flags=re.DOTALL)


def _abstention(turn: int, answer: Answer) -> str:
    near = "".join(
        f"<li>{with_markers(f'[{one.marker}]', turn, [one.marker])} <cite>{esc(one.title)}</cite>"
        f'<blockquote dir="auto">{esc(one.quote)}</blockquote></li>'
        for one in answer.closest
    )
    better = "".join(f"<li>{button(one, 'suggest', cls='suggestion')}</li>" for one in answer.suggestions)
    reason = answer.abstain_reason or answer.text
    return (
        '<p class="verdict">The collection does not answer this</p>'
        f'<p class="missing" dir="auto">{esc(reason)}</p>'
        + (f'<h3>Closest evidence</h3><ul class="closest">{near}</ul>' if near else "")
        + (f'<h3>You could ask instead</h3><ul class="suggestions">{better}</ul>' if better else "")
    )


def copy_text(answer: Answer, edit: str | None = None) -> str:
    """The answer and what it cites, as plain text to paste elsewhere."""
    lines = [edit or answer.text]
    if answer.citations:
        lines.append("")
        lines += [f"[{one.marker}] {one.title}. “{one.quote}”" for one in answer.citations]
    return "\n".join(lines)


def _tools(turn: int, answer: Answer) -> str:
    tools = [button("Copy", "copy", title="Copy the answer with its citations")]
    if not answer.abstained:
        tools.append(button("Edit answer", "edit-answer", limit=EDIT_CHARS))
    tools.append(button("Retry", "retry", turn=turn, title="Ask the same question again"))
    shown = len({one.paper_id for one in (answer.closest if answer.abstained else answer.citations)})
    if shown:
        tools.append(button(f"Evidence: {count(shown, 'paper')}", "show-evidence", turn=turn))
    return f'<div class="tools">{"".join(tools)}</div><template class="copy">{esc(copy_text(answer))}</template>'


def _verdict(answer: Answer, said: Said) -> str:
    options = "".join(
        button(word, "answered", cls="chip", value=value, pressed=said.answered == value)
        for value, word in ANSWERED_WORDS.items()
    )
    fitting = [reason for reason in REASON_WORDS if (reason == "wrong_refusal") <= answer.abstained]
    if answer.abstained:
        fitting = ["wrong_refusal", "wrong_paper"]
    reasons = "".join(
        button(REASON_WORDS[reason], "reason", cls="chip", value=reason, pressed=reason in said.reasons)
        for reason in fitting
    )
    unfold = said.answered in {"partly", "no"} or bool(said.reasons) or bool(said.comment)
    return (
        f'<div class="judge" role="group" aria-label="Did this answer your question?"><span>Did this answer your question?</span>'
        f'{options}<span class="saved" role="status"></span></div>'
        f'<div class="why"{"" if unfold else " hidden"}><div class="reasons" role="group" aria-label="What was wrong?">{reasons}</div>'
        f'<form class="comment" data-form="comment"><input type="text" name="comment" maxlength="{COMMENT_CHARS}" '
        f'aria-label="Comment on this answer" placeholder="Anything else? (optional)" value="{esc(said.comment or "")}">'
        '<button type="submit" class="quiet">Save</button></form></div>'
    )
