"""Asking through the page, without a browser: what its script sends, and what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.index import Index
from rag.query.followup import resolve_by_rule
from rag.types import Turn
from tests.ui.conftest import MakeServices
from tests.ui.samples import FOLLOW_UP, PAPERS, REWRITES, EndlessModel
from ui.page.about import About
from ui.page.asking import Asking
from ui.page.conversations import Conversations
from ui.page.turns import Turns
from ui.page.uploads import Uploads
from ui.services import Asker, Services
from ui.services.asking import STOPPED

RUN = "run-00000001"
ADA = Asker("ada", "192.0.2.1")


def given(question: str, turn: int = 1, **more: Any) -> dict[str, Any]:
    return {"run": f"run-{turn:08d}", "conversation": "conversation-1", "turn": turn, "question": question, **more}


def everything(
    services: Services, question: str, turn: int = 1, asker: Asker = ADA, **more: Any
) -> list[dict[str, Any]]:
    """All states of a run."""
    states = [json.loads(one) for one in Asking(services, Turns(services)).stream(given(question, turn, **more), asker)]
    assert [one.get("done", False) for one in states] == [False] * (len(states) - 1) + [True]
    return states


def asked(services: Services, question: str, turn: int = 1, asker: Asker = ADA, **more: Any) -> dict[str, Any]:
    """The last state of a run."""
    return everything(services, question, turn, asker, **more)[-1]


def answer_of(state: dict[str, Any]) -> str:
    """The id of the answer that a state shows."""
    return str(re.findall(r'<article[^>]* data-answer="(\w+)"', state["html"])[0])


def searched(services: Services) -> list[str | None]:
    services.store.flush()
    return [one.interaction.standalone_question for one in services.store.episodes()]


def test_the_longest_question_is_the_same_on_the_page(make_services: MakeServices) -> None:
    services = make_services(question_chars=100)
    assert "100 are allowed" in asked(services, "why " * 26)["html"]
    assert searched(services) == []


@pytest.mark.usefixtures("one_minute")
def test_the_page_counts_questions_by_user_and_by_address(make_services: MakeServices) -> None:
    services = make_services(user_per_minute=2, address_per_minute=3)
    for asker, limited in ((ADA, False), (ADA, False), (ADA, True), (Asker("bob", ADA.address), True)):
        assert ("Too many requests" in asked(services, REWRITES, asker=asker)["html"]) is limited
    assert "Too many" not in asked(services, REWRITES, asker=Asker("bob", "192.0.2.2"))["html"]


@pytest.mark.usefixtures("one_minute")
def test_a_browser_that_keeps_no_cookies_is_counted_by_its_address(make_services: MakeServices) -> None:
    services = make_services(user_per_minute=1)
    first, second = (Asker(f"browser-{number}", ADA.address, returning=False) for number in range(2))
    assert "Too many" not in asked(services, REWRITES, asker=first)["html"]
    assert "Too many" in asked(services, REWRITES, asker=second)["html"]


def begun(services: Services, **more: Any) -> tuple[Asking, Iterator[str]]:
    """A question whose answer has begun to come."""
    asking = Asking(services, Turns(services))
    stream = asking.stream(given(REWRITES, **more), ADA)
    for state in stream:
        if "customer number 1" in json.loads(state).get("html", ""):  # so number 0 has been judged
            return asking, stream
    raise AssertionError("nothing came")


@pytest.mark.parametrize("keep", [True, False])
def test_a_stopped_answer_keeps_what_it_said_and_stays_in_the_conversation(
    make_services: MakeServices, keep: bool
) -> None:
    services = make_services(model=EndlessModel(), unsupported="mark", keep_questions=keep)
    asking, stream = begun(services)
    asking.stop({"run": RUN}, ADA.user)
    *_, last = map(json.loads, stream)
    assert last["done"]
    assert STOPPED in last["html"]
    assert 'href="#quote-1-1"' in last["html"]
    assert 'id="quote-1-1"' in last["evidence"]
    answer_id = answer_of(last)
    (turn,) = services.conversations.place_after(ADA.user, "conversation-1", answer_id).history
    assert turn.question == REWRITES
    assert "customer number 0" in turn.answer
    assert resolve_by_rule(FOLLOW_UP, [turn]).standalone != FOLLOW_UP


def test_a_stop_that_comes_before_its_question_counts(make_services: MakeServices) -> None:
    model = EndlessModel()
    services = make_services(model=model, unsupported="mark")
    asking = Asking(services, Turns(services))
    asking.stop({"run": RUN}, ADA.user)
    *_, last = map(json.loads, asking.stream(given(REWRITES), ADA))
    assert STOPPED in last["html"]


def test_an_answer_is_finished_when_the_page_is_left(make_services: MakeServices) -> None:
    model = EndlessModel()
    services = make_services(model=model, unsupported="mark")
    asking, stream = begun(services)
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    opened = Conversations(services, Turns(services)).open({"conversation": "conversation-1"}, ADA.user)
    assert opened["working"] == {"run": RUN, "question": REWRITES, "turn": 1}
    again = asking.stream({"run": RUN, "turn": 1, "follow": True}, ADA)
    assert "customer number 0" in "".join(next(again) for _ in range(3))
    run = services.asking.find(ADA.user, RUN)
    assert run is not None
    model.stopped.set()
    assert run.wait(30)
    *_, last = map(json.loads, again)
    assert 'data-answer="' in last["html"]
    assert [json.loads(one).get("gone") for one in asking.stream({"run": RUN, "follow": True}, ADA)] == [True]
    opened = Conversations(services, Turns(services)).open({"conversation": "conversation-1"}, ADA.user)
    assert "working" not in opened
    assert "customer number 0" in opened["html"]


def test_asking_again_adds_a_version_and_what_followed_is_kept(services: Services) -> None:
    first = answer_of(asked(services, REWRITES))
    asked(services, FOLLOW_UP, turn=2, after=first)
    state = asked(services, "What do robots forget?", turn=1)
    assert "<span>2/2</span>" in state["html"]
    conversations = Conversations(services, Turns(services))
    where = {"conversation": "conversation-1"}
    assert FOLLOW_UP not in conversations.open(where, ADA.user)["html"]
    before = conversations.version({**where, "answer": first}, ADA.user)
    assert FOLLOW_UP in before["html"]
    assert "<span>1/2</span>" in before["html"]
    assert before["revision"] == 4


def test_a_question_from_another_tab_is_noticed_and_loses_nothing(services: Services) -> None:
    first = answer_of(asked(services, REWRITES))
    states = [one for turn in (2, 2) for one in everything(services, FOLLOW_UP, turn=turn, after=first, revision=1)]
    assert [one.get("elsewhere") for one in states].count(True) == 1
    assert "<span>2/2</span>" in states[-1]["html"]
    conversations = Conversations(services, Turns(services))
    seen = {"conversation": "conversation-1", "revision": 1}
    assert conversations.changed(seen, ADA.user) == {"elsewhere": True}
    assert conversations.changed({**seen, "revision": 3}, ADA.user) == {"elsewhere": False}
    conversations.delete(seen, ADA.user)
    assert "deleted in another tab" in asked(services, FOLLOW_UP, turn=2, after=first)["html"]
    assert conversations.restore(seen, ADA.user) == {"said": "Restored."}
    assert FOLLOW_UP in conversations.open(seen, ADA.user)["html"]


def test_how_a_turn_was_steered_is_said_also_when_it_is_opened_again(services: Services) -> None:
    paper = PAPERS[0]
    asked(services, "Something else?", standalone=REWRITES, include=[paper.id], papers=2)
    for html in (Conversations(services, Turns(services)).open({"conversation": "conversation-1"}, ADA.user)["html"],):
        for words in (f"Searched for “{REWRITES}”", f"Only from “{paper.title}”", "Up to 2 papers"):
            assert words in html
    state = asked(services, "Something else?")
    assert 'class="steered"' not in state["html"]


def test_where_no_words_are_kept_follow_ups_still_know_what_they_follow(make_services: MakeServices) -> None:
    services = make_services(keep_questions=False)
    first = asked(services, REWRITES)
    state = asked(services, FOLLOW_UP, turn=2, after=answer_of(first))
    assert resolve_by_rule(FOLLOW_UP, [Turn(REWRITES, REWRITES, "")]).standalone != FOLLOW_UP
    assert f">{FOLLOW_UP}</textarea>" not in state["html"], "it was searched as a whole question"


def test_how_an_answer_was_found_is_folded_below_it(services: Services) -> None:
    state = asked(services, REWRITES)
    assert "How this was found" in state["html"]
    shown = Conversations(services, Turns(services)).trace({"answer": answer_of(state)}, ADA.user)["html"]
    assert PAPERS[0].title in shown
    assert "<dt>retrieve" in shown


def test_what_the_setup_says_is_not_repeated_below_answers(services: Services) -> None:
    assert "OPENAI_API_KEY" not in asked(services, REWRITES)["html"]


def test_a_greeting_has_questions_to_press_and_no_evidence(services: Services) -> None:
    state = asked(services, "Hello")
    assert state["evidence"] == ""
    suggestions = re.findall(r'data-do="suggest">([^<]+)<', state["html"])
    assert suggestions
    assert all(state["html"].count(one) <= 3 for one in suggestions), "a button, and what is copied or edited"
    assert "Adjust and ask again" not in state["html"]


def test_the_page_says_how_it_is_set_up_and_tells_no_key(make_services: MakeServices) -> None:
    assert "no language model is configured" in About(make_services()).show({}, ADA.user)["html"]
    services = make_services(model=EndlessModel(), openai_api_key="sk-secret-key", keep_questions=False)
    html = About(services).show({}, ADA.user)["html"]
    assert "written by test" in html
    assert "no words are kept" in html
    assert services.assistant.policy().version in html
    assert "secret" not in html


def test_an_upload_tells_how_far_it_is_and_leaves_no_file(
    services: Services, index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    lines = [json.dumps({"title": f"On {n}", "abstract": f"We study {n} at length. It works."}) for n in range(300)]
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    brought = {"upload": "upload-00000001", "name": "many.jsonl", "path": str(file)}
    states = [json.loads(one) for one in Uploads(services).stream(brought, ADA)]
    assert any("papers done" in one.get("progress", "") for one in states)
    assert (states[-1]["done"], states[-1]["changed"]) == (True, True)
    assert "300 added" in states[-1]["html"]
    assert not file.exists()
