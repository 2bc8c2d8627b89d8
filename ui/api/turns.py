"""The turns behind the messages of a chat: clients of OpenAI's API send the whole conversation with every question."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

from rag.rewrite import rewrite_by_rule
from rag.types import Answer, Turn

REMEMBERED = 5_000


class TurnMemory:
    """Recognises our own answers when a client sends them back, with what was searched for and cited in them.

    In memory: after a restart, or on another server, turns are made from the messages alone, a little less exactly.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        """size: turns kept, the newest."""
        self._size, self._lock = size, threading.Lock()
        self._turns: OrderedDict[bytes, Turn] = OrderedDict()

    def remember(self, user: str, answer: Answer, shown: str) -> None:
        """shown: the answer's text as the client got it."""
        with self._lock:
            self._turns[_key(user, answer.question, shown)] = Turn.of(answer)
            while len(self._turns) > self._size:
                self._turns.popitem(last=False)

    def recall(self, user: str, question: str, shown: str) -> Turn | None:
        """The turn that this user was shown, if it is still known."""
        with self._lock:
            return self._turns.get(_key(user, question, shown))

    def history(self, user: str, exchanges: Sequence[tuple[str, str]]) -> list[Turn]:
        """Turns of (question, answer) pairs, oldest first; unknown ones are rewritten by rule, one after the other."""
        turns: list[Turn] = []
        for question, answer in exchanges:
            known = self.recall(user, question, answer)
            turns.append(known or Turn(question, rewrite_by_rule(question, turns).standalone, answer))
        return turns


def _key(user: str, question: str, answer: str) -> bytes:
    parts = (user, " ".join(question.split()), " ".join(answer.split()))  # clients trim what they show
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
