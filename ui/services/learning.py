"""Learning as an operator runs it: from the record of events to a policy, through the gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ReadbackError
from ui.services.policies import Policies

if TYPE_CHECKING:
    from rag.engine import Assistant
    from rag.events import EventStore
    from rag.learning.gate import Ask
    from rag.learning.history import Asked
    from rag.learning.learn import Learner
    from rag.learning.overview import Overview
    from rag.learning.router import Refit
    from rag.learning.run import Proposal
    from rag.learning.trial import Standing
    from rag.policy.memory import Memory

Say = Callable[[str], None]
Report = dict[str, Any]


class LearningBusy(ReadbackError):
    """Only one round of learning at a time."""

    def __init__(self) -> None:
        super().__init__("Readback is learning already. Please wait until it has finished.")


class LearningPaused(ReadbackError):
    """Nothing is put in force while an operator has to look."""


class Learning:
    """What ``readback learn`` and the Learning tab do."""

    def __init__(self, assistant: Assistant, events: EventStore) -> None:
        """events: the record to learn from."""
        self._assistant, self._events = assistant, events
        self._learning = threading.Lock()
        self.policies = Policies(assistant.settings.data_dir / "policies")

    @property
    def busy(self) -> bool:
        """Whether a round of learning is on its way in this process."""
        return self._learning.locked()

    def overview(self) -> Overview:
        """How people fared, what happened to policies, and what was learned."""
        from rag.learning.history import read
        from rag.learning.overview import overview

        log = (one for episode in self._events.episodes() for one in read([episode]))
        found = overview(log, self.policies.store, self._assistant.policy().memory)
        return replace(found, trial=self.trial())

    def trial(self) -> Standing | None:
        """How the policy on trial fares beside the one in force; None if there is none."""
        from rag.learning.trial import standing

        trial = self.policies.store.trial()
        return standing(self.policies.store, trial, self._events.episodes()) if trial else None

    def learn(self, *, promote: bool = False, say: Say = lambda _: None) -> Report:
        """Learn from the whole record, compare the candidate with the policy in force, and keep it.

        promote: put it in force if the gate passes it and no alarm rings. say: told what is being done. Returns what
        was found, with its ``version``, ``outcome`` and ``seconds``. Raises LearningBusy or LearningPaused.
        """
        from rag.learning.ledger import paused

        if promote and (why := paused(self.policies.store)) is not None:
            raise LearningPaused(f"Learning is paused: {why} After looking: readback policy resume")
        if not self._learning.acquire(blocking=False):
            raise LearningBusy
        try:
            began = time.perf_counter()
            say("Reading the record…")
            log = self._log()
            say(f"Learning from {len(log):,} questions…")
            report = self._conclude(self._propose(log, say), self._router(), promote)
            return report | {"seconds": round(time.perf_counter() - began, 1)}
        finally:
            self._learning.release()

    def export(self, folder: Path) -> dict[str, int]:
        """Write training sets into a folder; returns the number of lines of each."""
        from rag.learning.export import write

        learned = self._learner().learn(self._log(), time.time())
        return write(folder, learned.signals.tasks, learned.truth.credit)

    def _log(self) -> list[Asked]:
        from rag.learning.history import read

        return read(self._events.episodes())

    def _learner(self) -> Learner:
        from rag.embed import open_embedder
        from rag.learning.learn import Learner
        from rag.text import sentences

        assistant = self._assistant

        def sentences_of(paper_id: str) -> list[str]:
            paper = assistant.paper(paper_id)
            return [span.of(paper.abstract) for span in sentences(paper.abstract)] if paper else []

        known = frozenset(assistant.collection.catalog.fingerprints())
        return Learner(open_embedder(assistant.settings), known, sentences_of)

    def _propose(self, log: list[Asked], say: Say) -> Proposal:
        from rag.learning.probes import probes_for
        from rag.learning.run import propose
        from rag.types import Options

        assistant, policy = self._assistant, self._assistant.policy()
        quoting = Options(mode="extractive")  # the gate judges rankings and bands: no model is needed, and none is paid
        compared = 0

        def asking(one: Assistant) -> Ask:
            def ask(question: str) -> Any:
                nonlocal compared
                compared += 1
                say(f"Comparing the candidate with the policy in force: {compared:,} answers…")
                return one.ask(question, options=quoting)

            return ask

        def candidate_of(memory: Memory) -> Ask:
            return asking(assistant.with_policy(policy.with_parts(memory=memory)))

        return propose(
            log,
            self._learner(),
            policy.memory,
            active=asking(assistant.with_policy(policy)),
            candidate_of=candidate_of,
            probes=probes_for(assistant.papers()),
            now=time.time(),
        )

    def _router(self) -> Refit | None:
        """The router after learning; None where there is nothing to choose between."""
        from rag.learning.router import refit, rounds_of

        routing = self._assistant.policy().router
        return refit(rounds_of(self._events.episodes()), routing) if routing.arms else None

    def _conclude(self, proposal: Proposal, router: Refit | None, promote: bool) -> Report:
        """Keep the candidate, and put it in force where that is asked for and allowed."""
        from rag.learning.ledger import PROPOSED, REFUSED

        policy, store = self._assistant.policy(), self.policies.store
        candidate = policy.with_parts(
            memory=proposal.memory, router=router.routing if router and router.better else policy.router
        )
        facts = proposal.facts() | ({"router": router.facts()} if router else {})
        version = store.save(candidate.record())
        refused = [*proposal.verdict.reasons, *proposal.alarms]
        if version == policy.version:
            outcome = "nothing new was learned"
        elif refused:
            outcome = "not put in force: " + " ".join(refused)
            store.note(REFUSED, version=version, why=" ".join(refused), **facts)
        elif promote:
            outcome = "in force"
            store.promote(version, "passed the gate", **facts)
        else:
            outcome = f"passed the gate; readback policy promote {version} puts it in force"
            store.note(PROPOSED, version=version, why="passed the gate", **facts)
        if proposal.alarms:
            self.policies.pause(" ".join(proposal.alarms))
        return {"version": version, "outcome": outcome, **facts}
