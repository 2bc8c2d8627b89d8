"""Stop means stop: in the page at once, and for the model too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.acting import LIST_QUESTION, ROBOT_QUESTION, answered, ask, episode_of, record
from tests.e2e.conftest import Serve, Visit
from tests.e2e.serving import Server, SlowModel, until

QUESTION = "How can a voice assistant learn query rewrites without annotated data?"


@pytest.fixture(scope="module")
def model() -> Iterator[SlowModel]:
    """Says two sentences a second, for as long as it is let."""
    model = SlowModel(pause_s=0.5)
    yield model
    model.close()


@pytest.fixture(scope="module")
def written(serve: Serve, model: SlowModel) -> Server:
    """A server that writes its answers with the slow model."""
    return serve(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none-needed", READBACK_RETRIES="0")


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_stop_ends_the_models_work(visit: Visit, written: Server, model: SlowModel, way: str) -> None:
    model.hung_up.clear()
    page = visit(written)
    page.fill("#rb-question", QUESTION)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-1.working .said, #turn-1.working .words")
    if way == "button":
        page.click("#rb-stop")
    else:
        page.keyboard.press("Escape")
    expect(page.locator("#rb-send")).to_be_visible()
    expect(page.locator("#rb-question")).to_be_focused()
    assert model.hung_up.wait(15), "the connection to the model is closed"
    sent = model.sent
    with record(written) as store:

        def stops() -> bool:
            return any(one.kind == "stop" for episode in store.episodes() for one in episode.feedback)

        until(stops, "the stop in the record")
    assert model.sent == sent, "nothing more was written"
    expect(page.locator("#turn-1 .notice")).to_have_text("Stopped before it was finished.")
    page.click("#turn-1 a.cite[data-n='1']")
    expect(page.locator("#quote-1-1")).to_be_visible()
    page.reload()
    expect(page.locator("#turn-1 .notice")).to_have_text("Stopped before it was finished.")


def test_after_a_stop_the_conversation_goes_on(visit: Visit, written: Server) -> None:
    page = visit(written)
    page.fill("#rb-question", QUESTION)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-1.working .words")
    page.click("#rb-stop")
    page.fill("#rb-question", LIST_QUESTION)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-2.working .words")
    page.click("#rb-stop")
    expect(page.locator("#turn-2 .notice")).to_have_text("Stopped before it was finished.")
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator("#turn-1 h2")).to_have_text(QUESTION)
    page.locator("#turn-2").get_by_role("button", name="Retry").click()
    expect(page.locator("#turn-2.working .words")).to_be_visible()
    page.keyboard.press("Escape")


def test_an_answer_is_finished_when_its_page_is_loaded_again_or_left(serve: Serve, visit: Visit) -> None:
    model = SlowModel(pause_s=0.5, most=8)
    server = serve(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none-needed", READBACK_RETRIES="0")
    page = visit(server)
    page.fill("#rb-question", QUESTION)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-1.working .words")
    page.reload()
    expect(page.locator("#turn-1.working .words")).to_be_visible()
    expect(page.locator("#rb-question")).to_have_value("")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#rb-welcome")).to_be_visible()
    page.go_back()
    answered(page, 1)
    expect(page.locator("#turn-1 .notice")).to_have_count(0)
    assert not model.hung_up.is_set()
    model.close()


def test_the_end_of_a_server_loses_no_answer_in_work(serve: Serve, visit: Visit, model: SlowModel) -> None:
    server = serve(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none-needed", READBACK_RETRIES="0")
    page = visit(server)
    page.fill("#rb-question", QUESTION)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-1.working .words")
    server.stop()
    with record(server) as store:
        (episode,) = store.episodes()
    answer = episode.interaction.answer
    assert answer is not None
    assert answer.notice == "Readback was restarted before this was finished."
    assert answer.citations


def test_a_server_that_dies_in_the_middle_is_noticed(serve: Serve, visit: Visit, model: SlowModel) -> None:
    server = serve(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none-needed", READBACK_RETRIES="0")
    page = visit(server)
    page.fill("#rb-question", QUESTION)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-1.working .words")
    server.kill()
    expect(page.locator("#turn-1 .failure")).to_contain_text("stopped answering", timeout=30_000)
    server.start()  # and the page loads itself again, as soon as it notices
    expect(page.locator("#rb-question")).to_have_value(QUESTION, timeout=30_000)
    page.press("#rb-question", "Enter")
    expect(page.locator("#turn-1.working .words")).to_be_visible()
    page.keyboard.press("Escape")


def test_a_written_answer_says_what_each_quote_is_cited_for(serve: Serve, visit: Visit) -> None:
    model = SlowModel(pause_s=0, most=3)
    server = serve(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="none-needed", READBACK_RETRIES="0")
    page = visit(server)
    answer = episode_of(server, ask(page, QUESTION)).interaction.answer
    assert answer is not None
    expect(page.locator(".card .claims").first).to_be_visible()
    leaning = sum(bool(said.citations) for said in answer.sentences)
    assert page.locator(".card .claims li").count() >= leaning > 1
    expect(page.locator(".card .support").first).to_have_text("Strong support")
    page.click("#turn-1 .steer summary")
    expect(page.locator("#turn-1 [name='model']")).to_be_visible()
    first = str(page.locator("#turn-1").get_attribute("data-answer"))
    page.select_option("#turn-1 [name='mode']", "extractive")
    page.click("#turn-1 .steer button[type='submit']")
    answered(page, 1, other_than=first)
    expect(page.locator(".card .support").first).to_have_text(
        re.compile("^(Quoted word for word|Close; may not answer)$")
    )
    model.close()
    ask(page, ROBOT_QUESTION)
    expect(page.locator("#turn-2 .notice")).to_contain_text("The language model failed")
