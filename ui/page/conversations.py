"""What a person can do with their conversations: list, open, rename, delete, export."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.events import EventUnknown
from ui.page import arguments
from ui.page.render import render
from ui.page.turns import Turns

if TYPE_CHECKING:
    from ui.services import Services

LISTED = 100
UNTITLED = "Conversation"


class Conversations:
    """The page's calls about conversations. Each takes what the browser sent and whose browser it is."""

    def __init__(self, services: Services, turns: Turns) -> None:
        self._services, self._store, self._turns = services, services.store, turns

    def list(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """The list, as HTML; with ``search``, those that hold its words."""
        search = arguments.text(given, "search", 200)
        found = self._store.conversations(user, search, limit=LISTED)
        return {"html": render("list", conversations=found, searched=search.strip())}

    def open(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """One conversation, as HTML; ``missing`` if there is none of this id, or it is another person's."""
        conversation = arguments.token(given, "conversation")
        try:
            return self._turns.conversation(self._store.conversation(user, conversation))
        except EventUnknown:
            return {"missing": True}

    def rename(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Give it another title."""
        title = arguments.text(given, "title", 400)
        self._store.rename_conversation(user, arguments.token(given, "conversation"), title)
        return {"said": "Renamed."}

    def delete(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Delete its words for good."""
        conversation = arguments.token(given, "conversation")
        self._store.delete_conversation(user, conversation)
        return {"said": "Deleted."}

    def export(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Files to save: the conversation as Markdown, and the papers that it cites as BibTeX."""
        from ui.services.export import cited_papers, conversation_bibtex, conversation_markdown

        conversation = self._store.conversation(user, arguments.token(given, "conversation"))
        papers = cited_papers(conversation, self._services.assistant.paper)
        words = re.findall(r"[a-z0-9]+", (conversation.summary.title or UNTITLED).lower())[:8]
        stem = "-".join(["readback", *words])
        files = [{"name": f"{stem}.md", "type": "text/markdown", "text": conversation_markdown(conversation, papers)}]
        if papers:
            files.append({"name": f"{stem}.bib", "type": "text/plain", "text": conversation_bibtex(papers)})
        return {"files": files, "said": "Exported."}
