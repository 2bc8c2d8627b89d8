"""``readback learn`` refits the router to what people said of the arms that answered them."""

from __future__ import annotations

import json
from pathlib import Path

from rag import Assistant
from rag.events import EventStore
from rag.learning.router import FEWEST
from rag.policy.in_force import PolicyInForce
from rag.settings import Settings
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, Scripted, writing
from tests.learning.conftest import run

SAID = "The weather in Paris was sunny and warm on that holiday [1]."


def judged(rounds: int, liked: str) -> None:
    """People ask what the router may choose for, and say yes to one arm alone."""
    settings = Settings.load()
    with (
        Assistant.open(settings) as assistant,
        EventStore.open(settings.data_dir / "events.db") as store,
    ):
        serving = writing(assistant, Scripted(SAID)).with_policy(assistant.policy())
        for number in range(rounds):
            answer = serving.ask((ABOUT_CTRL, ABOUT_TPRF)[number % 2])
            arm = answer.trace["stages"]["route"]["arm"]
            store.record(answer, user=f"u{number}", source="api", conversation=f"c{number}", turn=1)
            store.feedback(answer.id, user=f"u{number}", kind="answered", value="yes" if arm == liked else "no")


def test_what_people_say_of_logged_choices_moves_the_router(home: Path) -> None:
    run("policy", "router", "--arm", "quotes", "--arm", "big=0.001", "--worth", "0.05")
    judged(FEWEST + 14, "quotes")
    report = json.loads(run("learn", "--promote", "--json"))
    assert report["router"]["adopted"], report["router"]
    assert report["router"]["rounds"] == FEWEST + 14
    assert report["router"]["doubly_robust"][0] > report["router"]["logged"]
    assert "nothing learned yet" not in run("policy", "router", "--no-explore")
    settings = Settings.load()
    model = Scripted(SAID)
    with Assistant.open(settings) as assistant:
        answer = writing(assistant, model).with_policy(assistant.policy()).ask(ABOUT_CTRL)
    assert (answer.trace["stages"]["route"]["arm"], model.calls) == ("quotes", [])
    assert PolicyInForce(home / "policies")().router.arms[0].weights


def test_too_few_choices_move_nothing(home: Path) -> None:
    run("policy", "router", "--arm", "quotes", "--arm", "big=0.001")
    judged(6, "quotes")
    report = json.loads(run("learn", "--promote", "--json"))
    assert (report["router"]["adopted"], report["router"]["rounds"]) == (False, 6)
    assert not any(arm.weights for arm in PolicyInForce(home / "policies")().router.arms)
