"""Asking through the page, without a browser: what its script sends, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag.query.followup import resolve_by_rule
from rag.types import Turn
from tests.ui.conftest import MakeServices
from tests.ui.samples import FOLLOW_UP, REWRITES, EndlessModel
from ui.page.asking import Asking, Stops
from ui.page.turns import Turns
from ui.services import Asker, Services

ADA = Asker("ada", "192.0.2.1")


def given(question: str, turn: int = 1, **more: Any) -> dict[str, Any]:
    return {"run": f"run-{turn:08d}", "conversation": "conversation-1", "turn": turn, "question": question, **more}


def asked(services: Services, question: str, turn: int = 1, asker: Asker = ADA, **more: Any) -> dict[str, Any]:
    """The last state of a run."""
    asking = Asking(services, Stops(), Turns(services))
    *_, last = asking.stream(given(question, turn, **more), asker)
    state: dict[str, Any] = json.loads(last)
    assert state["done"]
    return state


def searched(services: Services) -> list[str | None]:
    services.store.flush()
    return [one.interaction.standalone_question for one in services.store.episodes()]


def test_the_longest_question_is_the_same_on_the_page(make_services: MakeServices) -> None:
    services = make_services(question_chars=100)
    assert "100 are allowed" in asked(services, "why " * 26)["html"]
    assert searched(services) == []


def test_the_page_counts_questions_by_user_and_by_address(make_services: MakeServices) -> None:
    services = make_services(user_per_minute=2, address_per_minute=3)
    for asker, limited in ((ADA, False), (ADA, False), (ADA, True), (Asker("bob", ADA.address), True)):
        assert ("Too many requests" in asked(services, REWRITES, asker=asker)["html"]) is limited
    assert "Too many" not in asked(services, REWRITES, asker=Asker("bob", "192.0.2.2"))["html"]


def test_a_browser_that_keeps_no_cookies_is_counted_by_its_address(make_services: MakeServices) -> None:
    services = make_services(user_per_minute=1)
    first, second = (Asker(f"browser-{number}", ADA.address, returning=False) for number in range(2))
    assert "Too many" not in asked(services, REWRITES, asker=first)["html"]
    assert "Too many" in asked(services, REWRITES, asker=second)["html"]


@pytest.mark.parametrize("keep", [True, False])
def test_a_stopped_answer_stays_in_the_conversation(make_services: MakeServices, keep: bool) -> None:
    services = make_services(model=EndlessModel(), unsupported="mark", keep_questions=keep)
    stops = Stops()
    stream = Asking(services, stops, Turns(services)).stream(given(REWRITES), ADA)
    states = [next(stream) for _ in range(3)]
    stops.wish(ADA.user, "run-00000001")
    states += list(stream)
    assert json.loads(states[-1])["done"]
    (turn,) = services.conversations.place(ADA.user, "conversation-1").history
    assert turn.question == REWRITES
    assert "customer number 0" in turn.answer
    assert resolve_by_rule(FOLLOW_UP, [turn]).standalone != FOLLOW_UP


def test_where_no_words_are_kept_follow_ups_still_know_what_they_follow(make_services: MakeServices) -> None:
    services = make_services(keep_questions=False)
    asked(services, REWRITES)
    state = asked(services, FOLLOW_UP, turn=2)
    assert resolve_by_rule(FOLLOW_UP, [Turn(REWRITES, REWRITES, "")]).standalone != FOLLOW_UP
    assert f">{FOLLOW_UP}</textarea>" not in state["html"], "it was searched as a whole question"
