"""What readers say and do about answers, on its way into the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.events.feedback import EDIT_CHARS, checked_kind
from ui.page import arguments

if TYPE_CHECKING:
    from ui.services import Services

SAID = {
    "answered": "Saved. Thank you.",
    "reason": "Saved.",
    "withdraw": "Taken back.",
    "comment": "Comment saved.",
    "edit": "Your edit is saved.",
    "evidence": "Saved.",
}  # what confirms it; other kinds are noted without a word


class Corrections:
    """The page's call for feedback of every kind."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def store(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Store one piece of feedback; when this returns it is on disk. Sending it twice stores it once."""
        kind = checked_kind(arguments.text(given, "kind", 20))
        value = given.get("value")
        if value is not None and not isinstance(value, int | float):
            value = arguments.text(given, "value", EDIT_CHARS + 1)
        self._services.conversations.feedback(
            arguments.token(given, "answer"),
            user=user,
            kind=kind,
            value=value,
            paper_id=arguments.text(given, "paper", 200) or None,
            id=arguments.token(given, "id"),
        )
        return {"said": SAID.get(kind, "")}
