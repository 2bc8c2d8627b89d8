"""A conversation in Python: questions that may refer to earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.types import Answer, Options, StreamEvent, Turn

DEFAULT = Options()


class Answers(Protocol):
    """What a conversation needs of an Assistant."""

    def ask(self, question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Answer:
        """One answer."""
        ...

    def stream(self, question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Iterator[StreamEvent]:
        """The events of one answer."""
        ...


class Conversation:
    """Questions that may refer to earlier ones. For one thread; its turns can be read and kept."""

    def __init__(self, assistant: Answers, history: Sequence[Turn] = ()) -> None:
        """history: turns that have happened, oldest first."""
        self._assistant = assistant
        self.turns: list[Turn] = list(history)

    def ask(self, question: str, options: Options = DEFAULT) -> Answer:
        """Answer, and remember the turn."""
        answer = self._assistant.ask(question, self.turns, options)
        self.turns.append(Turn.of(answer))
        return answer

    def stream(self, question: str, options: Options = DEFAULT) -> Iterator[StreamEvent]:
        """Like ``Assistant.stream``; the turn is remembered when its Answer has come."""
        for event in self._assistant.stream(question, self.turns, options):
            if isinstance(event, Answer):
                self.turns.append(Turn.of(event))
            yield event
