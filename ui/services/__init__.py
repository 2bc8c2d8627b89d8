"""The application layer: everything that people and programs do with Readback, whichever face they came through.

The chat page, the HTTP API, MCP and the command line translate to and from these operations; they decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from ui.services.asking import Asking
from ui.services.conversations import Conversations, Place
from ui.services.learning import Learning
from ui.services.metrics import Metrics
from ui.services.papers import Papers
from ui.services.rates import Rates
from ui.services.readiness import Readiness
from ui.services.runs import LOCAL, Asker
from ui.services.setup import Setup

if TYPE_CHECKING:
    from rag.engine import Assistant
    from rag.events import EventStore
    from rag.settings import Settings

__all__ = ["LOCAL", "Asker", "Place", "Services"]


class Services:
    """Opens and holds what the operations work on. Safe to use from many threads."""

    def __init__(self, settings: Settings, assistant: Assistant, store: EventStore) -> None:
        """``Services.open`` makes all three; close() closes assistant and store."""
        self.settings, self.assistant, self.store = settings, assistant, store
        self.metrics = Metrics()
        self.rates = Rates(settings.user_per_minute, settings.address_per_minute, settings.upload_mb)
        self.conversations = Conversations(settings, store, self.metrics)
        self.asking = Asking(settings, assistant, self.conversations, self.rates, self.metrics)
        self.papers = Papers(settings, assistant)
        self.learning = Learning(assistant, store)
        self.setup = Setup(self)
        self.readiness = Readiness(settings, assistant, store)

    @classmethod
    def open(cls, settings: Settings, progress: Callable[[int], None] = lambda _: None) -> Self:
        """Open assistant and record. progress: told how many more papers of the shipped corpus are indexed.

        Raises SettingsError, IndexUnusable, PolicyError or EventError: a damaged file stops it here.
        """
        from rag.engine import Assistant
        from rag.events.opening import open_store

        store = open_store(settings)  # the quicker of the two, and the one that may refuse
        try:
            services = cls(settings, Assistant.open(settings, progress=progress), store)
            services.readiness.check()
        except BaseException:
            store.close()
            raise
        return services

    def use(self, settings: Settings) -> None:
        """Have answers written by the model that these settings name, from the next question on."""
        self.settings = settings
        self.assistant.use(settings)
        self.asking.use(settings)

    def drain(self, timeout_s: float) -> None:
        """Begin nothing more, and end what is in work. timeout_s: how long answers may take."""
        self.papers.close()
        self.asking.close(timeout_s)

    def close(self) -> None:
        """Finish what waits to be recorded and let go of everything. Doing it again is fine."""
        self.drain(2.0)
        self.store.close()
        self.assistant.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
