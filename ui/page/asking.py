"""From a question to a turn that grows in the page, and a stop that reaches the model."""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import ReadbackError
from rag.types import Answer, Options, Retrieved, RetrievedPaper, TextDelta
from ui.page import arguments
from ui.page.evidence import found_so_far
from ui.page.turns import Turns, failed_turn, working_turn

if TYPE_CHECKING:
    from ui.services import Asker, Services

WISHES = 500  # to stop, remembered
log = logging.getLogger(__name__)
SEARCHING = "Searching the collection…"
READING = "Reading the closest abstracts…"
CRASHED = "Something went wrong on our side. The question is kept: please try again."


@dataclass(frozen=True, slots=True)
class Run:
    """One question on its way, as the browser sent it."""

    id: str
    asker: Asker
    conversation: str
    turn: int
    question: str
    options: Options

    @classmethod
    def of(cls, given: Mapping[str, Any], asker: Asker, *, writes: bool) -> Run:
        """Raises BadRequest. writes: whether a language model is there to be asked for."""
        return cls(
            arguments.token(given, "run"),
            asker,
            arguments.token(given, "conversation"),
            arguments.number(given, "turn", 1, 10_000, 1),
            arguments.text(given, "question", 20_000),
            arguments.options(given, writes=writes),
        )


class Asking:
    """Answers questions of the page, as a stream of JSON texts each of which shows all there is so far."""

    def __init__(self, services: Services, stops: Stops, turns: Turns) -> None:
        """stops: wishes of readers. turns: answers → HTML."""
        self._services, self._stops, self._turns = services, stops, turns
        self._running: set[tuple[str, str]] = set()  # adding and discarding are atomic

    def alive(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Whether a run is still being worked on: after a restart of the server nobody would tell the page."""
        return {"alive": (user, arguments.token(given, "run")) in self._running}

    def stream(self, given: Mapping[str, Any], asker: Asker) -> Iterator[str]:
        """Yield the state of the run again and again; the last one has ``done``. Raises BadRequest."""
        run = Run.of(given, asker, writes=self._services.settings.has_model)
        state: dict[str, Any] = {"run": run.id, "turn": run.turn}
        self._running.add((asker.user, run.id))
        try:
            for update in self._answer(run):
                yield json.dumps({**state, **update})
        except ReadbackError as error:
            yield json.dumps({**state, **_failure(run, str(error))})
        except Exception:  # a bug; the reader must not be left waiting for an answer that will not come
            log.exception("a question of the page failed")
            yield json.dumps({**state, **_failure(run, CRASHED)})
        finally:
            self._running.discard((asker.user, run.id))

    def _answer(self, run: Run) -> Iterator[dict[str, Any]]:
        yield {"html": working_turn(run.turn, run.question, "", SEARCHING)}
        text, papers = "", tuple[RetrievedPaper, ...]()
        place = self._services.conversations.place(run.asker.user, run.conversation, run.turn, new=True)
        found = self._services.asking.stream(
            run.question, asker=run.asker, source="page", place=place, options=run.options
        )
        with closing(found) as events:
            for event in events:
                if isinstance(event, Answer):
                    yield {**self._turns.finished(run.turn, event), "done": True}
                    return
                if self._stops.wished(run.asker.user, run.id):
                    break  # closing the events stops the model
                if isinstance(event, Retrieved):
                    papers = event.papers
                elif isinstance(event, TextDelta):
                    text += event.text
                yield {
                    "html": working_turn(run.turn, run.question, text, READING),
                    "evidence": found_so_far(papers),
                }
        yield {"done": True}  # the page has drawn the end already


class Stops:
    """The wishes to stop, by user and run; a wish may come before the run that it is about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wish(self, user: str, run: str) -> None:
        """Let this run end at its next step."""
        with self._lock:
            self._wishes[user, run] = None
            while len(self._wishes) > WISHES:
                self._wishes.popitem(last=False)

    def wished(self, user: str, run: str) -> bool:
        """Whether this run is to end."""
        with self._lock:
            return (user, run) in self._wishes


def _failure(run: Run, message: str) -> dict[str, Any]:
    return {"html": failed_turn(run.turn, run.question, message), "evidence": "", "done": True}
