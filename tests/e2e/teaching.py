"""Two weeks in the life of an installation: people ask in other words, accept, and are helped by what was learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rag import Assistant, Options
from rag.events import EventStore
from rag.policy.store import PolicyStore
from rag.settings import Settings

VAGUE = "clever store searching machine that listens to results"
CLEAR = "query expansion for e-commerce rewarded by the search engine"
OTHER = "Which papers use pseudo relevance feedback?"
DAYS, PROMOTED = 14, 8  # days, and the one on which a policy was put in force
QUOTES = Options(mode="extractive")


def teach(settings: Settings, until: datetime | None = None) -> None:
    """Write the record of these days into the data folder, and a promotion into its ledger."""
    last = until or datetime.now(UTC)
    now = [last]
    with (
        Assistant.open(settings) as assistant,
        EventStore.open(settings.data_dir / "events.db", clock=lambda: now[0]) as store,
    ):
        answers = {question: assistant.ask(question, options=QUOTES) for question in (VAGUE, CLEAR, OTHER)}

        def ask(person: str, question: str, turn: int, kind: str, value: str) -> None:
            answer = replace(answers[question], id=f"{person}-{turn}-{now[0]:%Y%m%d}")
            store.record(answer, user=person, source="page", conversation=f"of-{person}", turn=turn, at=now[0])
            store.feedback(answer.id, user=person, kind=kind, value=value)

        for day in range(DAYS):
            now[0] = last - timedelta(days=DAYS - 1 - day)
            for number in range(4 + day % 3):
                person = f"person-{day}-{number}"
                if day < PROMOTED + number % 3:
                    ask(person, VAGUE, 1, "rephrase", CLEAR)
                    ask(person, CLEAR, 2, "answered", "yes" if (day + number) % 3 else "partly")
                else:
                    ask(person, OTHER, 1, "answered", "partly" if (day + number) % 5 == 0 else "yes")
    policies = PolicyStore(settings.data_dir / "policies")
    at = (last - timedelta(days=DAYS - 1 - PROMOTED)).isoformat(timespec="seconds")
    policies.note("promoted", at=at, version="3f0c5a1be924", previous=None, why="passed the gate")
    policies.note("rolled back", at=last.isoformat(timespec="seconds"), version=None, why="to look at it again")
