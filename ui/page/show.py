"""Answers and conversations → the HTML that the page shows, with the papers looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.events.records import Conversation, Episode
from rag.types import Answer, Paper
from ui.page.markup import Html, el, join
from ui.page.said import Said
from ui.page.steering import steering
from ui.page.view_evidence import evidence_of
from ui.page.view_turn import finished_turn

if TYPE_CHECKING:
    from ui.services import Services

NOT_KEPT = "This Readback does not keep the words of conversations, so they cannot be shown again."


class Shower:
    """Puts an answer together with the papers that it cites."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def answer(self, turn: int, answer: Answer, episode: Episode | None = None) -> dict[str, Html]:
        """``html`` of the turn and ``evidence`` beside it. episode: what its reader has said about it."""
        said = Said.of(episode) if episode else Said()
        return {
            "html": finished_turn(turn, answer, said, steering(answer, self._services.settings)),
            "evidence": evidence_of(turn, answer, self._papers(answer), said.useful),
        }

    def conversation(self, conversation: Conversation) -> dict[str, Any]:
        """All turns of a conversation, as ``html``, their ``evidence``, and the number of the ``last``."""
        last = max((one.interaction.turn or 0 for one in conversation.turns), default=0)
        shown = [
            (one.interaction.turn or place, one.interaction.answer, one)
            for place, one in enumerate(conversation.turns, start=1)
            if one.interaction.answer is not None
        ]
        if not shown:
            return {"html": el("p", NOT_KEPT, cls="hint"), "evidence": "", "last": last}
        made = [self.answer(turn, answer, episode) for turn, answer, episode in shown]
        return {
            "html": join([one["html"] for one in made]),
            "evidence": join([one["evidence"] for one in made]),
            "last": max(last, shown[-1][0]),
        }

    def _papers(self, answer: Answer) -> dict[str, Paper]:
        cited = {one.paper_id for one in (*answer.citations, *answer.closest)}
        return self._services.papers.some(cited)
