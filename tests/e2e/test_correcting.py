"""Correcting: every tap arrives in the record and is confirmed beside it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acting import FOREIGN_QUESTION, LIST_QUESTION, ROBOT_QUESTION, answered, ask, episode_of, told
from tests.e2e.serving import Server


@pytest.mark.parametrize(("word", "value"), [("Yes", "yes"), ("Partly", "partly"), ("No", "no")])
def test_whether_it_was_answered(page: Page, server: Server, word: str, value: str) -> None:
    answer = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name=word, exact=True).click()
    expect(page.locator("#turn-1 .judge .saved")).to_have_text("Saved. Thank you.")
    assert told(server, answer, "answered").value == value
    expect(page.locator("#turn-1 .why")).to_be_visible(visible=value != "yes")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("Wrong paper", "wrong_paper"),
        ("Not supported", "not_supported"),
        ("Incomplete", "incomplete"),
        ("Too long", "too_long"),
    ],
)
def test_what_was_wrong(page: Page, server: Server, word: str, value: str) -> None:
    answer = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("button", name=word, exact=True).click()
    assert told(server, answer, "reason").value == value


def test_a_reason_can_be_taken_back(page: Page, server: Server) -> None:
    answer = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name="No", exact=True).click()
    reason = page.get_by_role("button", name="Incomplete")
    reason.click()
    expect(reason).to_have_attribute("aria-pressed", "true")
    reason.click()
    expect(reason).to_have_attribute("aria-pressed", "false")
    assert told(server, answer, "withdraw").value == "incomplete"
    page.reload()
    expect(page.get_by_role("button", name="Incomplete")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="No", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_wrong_refusal(page: Page, server: Server) -> None:
    answer = ask(page, FOREIGN_QUESTION)
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("button", name="The answer is in the collection").click()
    assert told(server, answer, "reason").value == "wrong_refusal"


def test_a_comment(page: Page, server: Server) -> None:
    answer = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name="Partly", exact=True).click()
    page.fill("#turn-1 [name='comment']", "The second quote is beside the point.")
    page.press("#turn-1 [name='comment']", "Enter")
    expect(page.locator("#turn-1 .judge .saved")).to_have_text("Comment saved.")
    assert told(server, answer, "comment").value == "The second quote is beside the point."


def test_evidence_is_useful_or_not(page: Page, server: Server) -> None:
    answer = ask(page, LIST_QUESTION)
    card = page.locator(".card").nth(1)
    card.get_by_role("button", name="Not useful").click()
    expect(card.locator(".saved")).to_have_text("Saved.")
    stored = told(server, answer, "evidence")
    assert (stored.value, stored.paper_id) == ("not_useful", card.get_attribute("data-paper"))


def test_opening_a_card_is_noted_once(page: Page, server: Server) -> None:
    answer = ask(page, LIST_QUESTION)
    for _ in range(2):
        page.click("#turn-1 a.cite[data-n='2']")
        page.click("#turn-1 a.cite[data-n='3']")
    third = page.locator(".card[data-markers='3']").get_attribute("data-paper")
    page.get_by_role("button", name="Yes", exact=True).click()
    told(server, answer, "answered")  # it came last, so the others are there
    opened = [one.paper_id for one in episode_of(server, answer).feedback if one.kind == "open"]
    assert len(opened) == 2
    assert opened[1] == third


def test_editing_the_answer_in_place_survives_a_reload(page: Page, server: Server) -> None:
    answer = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name="Edit answer").click()
    page.fill("#turn-1 .rewrite textarea", "RAPL learns rewards from little feedback [1] <b>not bold</b>.")
    page.get_by_role("button", name="Save edit").click()
    expect(page.locator("#turn-1 .badge")).to_have_text("Edited by you")
    assert told(server, answer, "edit").value == "RAPL learns rewards from little feedback [1] <b>not bold</b>."
    page.reload()
    expect(page.locator("#turn-1 .words").first).to_contain_text("<b>not bold</b>")
    expect(page.locator("#turn-1 .words b")).to_have_count(0)
    expect(page.locator("#turn-1 .words a.cite").first).to_have_text("[1]")
    expect(page.locator("#turn-1 .original")).to_be_visible()


def test_an_answer_can_be_written_where_there_was_none(page: Page, server: Server) -> None:
    answer = ask(page, FOREIGN_QUESTION)
    page.get_by_role("button", name="Write the answer").click()
    expect(page.locator("#turn-1 .rewrite textarea")).to_have_value("")
    page.fill("#turn-1 .rewrite textarea", "5555 degrees, says the lamp paper.")
    page.get_by_role("button", name="Save edit").click()
    expect(page.locator("#turn-1 .badge")).to_have_text("Written by you")
    expect(page.locator("#turn-1 .words")).to_have_text("5555 degrees, says the lamp paper.")
    assert told(server, answer, "edit").value == "5555 degrees, says the lamp paper."


def test_how_long_a_card_was_read_is_noted(page: Page, server: Server) -> None:
    answer = ask(page, LIST_QUESTION)
    page.click("#turn-1 a.cite[data-n='2']")
    page.evaluate("() => { const now = performance.now.bind(performance); performance.now = () => now() + 30000; }")
    page.click("#turn-1 a.cite[data-n='3']")
    read = told(server, answer, "dwell")
    assert isinstance(read.value, float)
    assert 30 <= read.value < 60
    assert read.paper_id == page.locator(".card[data-markers='2']").get_attribute("data-paper")


def test_copying_takes_the_citations_along(page: Page, server: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name="Copy").click()
    told(server, answer, "copy")
    copied = page.evaluate("navigator.clipboard.readText()")
    found = episode_of(server, answer).interaction.answer
    assert found is not None
    assert found.text in copied
    assert all(one.quote in copied and one.title in copied for one in found.citations)


def test_retrying_loses_nothing(page: Page, server: Server) -> None:
    first = ask(page, ROBOT_QUESTION)
    ask(page, "Which data does it use?")
    page.locator("#turn-1").get_by_role("button", name="Retry").click()
    second = answered(page, 1, other_than=first)
    assert second != first
    expect(page.locator(".turn")).to_have_count(1)
    assert episode_of(server, second).interaction.turn == 1
    expect(page.locator("#turn-1 .versions span")).to_have_text("2/2")
    page.get_by_role("button", name="Earlier version").click()
    expect(page.locator("#turn-1 .versions span")).to_have_text("1/2")
    expect(page.locator("#turn-2 h2")).to_have_text("Which data does it use?")
    page.reload()
    expect(page.locator("#turn-1 .versions span")).to_have_text("1/2")
    expect(page.locator("#turn-2 h2")).to_have_text("Which data does it use?")


def test_editing_the_question_asks_again_and_tells_the_record(page: Page, server: Server) -> None:
    first = ask(page, ROBOT_QUESTION)
    page.get_by_role("button", name="Edit this question").click()
    page.fill("#turn-1 .question textarea", LIST_QUESTION)
    page.press("#turn-1 .question textarea", "Enter")
    second = answered(page, 1, other_than=first)
    expect(page.locator("#turn-1 h2")).to_have_text(LIST_QUESTION)
    assert told(server, first, "rephrase").value == LIST_QUESTION
    assert episode_of(server, second).interaction.question == LIST_QUESTION


def test_the_searched_question_can_be_changed_and_run_again(page: Page, server: Server) -> None:
    first = ask(page, "What about the second kind of robots?")
    page.click("#turn-1 .steer summary")
    page.fill("#turn-1 [name='standalone']", ROBOT_QUESTION)
    page.click("#turn-1 .steer button[type='submit']")
    second = episode_of(server, answered(page, 1, other_than=first)).interaction
    assert second.question == "What about the second kind of robots?"
    assert second.standalone_question == ROBOT_QUESTION
    assert told(server, first, "rephrase").value == ROBOT_QUESTION
    expect(page.locator("#turn-1 .words")).to_contain_text("RAPL")
    expect(page.locator("#turn-1 .steered")).to_contain_text(f"Searched for “{ROBOT_QUESTION}”")
    page.reload()
    expect(page.locator("#turn-1 .steered")).to_contain_text(f"Searched for “{ROBOT_QUESTION}”")
    page.click("#turn-1 .steer summary")
    page.get_by_role("button", name="Ask without adjustments").click()
    answered(page, 1, other_than=str(second.id))
    expect(page.locator("#turn-1 .steered")).to_have_count(0)


def test_asking_again_with_nothing_changed_searches_as_before(page: Page, server: Server) -> None:
    ask(page, ROBOT_QUESTION)
    first = episode_of(server, ask(page, "Which data does it use?")).interaction
    page.click("#turn-2 .steer summary")
    page.click("#turn-2 .steer button[type='submit']")
    second = episode_of(server, answered(page, 2, other_than=first.id)).interaction
    assert second.standalone_question == first.standalone_question
    assert second.abstained == first.abstained
    assert second.options.standalone_question is None


def test_papers_can_be_left_out_and_counted(page: Page, server: Server) -> None:
    first = ask(page, LIST_QUESTION)
    left_out = page.locator("#turn-1 select[name='paper']").first
    paper = left_out.get_attribute("data-paper")
    page.click("#turn-1 .steer summary")
    left_out.select_option("exclude")
    page.select_option("#turn-1 select[name='papers']", "2")
    page.click("#turn-1 .steer button[type='submit']")
    answer = episode_of(server, answered(page, 1, other_than=first)).interaction.answer
    assert answer is not None
    assert paper not in {one.paper_id for one in answer.retrieved}
    assert 1 <= len({one.paper_id for one in answer.citations}) <= 2


def test_one_paper_alone_can_be_asked(page: Page, server: Server) -> None:
    first = ask(page, LIST_QUESTION)
    page.click("#turn-1 .steer summary")
    only = page.locator("#turn-1 select[name='paper']").nth(2)
    paper = only.get_attribute("data-paper")
    only.select_option("include")
    page.click("#turn-1 .steer button[type='submit']")
    answer = episode_of(server, answered(page, 1, other_than=first)).interaction.answer
    assert answer is not None
    assert {one.paper_id for one in answer.retrieved} == {paper}
