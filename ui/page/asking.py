"""From a question to a turn that grows in the page, and a stop that reaches the model."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from rag.errors import ReadbackError
from rag.types import Answer, Options, Retrieved, RetrievedPaper, TextDelta, Turn
from ui.page import arguments
from ui.page.memory import Stops, Turns
from ui.page.show import Shower
from ui.page.view_evidence import found_so_far
from ui.page.view_turn import failed_turn, working_turn

if TYPE_CHECKING:
    from collections.abc import Generator

    from rag.types import StreamEvent
    from ui.services import Services

log = logging.getLogger(__name__)
SEARCHING = "Searching the collection…"
READING = "Reading the closest abstracts…"
CRASHED = "Something went wrong on our side. The question is kept: please try again."


@dataclass(frozen=True, slots=True)
class Run:
    """One question on its way, as the browser sent it."""

    id: str
    user: str
    conversation: str
    turn: int
    question: str
    options: Options

    @classmethod
    def of(cls, given: Mapping[str, Any], user: str, *, writes: bool) -> Run:
        """Raises BadRequest. writes: whether a language model is there to be asked for."""
        return cls(
            arguments.token(given, "run"),
            user,
            arguments.token(given, "conversation"),
            arguments.number(given, "turn", 1, 10_000, 1),
            arguments.text(given, "question", 20_000),
            arguments.options(given, writes=writes),
        )


class Asking:
    """Answers questions of the page, as a stream of JSON texts each of which shows all there is so far."""

    def __init__(self, services: Services, stops: Stops, turns: Turns, shower: Shower) -> None:
        """stops: wishes of readers. turns: what follow-ups may refer to. shower: answers → HTML."""
        self._services, self._stops, self._turns, self._show = services, stops, turns, shower
        self._running: set[tuple[str, str]] = set()  # adding and discarding are atomic

    def alive(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Whether a run is still being worked on: after a restart of the server nobody would tell the page."""
        return {"alive": (user, arguments.token(given, "run")) in self._running}

    def stream(self, given: Mapping[str, Any], user: str) -> Iterator[str]:
        """Yield the state of the run again and again; the last one has ``done``. Raises BadRequest."""
        run = Run.of(given, user, writes=self._services.settings.has_model)
        state: dict[str, Any] = {"run": run.id, "turn": run.turn}
        self._running.add((run.user, run.id))
        try:
            for update in self._answer(run):
                yield json.dumps({**state, **update})
        except ReadbackError as error:
            yield json.dumps({**state, **_failure(run, str(error))})
        except Exception:  # a bug; the reader must not be left waiting for an answer that will not come
            log.exception("a question of the page failed")
            yield json.dumps({**state, **_failure(run, CRASHED)})
        finally:
            self._running.discard((run.user, run.id))

    def _answer(self, run: Run) -> Iterator[dict[str, Any]]:
        yield {"html": working_turn(run.turn, run.question, "", SEARCHING)}
        text, papers = "", tuple[RetrievedPaper, ...]()
        with closing(self._events(run)) as events:
            for event in events:
                if isinstance(event, Answer):
                    self._turns.put(run.user, run.conversation, run.turn, Turn.of(event))
                    yield {**self._show.answer(run.turn, event), "done": True}
                    return
                if self._stops.wished(run.user, run.id):
                    break  # closing the events stops the model
                if isinstance(event, Retrieved):
                    papers = event.papers
                elif isinstance(event, TextDelta):
                    text += event.text
                yield {
                    "html": working_turn(run.turn, run.question, text, READING),
                    "evidence": found_so_far(papers),
                }
        self._turns.forget(run.user, run.conversation)  # the record knows how far it came
        yield {"done": True}  # the page has drawn the end already

    def _events(self, run: Run) -> Generator[StreamEvent]:
        events = self._services.answer_stream(
            run.question,
            user=run.user,
            conversation=run.conversation,
            turn=run.turn,
            history=self._turns.before(run.user, run.conversation, run.turn),
            options=run.options,
            source="page",
        )
        return cast("Generator[StreamEvent]", events)  # closing it is its contract


def _failure(run: Run, message: str) -> dict[str, Any]:
    return {"html": failed_turn(run.turn, run.question, message), "evidence": "", "done": True}
