"""Which record of events the settings mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.events.store import EventStore
from rag.policy.forgetting import strike
from rag.policy.store import PolicyStore

if TYPE_CHECKING:
    from rag.settings import Settings

FILE = "events.db"  # in the data folder, unless a database is named by URL


def open_store(settings: Settings) -> EventStore:
    """Open the record that the settings name. Raises as ``EventStore.open`` does."""
    url = settings.events_url.get_secret_value() if settings.events_url else settings.data_dir / FILE
    return EventStore.open(
        url,
        keep_questions=settings.keep_questions,
        retention_days=settings.retention_days,
        gone=lambda said: strike(PolicyStore(settings.data_dir / "policies"), said),
    )
