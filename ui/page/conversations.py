"""What a person can do with their conversations: list, open, rename, delete, export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.events import EventUnknown
from ui.page import arguments
from ui.page.asking import Turns
from ui.page.markup import button, esc
from ui.page.show import Shower
from ui.page.words import shortened, when

if TYPE_CHECKING:
    from rag.events import ConversationSummary
    from ui.services import Services

TITLE_CHARS = 90
LISTED = 100
UNTITLED = "Conversation"


class Conversations:
    """The page's calls about conversations. Each takes what the browser sent and whose browser it is."""

    def __init__(self, services: Services, turns: Turns, shower: Shower) -> None:
        self._store, self._turns, self._show = services.store, turns, shower

    def list(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """The list, as HTML; with ``search``, those that hold its words."""
        search = arguments.text(given, "search", 200)
        found = self._store.conversations(user, search, limit=LISTED)
        if found:
            return {"html": "".join(_row(one) for one in found)}
        return {"html": f'<li class="hint">{"Nothing found." if search.strip() else "Nothing asked yet."}</li>'}

    def open(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """One conversation, as HTML; ``missing`` if there is none of this id, or it is another person's."""
        conversation = arguments.token(given, "conversation")
        self._turns.forget(user, conversation)
        try:
            found = self._store.conversation(user, conversation)
        except EventUnknown:
            return {"missing": True}
        return {**self._show.conversation(found), "conversation": conversation}

    def rename(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Give it another title."""
        self._store.rename_conversation(
            user, arguments.token(given, "conversation"), arguments.text(given, "title", 400)
        )
        return {"said": "Renamed."}

    def delete(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Delete its words for good."""
        conversation = arguments.token(given, "conversation")
        self._turns.forget(user, conversation)
        self._store.delete_conversation(user, conversation)
        return {"said": "Deleted."}


def _row(one: ConversationSummary) -> str:
    title = shortened(one.title or UNTITLED, TITLE_CHARS)
    return (
        f'<li data-conversation="{esc(one.id)}"><button type="button" class="open" data-do="open" dir="auto">{esc(title)}</button>'
        f'<span class="when">{esc(when(one.updated))}</span>'
        f'<details class="menu"><summary aria-label="More about {esc(shortened(title, 40))}">⋯</summary><div>'
        f"{button('Rename', 'rename', title=None)}{button('Export', 'export')}{button('Delete', 'delete', cls='quiet danger')}"
        "</div></details></li>"
    )
