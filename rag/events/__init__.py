"""The append-only record of what happened: questions, answers, and what people did with them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rag.events.errors import EventError, EventRefused, EventsUnavailable, EventUnknown
from rag.events.records import (
    Conversation,
    ConversationSummary,
    Counts,
    Episode,
    Exposure,
    Feedback,
    Health,
    Interaction,
    Kind,
    Source,
    Stats,
)

if TYPE_CHECKING:
    from rag.events.opening import open_store
    from rag.events.store import EventStore

__all__ = [
    "Conversation",
    "ConversationSummary",
    "Counts",
    "Episode",
    "EventError",
    "EventRefused",
    "EventStore",
    "EventUnknown",
    "EventsUnavailable",
    "Exposure",
    "Feedback",
    "Health",
    "Interaction",
    "Kind",
    "Source",
    "Stats",
    "open_store",
]


def __getattr__(name: str) -> Any:
    """EventStore and open_store, when first used: they bring SQLAlchemy, which takes its time."""
    if name in {"EventStore", "open_store"}:
        module = "rag.events.store" if name == "EventStore" else "rag.events.opening"
        return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
