"""What this Readback is set up to do, for whoever asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag import __version__
from ui.page.calls import Given
from ui.render import render
from ui.words import count

if TYPE_CHECKING:
    from ui.services import Services


class About:
    """The page's call for its own setup. It names no address and no key."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def show(self, _given: Given, _user: str) -> dict[str, Any]:
        """Each part in one line."""
        services, settings = self._services, self._services.settings
        if settings.writes:
            answers = f"written by {settings.chat_model}, every sentence checked against the abstracts"
        elif settings.has_model:
            answers = "made of quotes, because READBACK_MODE=extractive"
        else:
            answers = "made of quotes: no language model is configured (OPENAI_API_KEY, or OPENAI_BASE_URL, in .env)"
        rows = [
            ("Answers", answers),
            (
                "Collection",
                count(len(services.papers.matching()), "paper") + (", fixed" if services.papers.fixed else ""),
            ),
            ("Embedder", settings.embed_model.rpartition("/")[2]),
            ("Policy", services.assistant.policy().version),
            ("Record", "questions and answers are kept" if settings.keep_questions else "no words are kept"),
            ("Version", __version__),
        ]
        return {"html": render("about", rows=rows)}
