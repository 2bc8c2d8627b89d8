"""From a question to a turn that grows in the page, and a stop that reaches the model."""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from rag.errors import ReadbackError
from rag.events import EventUnknown
from rag.types import Answer, Options, Retrieved, RetrievedPaper, StreamEvent, TextDelta, Turn
from ui.page import arguments
from ui.page.show import Shower
from ui.page.view_answer import failed_turn, stopped_turn, working_turn
from ui.page.view_evidence import found_so_far

if TYPE_CHECKING:
    from ui.services import Services

log = logging.getLogger(__name__)
REMEMBERED = 500  # conversations whose turns are kept at hand
CRASHED = "Something went wrong on our side. The question is kept: please try again."


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
    """The turns of recent conversations, so that a follow-up does not wait for the record, which may keep no words."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], list[Turn]] = OrderedDict()

    def before(self, user: str, conversation: str, turn: int) -> list[Turn]:
        """The turns before this one, oldest first."""
        with self._lock:
            known = self._known.get((user, conversation))
        if known is None:
            try:
                known = self._services.history_of(user, conversation)
            except EventUnknown:
                known = []
        return known[: turn - 1]

    def put(self, user: str, conversation: str, history: Sequence[Turn], latest: Turn) -> None:
        """The conversation as it is once the latest turn has ended."""
        with self._lock:
            self._known[user, conversation] = [*history, latest]
            self._known.move_to_end((user, conversation))
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def forget(self, user: str, conversation: str) -> None:
        """Read this conversation from the record next time."""
        with self._lock:
            self._known.pop((user, conversation), None)


class Asking:
    """Answers questions of the page, as a stream of JSON texts each of which shows all there is so far."""

    def __init__(self, services: Services, stops: Stops, turns: Turns, shower: Shower) -> None:
        """stops: wishes of readers. turns: what follow-ups may refer to. shower: answers → HTML."""
        self._services, self._stops, self._turns, self._show = services, stops, turns, shower

    def stream(self, given: Mapping[str, Any], user: str) -> Iterator[str]:
        """Yield the state of the run again and again; the last one has ``done``."""
        run = arguments.token(given, "run")
        conversation = arguments.token(given, "conversation")
        question = arguments.text(given, "question", 20_000)
        state: dict[str, Any] = {"run": run, "conversation": conversation}
        turn = 1
        try:
            wanted = arguments.number(given, "turn", 1, 10_000, 1)
            history = self._turns.before(user, conversation, wanted)
            turn = min(wanted, len(history) + 1)
            options = arguments.options(given, writes=self._services.settings.has_model)
            for update in self._answer(run, question, user, conversation, turn, history, options):
                yield json.dumps({**state, "turn": turn, **update})
        except ReadbackError as error:
            yield json.dumps({**state, "turn": turn, "html": failed_turn(turn, question, str(error)), "done": True})
        except Exception:  # the reader must not be left waiting for an answer that will not come
            log.exception("a question of the page failed")
            yield json.dumps({**state, "turn": turn, "html": failed_turn(turn, question, CRASHED), "done": True})

    def _answer(
        self,
        run: str,
        question: str,
        user: str,
        conversation: str,
        turn: int,
        history: list[Turn],
        options: Options,
    ) -> Iterator[dict[str, Any]]:
        text, papers = "", tuple[RetrievedPaper, ...]()
        events = self._services.answer_stream(
            question, user=user, conversation=conversation, turn=turn, history=history, options=options, source="page"
        )
        yield {"html": working_turn(turn, question, "", "Searching the collection…")}
        with closing(_closable(events)):
            for event in events:
                if self._stops.wished(user, run) and not isinstance(event, Answer):
                    yield {"html": stopped_turn(turn, question, text), "evidence": "", "done": True, "stopped": True}
                    return
                if isinstance(event, Answer):
                    self._turns.put(user, conversation, history, Turn.of(event))
                    yield {**self._show.answer(turn, event), "done": True}
                    return
                if isinstance(event, Retrieved):
                    papers = event.papers
                elif isinstance(event, TextDelta):
                    text += event.text
                yield {
                    "html": working_turn(turn, question, text, "Reading the closest abstracts…"),
                    "evidence": found_so_far(papers),
                }


def _closable(events: Iterator[StreamEvent]) -> Any:
    """A generator, whose close() ends the work behind it."""
    return events
