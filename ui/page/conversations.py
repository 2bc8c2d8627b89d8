"""What a person can do with their conversations: list, open, rename, delete, export."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.events import EventUnknown
from rag.learning.ledger import influence
from ui.page import arguments
from ui.page.turns import Turns
from ui.render import render
from ui.words import shortened

if TYPE_CHECKING:
    from ui.services import Services

LISTED = 100
TRACED = 10  # papers whose scores are shown
UNTITLED = "Conversation"
NOTHING_YET = {"html": "", "evidence": "", "last": 0, "revision": 0, "title": "", "tail": None}


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
        """One conversation, as HTML, and the question in it that is being answered.

        ``missing`` if there is none of this id, or it is another person's.
        """
        conversation = arguments.token(given, "conversation")
        try:
            found = self._turns.conversation(self._store.conversation(user, conversation))
        except EventUnknown:
            found = {"missing": True}
        run = self._services.asking.running(user, conversation)
        if run is None:
            return found
        working = {"run": run.id, "question": run.question, "turn": run.place.turn}
        return {**NOTHING_YET, **found, "missing": False, "working": working}

    def version(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Go to another version of a turn, and to what followed it."""
        conversation = arguments.token(given, "conversation")
        self._store.choose_version(user, conversation, arguments.token(given, "answer"))
        return self.open(given, user)

    def trace(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """How an answer of the user's was found."""
        answer = self._services.conversations.answer(user, arguments.token(given, "answer"))
        trace = {"stages": {}, "papers": {}, "left_out": [], "milliseconds": {}, **answer.trace}
        papers = list(trace["papers"].items())[:TRACED]
        titles = self._services.papers.some(one for one, _ in papers)
        rows = [(titles[one].title if one in titles else one, scores) for one, scores in papers]
        stages = list(dict.fromkeys(stage for _, scores in papers for stage in scores))
        learned = influence(trace, {one: paper.title for one, paper in titles.items()})
        trace["stages"] = {stage: facts for stage, facts in trace["stages"].items() if stage != "recall"}  # said above
        return {
            "html": render("trace", answer=answer, trace=trace, rows=rows, stages=stages, told=_told, learned=learned)
        }

    def changed(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Whether a conversation has changed since the page has seen it."""
        try:
            held = self._store.conversation(user, arguments.token(given, "conversation"))
        except EventUnknown:
            return {"elsewhere": True}
        return {"elsewhere": held.revision != arguments.number(given, "revision", 0, 1_000_000_000, 0)}

    def rename(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Give it another title."""
        title = arguments.text(given, "title", 400)
        self._store.rename_conversation(user, arguments.token(given, "conversation"), title)
        return {"said": "Renamed."}

    def delete(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Delete it; for a minute it can be restored."""
        self._services.conversations.delete(user, arguments.token(given, "conversation"))
        return {"said": "Deleted."}

    def restore(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Undo that."""
        self._services.conversations.restore(user, arguments.token(given, "conversation"))
        return {"said": "Restored."}

    def export(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Files to save: the conversation as Markdown, and the papers that it cites as BibTeX and RIS."""
        from ui.services.export import cited_papers, conversation_bibtex, conversation_markdown, conversation_ris

        conversation = self._store.conversation(user, arguments.token(given, "conversation"))
        papers = cited_papers(conversation, self._services.assistant.paper)
        words = re.findall(r"[a-z0-9]+", (conversation.summary.title or UNTITLED).lower())[:8]
        stem = "-".join(["readback", *words])
        files = [{"name": f"{stem}.md", "type": "text/markdown", "text": conversation_markdown(conversation, papers)}]
        if papers:
            files.append({"name": f"{stem}.bib", "type": "text/plain", "text": conversation_bibtex(papers)})
            files.append({"name": f"{stem}.ris", "type": "text/plain", "text": conversation_ris(papers)})
        return {"files": files, "said": "Exported."}


def _told(value: Any) -> str:
    """A fact of a trace in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_told(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_told, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shortened(f"{value:g}" if isinstance(value, float) else str(value), 200)
