"""Answers and conversations → the HTML that the page shows, with the papers looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.events.records import Conversation, Episode
from rag.types import Answer, Paper
from ui.page.steering import steering
from ui.page.view_answer import Said, finished_turn
from ui.page.view_evidence import evidence_of

if TYPE_CHECKING:
    from ui.services import Services

NOT_KEPT = "This Readback does not keep the words of conversations, so they cannot be shown again."


class Shower:
    """Puts an answer together with the papers that it cites."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def answer(self, turn: int, answer: Answer, episode: Episode | None = None) -> dict[str, str]:
        """``html`` of the turn and ``evidence`` beside it. episode: what its reader has said about it."""
        said = Said.of(episode) if episode else Said()
        useful = {
            one.paper_id: str(one.value)
            for one in (episode.feedback if episode else ())
            if one.kind == "evidence" and one.paper_id
        }
        return {
            "html": finished_turn(turn, answer, said, steering(answer, self._services.settings)),
            "evidence": evidence_of(turn, answer, self._papers(answer), useful),
        }

    def conversation(self, conversation: Conversation) -> dict[str, Any]:
        """All turns of a conversation, as ``html``, and their ``evidence``."""
        shown = [
            self.answer(number, one.interaction.answer, one)
            for number, one in enumerate(conversation.turns, start=1)
            if one.interaction.answer is not None
        ]
        if not shown:
            return {"html": f'<p class="hint">{NOT_KEPT}</p>', "evidence": "", "turns": 0}
        return {
            "html": "".join(one["html"] for one in shown),
            "evidence": "".join(one["evidence"] for one in shown),
            "turns": len(shown),
        }

    def _papers(self, answer: Answer) -> dict[str, Paper]:
        cited = {one.paper_id for one in (*answer.citations, *answer.closest)}
        found = self._services.assistant.index.catalog.some(cited)
        return {paper_id: paper for paper_id, (paper, _) in found.items()}
