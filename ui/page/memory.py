"""What the page keeps at hand between requests: wishes to stop, and the turns that a follow-up may refer to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from rag.events import EventError
from rag.types import Turn

if TYPE_CHECKING:
    from ui.services import Services

REMEMBERED = 500  # of each


class Stops:
    """The wishes to stop, by user and run; a wish may come before the run that it is about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wish(self, user: str, run: str) -> None:
        """Let this run end at its next step."""
        with self._lock:
            self._wishes[user, run] = None
            while len(self._wishes) > REMEMBERED:
                self._wishes.popitem(last=False)

    def wished(self, user: str, run: str) -> bool:
        """Whether this run is to end."""
        with self._lock:
            return (user, run) in self._wishes


class Turns:
    """The turns of recent conversations by number: the record is slower, and may have been told to keep no words."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], dict[int, Turn]] = OrderedDict()

    def before(self, user: str, conversation: str, turn: int) -> list[Turn]:
        """The turns before this one, oldest first."""
        with self._lock:
            known = self._known.get((user, conversation))
        if known is None:
            known = self._recorded(user, conversation)
            with self._lock:
                self._keep(user, conversation, known)
        return [known[number] for number in sorted(known) if number < turn]

    def put(self, user: str, conversation: str, turn: int, latest: Turn) -> None:
        """A turn has ended; those that followed it before are gone."""
        with self._lock:
            known = self._known.get((user, conversation), {})
            kept = {number: one for number, one in known.items() if number < turn}
            self._keep(user, conversation, {**kept, turn: latest})

    def forget(self, user: str, conversation: str) -> None:
        """Read this conversation from the record next time."""
        with self._lock:
            self._known.pop((user, conversation), None)

    def _keep(self, user: str, conversation: str, turns: dict[int, Turn]) -> None:
        self._known[user, conversation] = turns
        self._known.move_to_end((user, conversation))
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _recorded(self, user: str, conversation: str) -> dict[int, Turn]:
        try:
            episodes = self._services.store.conversation(user, conversation).turns
        except EventError:  # a new conversation; or the record is away, which must not keep anybody from asking
            return {}
        return {
            one.interaction.turn or place: Turn.of(one.interaction.answer)
            for place, one in enumerate(episodes, start=1)
            if one.interaction.answer is not None
        }
