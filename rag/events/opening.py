"""Which record of events the settings mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.events.store import EventStore

if TYPE_CHECKING:
    from rag.settings import Settings

FILE = "events.db"  # in the data folder, unless a database is named by URL


def open_store(settings: Settings) -> EventStore:
    """Open the record that the settings name. Raises as ``EventStore.open`` does."""
    url = getattr(settings, "events_url", None)
    secret = getattr(url, "get_secret_value", None)  # a URL with a password may come wrapped
    return EventStore.open(
        (secret() if secret else url) or settings.data_dir / FILE,
        keep_questions=getattr(settings, "keep_questions", True),
        retention_days=getattr(settings, "retention_days", None),
    )
