"""Conversations are kept, found again, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import bibtexparser
import pytest
from playwright.sync_api import Page, expect

from rag.events import EventStore
from tests.e2e.acting import LIST_QUESTION, ROBOT_QUESTION, answered, ask, episode_of, record
from tests.e2e.conftest import Serve, Visit
from tests.e2e.serving import Server, until

ROW = "#rb-conversations li[data-conversation]"


def owner(store: EventStore, conversation: str) -> str:
    """Whose conversation it is."""
    found = [one.interaction.user for one in store.episodes() if one.interaction.conversation == conversation]
    return str(found[0])


def test_reload_keeps_the_conversation_and_what_was_said_about_it(page: Page, server: Server) -> None:
    ask(page, LIST_QUESTION)
    page.get_by_role("button", name="Partly", exact=True).click()
    page.locator(".card").first.get_by_role("button", name="Useful", exact=True).click()
    expect(page.locator(".card .saved").first).to_have_text("Saved.")
    ask(page, ROBOT_QUESTION)
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator("#turn-1 h2")).to_have_text(LIST_QUESTION)
    expect(page.locator("#turn-1 .judge [data-value='partly']")).to_have_attribute("aria-pressed", "true")
    page.click("#turn-1 a.cite[data-n='1']")
    expect(page.locator(".set:visible .card").first.get_by_role("button", name="Useful", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_restart_keeps_conversations_and_the_person(serve: Serve, visit: Visit) -> None:
    server = serve()
    page = visit(server)
    ask(page, LIST_QUESTION)
    expect(page.locator(ROW)).to_have_count(1)
    server.stop()
    server.start()
    page.reload()
    expect(page.locator("#turn-1 h2")).to_have_text(LIST_QUESTION)
    follow_up = episode_of(server, ask(page, "Which of them uses a transformer?")).interaction
    assert follow_up.turn == 2
    assert follow_up.standalone_question != follow_up.question, "the first turn is known after the restart"


def test_where_no_words_are_kept_a_follow_up_still_works(serve: Serve, visit: Visit) -> None:
    server = serve(READBACK_KEEP_QUESTIONS="false")
    page = visit(server)
    ask(page, LIST_QUESTION)
    ask(page, "Which of them uses a transformer?")
    searched = page.locator("#turn-2 [name='standalone']")
    assert searched.input_value() != "Which of them uses a transformer?"
    page.reload()
    expect(page.locator("#rb-thread")).to_contain_text("does not keep the words")
    page.fill("#rb-question", ROBOT_QUESTION)
    page.press("#rb-question", "Enter")
    assert episode_of(server, answered(page, 3)).interaction.turn == 3


def test_two_browsers_never_see_each_other(visit: Visit, server: Server) -> None:
    ours, theirs = visit(), visit()
    ask(ours, LIST_QUESTION)
    ask(theirs, ROBOT_QUESTION)
    for page, mine in ((ours, LIST_QUESTION), (theirs, ROBOT_QUESTION)):
        page.reload()
        expect(page.locator(ROW)).to_have_count(1)
        expect(page.locator("#turn-1 h2")).to_have_text(mine)
    theirs.goto(ours.url)
    theirs.reload()
    expect(theirs.locator("#rb-welcome")).to_be_visible()
    expect(theirs.locator(".turn")).to_have_count(0)


def test_feedback_on_another_persons_answer_is_refused(visit: Visit, server: Server) -> None:
    ours, theirs = visit(), visit()
    answer = ask(ours, LIST_QUESTION)
    ask(theirs, ROBOT_QUESTION)
    theirs.evaluate("answer => { document.querySelector('#turn-1').dataset.answer = answer; }", answer)
    theirs.get_by_role("button", name="No", exact=True).click()
    expect(theirs.locator("#rb-toast.bad")).to_be_visible()
    assert episode_of(server, answer).feedback == ()


def test_two_people_ask_at_the_same_time(visit: Visit, server: Server) -> None:
    pages = {visit(): question for question in (LIST_QUESTION, ROBOT_QUESTION)}
    for page, question in pages.items():
        page.fill("#rb-question", question)
        page.press("#rb-question", "Enter")
    users = set()
    for page, question in pages.items():
        found = episode_of(server, answered(page, 1)).interaction
        assert found.question == question
        users.add(found.user)
        expect(page.locator("#turn-1 h2")).to_have_text(question)
    assert len(users) == 2


def test_rename_search_and_delete(page: Page, server: Server) -> None:
    ask(page, LIST_QUESTION)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#rb-welcome")).to_be_visible()
    ask(page, ROBOT_QUESTION)
    expect(page.locator(ROW)).to_have_count(2)
    first = page.locator(ROW).filter(has_text="pseudo")
    first.locator("summary").click()
    first.get_by_role("button", name="Rename").click()
    page.fill("#rb-conversations form input", "Query expansion <i>notes</i>")
    page.press("#rb-conversations form input", "Enter")
    renamed = page.locator(ROW).filter(has_text="Query expansion <i>notes</i>")
    expect(renamed).to_have_count(1)
    page.fill("#rb-search", "robot")
    expect(page.locator(ROW)).to_have_count(1)
    page.fill("#rb-search", "zebra")
    expect(page.locator("#rb-conversations")).to_have_text("Nothing found.")
    page.fill("#rb-search", "")
    expect(page.locator(ROW)).to_have_count(2)
    identity = str(renamed.get_attribute("data-conversation"))
    renamed.locator("summary").click()
    renamed.get_by_role("button", name="Delete").click()
    expect(page.locator(ROW)).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(ROW)).to_have_count(2)
    renamed.locator("summary").click()
    renamed.get_by_role("button", name="Delete").click()
    expect(page.locator(ROW)).to_have_count(1)
    with record(server) as store:
        assert identity not in {one.id for one in store.conversations(owner(store, identity))}


def test_opening_another_conversation_and_going_back(page: Page) -> None:
    ask(page, LIST_QUESTION)
    page.get_by_role("button", name="New conversation").click()
    ask(page, ROBOT_QUESTION)
    page.locator(ROW).filter(has_text="pseudo").locator(".open").click()
    expect(page.locator("#turn-1 h2")).to_have_text(LIST_QUESTION)
    page.go_back()
    expect(page.locator("#turn-1 h2")).to_have_text(ROBOT_QUESTION)


def test_export_is_markdown_and_bibtex_of_the_cited_papers(page: Page, tmp_path: Path) -> None:
    ask(page, LIST_QUESTION)
    row = page.locator(ROW)
    row.locator("summary").click()
    saved: list[Path] = []

    def save(download: object) -> None:
        target = tmp_path / download.suggested_filename  # type: ignore[attr-defined]
        download.save_as(target)  # type: ignore[attr-defined]
        saved.append(target)

    page.on("download", save)
    row.get_by_role("button", name="Export").click()
    page.wait_for_function("document.querySelector('#rb-toast').textContent === 'Exported.'")
    until(lambda: page.evaluate("1") and len(saved) == 3, "three files")
    text = {path.suffix: path.read_text("utf-8") for path in saved}
    assert LIST_QUESTION.rstrip("?") in text[".md"]
    assert "TY  - " in text[".ris"]
    titles = page.locator(".card h3").count()
    assert len(bibtexparser.loads(text[".bib"]).entries) == titles


@pytest.mark.parametrize("path", ["#c=no-such-conversation-0000", "#c=<script>alert(1)</script>"])
def test_an_address_of_nothing_opens_a_new_conversation(visit: Visit, path: str) -> None:
    page = visit(path=path)
    expect(page.locator("#rb-welcome")).to_be_visible()
    ask(page, ROBOT_QUESTION)
