"""Conversations: where a question stands, what it may refer to, and what people said about the answers."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from rag.errors import QuestionError, ReadbackError
from rag.events import tree
from rag.events.errors import EventsUnavailable, EventUnknown
from rag.learning.signals import said_of_papers
from rag.query.followup import resolve_by_rule
from rag.types import Answer, Options, Turn

if TYPE_CHECKING:
    from rag.events import EventStore
    from rag.events.records import Conversation, Episode, Feedback, Kind, Source
    from rag.settings import Settings
    from ui.services.metrics import Metrics

Key = TypeVar("Key")
Value = TypeVar("Value")
log = logging.getLogger(__name__)
REMEMBERED = 5_000  # answers


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands."""

    conversation: str | None = None  # None: its client keeps the conversation
    turn: int = 1
    history: Sequence[Turn] = ()  # oldest first
    parent: str | None = None  # id of the answer that it follows
    versions: tuple[str, ...] = ()  # ids of the answers that follow the same one
    revision: int = 0  # of the conversation before it
    elsewhere: bool = False  # whether the conversation has changed since its reader saw it


class ConversationGone(ReadbackError):
    """A conversation was deleted while somebody looked at it."""


class Conversations:
    """The record of conversations. What it may not or cannot keep is held in memory until the server ends."""

    def __init__(self, settings: Settings, store: EventStore, metrics: Metrics) -> None:
        self._settings, self._store, self._metrics = settings, store, metrics
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[str, str], tuple[str | None, Turn]] = OrderedDict()  # by user and answer
        self._shown: OrderedDict[bytes, Turn] = OrderedDict()  # by what a client will send back

    def place(self, user: str, conversation: str | None = None, turn: int | None = None) -> Place:
        """The place of a question in the current turns of a conversation; a new one is begun if none is named.

        turn: one to be asked again, as a further version of it; None for the next. Raises EventUnknown for a
        conversation that is not this user's, and QuestionError for a turn that cannot be yet.
        """
        if conversation is None:
            if turn not in (None, 1):
                raise QuestionError("A new conversation begins with turn 1.")
            return Place(uuid.uuid4().hex)
        held = self._store.conversation(user, conversation)
        following = len(held.turns) + 1
        turn = following if turn is None else turn
        if turn > following:
            raise QuestionError(f"The next turn of this conversation is {following}.")
        return self._after(user, held, held.turns[turn - 2].interaction.id if turn > 1 else None)

    def place_after(self, user: str, conversation: str, answer_id: str | None, revision: int | None = None) -> Place:
        """The place after an answer, or at the beginning. A conversation that is not known is begun under its id.

        revision: of the conversation as its reader knows it. Raises ConversationGone.
        """
        try:
            held = self._store.conversation(user, conversation)
            place = self._after(user, held, answer_id)
        except EventUnknown:
            if answer_id is not None or revision:
                raise ConversationGone(
                    "This conversation was deleted in another tab. Please begin a new one."
                ) from None
            return Place(conversation)
        except EventsUnavailable:  # must not keep anybody from asking
            history = self._remembered(user, answer_id)
            return Place(conversation, len(history) + 1, history, answer_id)
        return replace(place, elsewhere=revision is not None and revision != held.revision)

    def record(
        self, answer: Answer, user: str, place: Place, source: Source, options: Options, latency_ms: float | None
    ) -> Future[None]:
        """Record an answer at its place, as ``EventStore.record`` does. A turn asked again gets a further version."""
        with self._lock:
            _keep(self._recent, (user, answer.id), (place.parent, Turn.of(answer)))
        return self._store.record(
            answer,
            user=user,
            source=source,
            conversation=place.conversation,
            turn=place.turn,
            parent=place.parent,
            options=options,
            latency_ms=latency_ms,
        )

    def answer(self, user: str, answer_id: str) -> Answer:
        """An answer of this user's, with its trace. Raises EventUnknown, also where its words were not kept."""
        episode = self._store.interaction(answer_id, user=user)
        if episode is None or episode.interaction.answer is None:
            raise EventUnknown("There is no such answer of yours.")
        return episode.interaction.answer

    def delete(self, user: str, conversation: str) -> None:
        """Take a conversation out of sight, and delete it for good after a while. Raises EventUnknown."""
        from rag.events.store import UNDO_S

        self._store.hide_conversation(user, conversation)
        timer = threading.Timer(UNDO_S + 1, self._delete_hidden)
        timer.daemon = True  # the next start deletes what this process does not live to delete
        timer.start()

    def restore(self, user: str, conversation: str) -> None:
        """Undo ``delete``. Raises ConversationGone if it is too late."""
        try:
            self._store.restore_conversation(user, conversation)
        except EventUnknown:
            raise ConversationGone("It is too late: the conversation has been deleted for good.") from None

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

    def _after(self, user: str, held: Conversation, answer_id: str | None) -> Place:
        """Raises EventUnknown for an answer that is not in the conversation."""
        line = tree.ancestors(held.episodes, answer_id)
        if answer_id is not None and not line:
            raise EventUnknown("This conversation has no such answer.")
        history = [self._turn(user, one) for one in line]
        known = [one for one in history if one is not None]
        return Place(
            held.summary.id,
            len(line) + 1,
            known[-self._settings.history_turns :],
            answer_id,
            tree.versions(tree.parents(held.episodes)).get(answer_id, ()),
            held.revision,
        )

    def _turn(self, user: str, episode: Episode) -> Turn | None:
        """None where neither the record nor memory has the words."""
        one = episode.interaction
        if one.answer is not None:
            turn = Turn.of(one.answer)
            if not episode.feedback:
                return turn
            edit = episode.latest("edit")
            judged = tuple(said_of_papers(episode).items())
            return replace(turn, judged=judged, edit=str(edit.value or "") if edit else "")
        with self._lock:
            return self._recent.get((user, one.id), (None, None))[1]

    def _remembered(self, user: str, answer_id: str | None) -> list[Turn]:
        found: list[Turn] = []
        with self._lock:
            while answer_id is not None and (user, answer_id) in self._recent:
                answer_id, turn = self._recent[user, answer_id]
                found.append(turn)
        return found[: self._settings.history_turns][::-1]

    def _delete_hidden(self) -> None:
        try:
            self._store.delete_hidden()
        except ReadbackError as error:
            log.warning("a deleted conversation waits for the next start: %s", error)


def _keep(held: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > REMEMBERED:
        held.popitem(last=False)


def _key(user: str, question: str, answer: str) -> bytes:
    parts = (user, " ".join(question.split()), " ".join(answer.split()))  # clients trim what they show
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
