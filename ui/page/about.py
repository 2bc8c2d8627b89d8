"""What this Readback is set up to do, and the choice of its model, for whoever may choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag import __version__
from rag.errors import SettingsError
from ui.access.exposure import exposure_of
from ui.page import arguments
from ui.page.calls import Given
from ui.render import render
from ui.services.setup import Choice
from ui.words import count

if TYPE_CHECKING:
    from ui.services import Services


class About:
    """The page's calls for its own setup. They tell no key, and no address where people have to log in."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._private = not exposure_of(services.settings).login

    def show(self, _given: Given, _user: str) -> dict[str, Any]:
        """Each part in one line, and a form where somebody runs Readback for themselves."""
        services, settings = self._services, self._services.settings
        if settings.writes:
            answers = f"written by {settings.chat_model}, every sentence checked against the abstracts"
        elif settings.has_model:
            answers = "made of quotes, because READBACK_MODE=extractive"
        else:
            answers = "made of quotes: no language model is configured"
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
        setup = services.setup
        return {
            "html": render(
                "about",
                rows=rows,
                may_choose=self._may_choose,
                settings=settings,
                model_decided=setup.model_decided,
                embedder_decided=setup.embedder_decided,
            )
        }

    def try_out(self, given: Given, _user: str) -> dict[str, Any]:
        """Try what was typed, without keeping it."""
        choice, setup = self._choice(given), self._services.setup
        tried = setup.try_embedder if given.get("part") == "embedder" else setup.try_model
        return {"said": tried(choice)}

    def save(self, given: Given, user: str) -> dict[str, Any]:
        """Keep what was typed. It holds from the next question on, but for an embedder."""
        other_embedder = self._services.setup.save(self._choice(given))
        said = "Saved: it holds from the next question on."
        if other_embedder:
            said = "Saved. To use the new embedder, stop Readback, run: readback index --rebuild, and start it again."
        return {"said": said, **self.show(given, user)}

    @property
    def _may_choose(self) -> bool:
        return self._private and not self._services.settings.read_only

    def _choice(self, given: Given) -> Choice:
        if not self._may_choose:
            raise SettingsError("Whoever runs this Readback chooses its model, in .env.")
        return Choice(**{name: arguments.text(given, name, 500) for name in ("base_url", "key", "model", "embedder")})
