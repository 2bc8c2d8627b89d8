"""What can go wrong with the record of events. ``str(error)`` is fit to show the user.

EventError
├── EventRefused        the event makes no sense: unknown kind, value out of range
├── EventUnknown        no such answer or conversation, or it is another person's
└── EventsUnavailable   the database is busy, away or full: trying again later may help
"""

from __future__ import annotations

from rag.errors import ReadbackError


class EventError(ReadbackError):
    """The record of events cannot do what was asked."""


class EventRefused(EventError):
    """The event is not one that can be stored: says what would be."""


class EventUnknown(EventError):
    """There is no such answer or conversation for this person."""


class EventsUnavailable(EventError):
    """The database of events cannot be used now."""
