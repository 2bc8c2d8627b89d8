"""Conversations: where a question stands, what it may refer to, and what people said about the answers."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from rag.errors import QuestionError
from rag.events.errors import EventsUnavailable, EventUnknown
from rag.query.followup import resolve_by_rule
from rag.types import Answer, Turn

if TYPE_CHECKING:
    from rag.events import EventStore
    from rag.events.records import Feedback, Kind, Source
    from rag.settings import Settings
    from ui.services.metrics import Metrics

Key = TypeVar("Key")
Value = TypeVar("Value")
REMEMBERED = 5_000  # conversations, and answers given outside of one


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands."""

    conversation: str | None = None  # None: its client keeps the conversation
    turn: int = 1
    history: Sequence[Turn] = ()  # oldest first


class Conversations:
    """The record of conversations. What it may not or cannot keep is held in memory until the server ends."""

    def __init__(self, settings: Settings, store: EventStore, metrics: Metrics) -> None:
        self._settings, self._store, self._metrics = settings, store, metrics
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[str, str], dict[int, Turn]] = OrderedDict()  # by user and conversation
        self._shown: OrderedDict[bytes, Turn] = OrderedDict()  # by what a client will send back

    def place(self, user: str, conversation: str | None = None, turn: int | None = None, *, new: bool = False) -> Place:
        """The place of a question; a new conversation if none is named.

        turn: one to be asked again, None for the next. new: a conversation of this id is begun if there is none; else
        EventUnknown is raised for one that is not this user's. Raises QuestionError for a turn that cannot be yet.
        """
        if conversation is None:
            if turn not in (None, 1):
                raise QuestionError("A new conversation begins with turn 1.")
            return Place(uuid.uuid4().hex)
        try:
            turns = self._turns(user, conversation)
        except EventUnknown:
            if not new:
                raise
            turns = {}
        following = max(turns, default=0) + 1
        turn = following if turn is None else turn
        if turn > following and not new:
            raise QuestionError(f"The next turn of this conversation is {following}.")
        earlier = [known for number, known in sorted(turns.items()) if number < turn and known is not None]
        return Place(conversation, turn, earlier[-self._settings.history_turns :])

    def record(self, answer: Answer, user: str, place: Place, source: Source, latency_ms: float) -> None:
        """Record an answer at its place. A turn that is asked again replaces itself and what followed it."""
        if place.conversation is not None:
            with self._lock:
                known = self._recent.pop((user, place.conversation), {})
                kept = {number: one for number, one in known.items() if number < place.turn}
                _keep(self._recent, (user, place.conversation), {**kept, place.turn: Turn.of(answer)})
        self._store.record(
            answer, user=user, source=source, conversation=place.conversation, turn=place.turn, latency_ms=latency_ms
        )

    def feedback(
        self,
        answer_id: str,
        *,
        user: str,
        kind: Kind | str,
        value: str | float | None = None,
        paper_id: str | None = None,
        id: str | None = None,
    ) -> Feedback:
        """``EventStore.feedback``, and counted. Raises EventRefused, EventUnknown or EventsUnavailable."""
        stored = self._store.feedback(answer_id, user=user, kind=kind, value=value, paper_id=paper_id, id=id)
        self._metrics.feedback(stored)
        return stored

    # chats whose client sends the whole conversation with every question

    def place_of(self, user: str, exchanges: Sequence[tuple[str, str]]) -> Place:
        """The place after (question, answer) pairs, oldest first.

        Our own answers are recognised, with what was searched for and cited in them; other turns are made stand-alone
        by rule. Raises QuestionError for more turns than are allowed.
        """
        self.check_length(len(exchanges))
        turns: list[Turn] = []
        for question, answer in exchanges:
            with self._lock:
                known = self._shown.get(_key(user, question, answer))
            turns.append(known or Turn(question, resolve_by_rule(question, turns).standalone, answer))
        return Place(None, len(turns) + 1, turns)

    def shown(self, user: str, answer: Answer, text: str) -> None:
        """Recognise this answer when it comes back. text: as the client got it."""
        with self._lock:
            _keep(self._shown, _key(user, answer.question, text), Turn.of(answer))

    def check_length(self, turns: int) -> None:
        """Raise QuestionError if a request brings too long a conversation along."""
        if turns > self._settings.history_turns:
            raise QuestionError(f"The history has {turns:,} turns; {self._settings.history_turns:,} are allowed.")

    def _turns(self, user: str, conversation: str) -> dict[int, Turn | None]:
        """Turns by number; None where neither the record nor memory has the words. Raises EventUnknown."""
        with self._lock:
            recent = self._recent.get((user, conversation), {})
        try:
            episodes = self._store.conversation(user, conversation).turns
        except EventsUnavailable:
            if not recent:
                raise
            return dict(recent)
        return {
            number: Turn.of(one.interaction.answer) if one.interaction.answer is not None else recent.get(number)
            for number, one in ((one.interaction.turn or place, one) for place, one in enumerate(episodes, start=1))
        }


def _keep(held: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > REMEMBERED:
        held.popitem(last=False)


def _key(user: str, question: str, answer: str) -> bytes:
    parts = (user, " ".join(question.split()), " ".join(answer.split()))  # clients trim what they show
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
