"""From a question to a turn that grows in the page, whether or not the page stays open."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rag.errors import ReadbackError
from rag.told import Told
from rag.types import Answer, Retrieved
from ui.page import arguments
from ui.page.evidence import found_so_far
from ui.page.turns import Turns, failed_turn, working_turn

if TYPE_CHECKING:
    from ui.services import Asker, Services
    from ui.services.runs import Run

log = logging.getLogger(__name__)
SEARCHING = "Searching the collection…"
READING = "Reading the closest abstracts…"
AGAIN = "Searched again, for “{}”, and reading…"
CRASHED = "Something went wrong on our side. The question is kept: please try again."


class Asking:
    """Answers questions of the page, as a stream of JSON texts each of which shows all there is so far."""

    def __init__(self, services: Services, turns: Turns) -> None:
        """turns: answers → HTML."""
        self._services, self._turns = services, turns

    def alive(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Whether a run is still being worked on: after a restart of the server nobody would tell the page."""
        return {"alive": self._services.asking.find(user, arguments.token(given, "run")) is not None}

    def stop(self, given: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Let a run end at its next sentence."""
        self._services.asking.stop(user, arguments.token(given, "run"))
        return {}

    def stream(self, given: Mapping[str, Any], asker: Asker) -> Iterator[str]:
        """Yield the state of the run again and again; the last one has ``done``. Raises BadRequest.

        The page may leave: the answer is finished and recorded all the same. With ``follow``, a run that has begun
        earlier is looked at again; ``gone`` means that it is over, and the record has what became of it.
        """
        run_id, turn = arguments.token(given, "run"), arguments.number(given, "turn", 1, 10_000, 1)
        question = arguments.text(given, "question", 20_000)
        state: dict[str, Any] = {"run": run_id, "turn": turn}
        try:
            for update in self._updates(given, asker, run_id, turn, question):
                yield json.dumps({**state, **update})
        except ReadbackError as error:
            yield json.dumps({**state, **_failure(turn, question, str(error))})
        except Exception:  # a bug; the reader must not be left waiting for an answer that will not come
            log.exception("a question of the page failed")
            yield json.dumps({**state, **_failure(turn, question, CRASHED)})

    def _updates(
        self, given: Mapping[str, Any], asker: Asker, run_id: str, turn: int, question: str
    ) -> Iterator[dict[str, Any]]:
        if given.get("follow") is True:
            run = self._services.asking.find(asker.user, run_id)
            if run is None:
                yield {"gone": True, "done": True}
                return
        else:
            yield {"html": working_turn(turn, question, Told(), SEARCHING)}
            run = self._start(given, asker, run_id, question)
        if run.place.elsewhere:
            yield {"elsewhere": True}
        yield from self._followed(run, turn)

    def _start(self, given: Mapping[str, Any], asker: Asker, run_id: str, question: str) -> Run:
        services = self._services
        services.asking.check(question)
        place = services.conversations.place_after(
            asker.user,
            arguments.token(given, "conversation"),
            arguments.token(given, "after") if given.get("after") else None,
            arguments.number(given, "revision", 0, 1_000_000_000, 0),
        )
        options = arguments.options(given, writes=services.settings.has_model)
        return services.asking.start(question, asker=asker, source="page", place=place, options=options, id=run_id)

    def _followed(self, run: Run, turn: int) -> Iterator[dict[str, Any]]:
        told = Told()
        for events in run.batches():
            for event in events:
                told.hear(event)
            if isinstance(events[-1], Answer):
                versions = (*run.place.versions, events[-1].id)
                shown = self._turns.finished(turn, events[-1], options=run.options, versions=versions)
                yield {**shown, "revision": run.place.revision + 1, "done": True}
                return
            again = told.searched != told.standalone_question
            update = {"html": working_turn(turn, run.question, told, AGAIN.format(told.searched) if again else READING)}
            if any(isinstance(event, Retrieved) for event in events):
                update["evidence"] = found_so_far(told.papers)
            yield update


def _failure(turn: int, question: str, message: str) -> dict[str, Any]:
    return {"html": failed_turn(turn, question, message), "evidence": "", "done": True}
