"""Turns of a conversation as HTML: the question, what became of it, and what can be done about it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rag.events.feedback import COMMENT_CHARS, EDIT_CHARS
from rag.types import Answer
from ui.page.evidence import evidence_of
from ui.page.prose import marked_up, marker, plain_text, with_markers
from ui.page.render import render
from ui.page.said import Said

if TYPE_CHECKING:
    from rag.events.records import Conversation, Episode
    from ui.services import Services

REASONS = (
    ("wrong_paper", "Wrong paper"),
    ("not_supported", "Not supported"),
    ("incomplete", "Incomplete"),
    ("too_long", "Too long"),
)
REFUSAL_REASONS = (("wrong_refusal", "The answer is in the collection"), ("wrong_paper", "Wrong papers"))
NOT_KEPT = "This Readback does not keep the words of conversations, so they cannot be shown again."


def working_turn(turn: int, question: str, text: str, progress: str) -> Markup:
    """A turn whose answer is still being made. text: what has been said so far."""
    words = plain_text(text) if text else None
    return render("working", turn=turn, question=question, answer_id=None, busy=True, words=words, progress=progress)


def failed_turn(turn: int, question: str, message: str) -> Markup:
    """A turn that came to nothing, with the reason and a way on."""
    return render("failed", turn=turn, question=question, answer_id=None, busy=False, message=message)


def copy_text(answer: Answer, edit: str | None = None) -> str:
    """The answer and what it cites, as plain text to paste elsewhere."""
    quotes = [f"[{one.marker}] {one.title}. “{one.quote}”" for one in answer.citations]
    return "\n".join([edit or answer.text, *(["", *quotes] if quotes else [])])


class Turns:
    """Puts an answer together with the papers that it cites and what its reader has said about it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def finished(self, turn: int, answer: Answer, episode: Episode | None = None) -> dict[str, Markup]:
        """``html`` of the turn and ``evidence`` beside it. episode: what its reader has said about it."""
        said = Said.of(episode) if episode else Said()
        quoted = answer.closest if answer.abstained else answer.citations
        markers = [one.marker for one in (*answer.citations, *answer.closest)]
        edited = None
        if said.edit is not None:
            edited = [with_markers(line, turn, markers) for line in said.edit.splitlines() if line.strip()]
        papers = {one.paper_id for one in quoted}
        html = render(
            "finished",
            turn=turn,
            question=answer.question,
            answer_id=answer.id,
            busy=False,
            answer=answer,
            said=said,
            words=marked_up(turn, answer),
            edited=edited,
            marker=partial(marker, turn, known=markers),
            cited=len(papers),
            copied=copy_text(answer, said.edit),
            reasons=REFUSAL_REASONS if answer.abstained else REASONS,
            limits={"edit": EDIT_CHARS, "comment": COMMENT_CHARS},
            settings=self._services.settings,
        )
        held = self._services.papers.some(papers)
        return {"html": html, "evidence": evidence_of(turn, answer, held, said.useful)}

    def conversation(self, conversation: Conversation) -> dict[str, Any]:
        """All turns of a conversation, as ``html``, their ``evidence``, and the number of the ``last``."""
        last = max((one.interaction.turn or 0 for one in conversation.turns), default=0)
        shown = [
            self.finished(one.interaction.turn or place, one.interaction.answer, one)
            for place, one in enumerate(conversation.turns, start=1)
            if one.interaction.answer is not None
        ]
        html = Markup("").join(one["html"] for one in shown)
        return {
            "html": html or Markup('<p class="hint">{}</p>').format(NOT_KEPT),
            "evidence": Markup("").join(one["evidence"] for one in shown),
            "last": max(last, len(shown)),
        }
