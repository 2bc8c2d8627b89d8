"""The router chooses quotes or a model where a question leaves it open, and notes how it chose."""

from __future__ import annotations

from rag import Assistant
from rag.policy import Policy
from rag.policy.routing import Arm, Routing
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, Scripted, writing

FEATURES = 6
LIKED, DISLIKED = (0.9, *(0.0,) * (FEATURES - 1)), (0.1, *(0.0,) * (FEATURES - 1))
SURE = (1e6,) * FEATURES


def routed(assistant: Assistant, model: Scripted, quotes: tuple[float, ...], large: tuple[float, ...]) -> Assistant:
    """An assistant whose router thinks this of its two arms."""
    arms = (Arm("quotes", 0.0, "extractive", None, quotes, SURE), Arm("big", 0.01, "generative", "big", large, SURE))
    policy = Policy.default().with_parts(router=Routing(arms=arms, worth=0.1))
    return writing(assistant, model).with_policy(policy)


def test_quotes_answer_where_they_are_worth_more(assistant: Assistant) -> None:
    model = Scripted("nothing")
    answer = routed(assistant, model, LIKED, LIKED).ask(ABOUT_CTRL)
    assert (answer.mode, answer.model, model.calls) == ("extractive", None, [])
    assert answer.text == assistant.ask(ABOUT_CTRL).text
    noted = answer.trace["stages"]["route"]
    assert (noted["arm"], noted["propensity"], len(noted["context"])) == ("quotes", 1.0, FEATURES)


def test_the_model_answers_where_it_is_worth_its_price(assistant: Assistant) -> None:
    model = Scripted("The weather in Paris was sunny and warm on that holiday [1].")
    answer = routed(assistant, model, DISLIKED, LIKED).ask(ABOUT_CTRL)
    assert model.calls
    assert answer.trace["stages"]["route"]["arm"] == "big"


def test_what_somebody_wishes_is_not_overruled(assistant: Assistant) -> None:
    model = Scripted("nothing")
    answer = routed(assistant, model, DISLIKED, LIKED).ask(ABOUT_CTRL, options=Options(mode="extractive"))
    assert answer.mode == "extractive"
    assert "route" not in answer.trace["stages"]
