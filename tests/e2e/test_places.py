"""Where one is stays where one was: addresses, tabs, titles, keys, and two tabs of one conversation."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.acting import LIST_QUESTION, ROBOT_QUESTION, answered, ask, record
from tests.e2e.conftest import Visit
from tests.e2e.serving import Server


def test_two_tabs_of_one_conversation_lose_nothing(page: Page, server: Server) -> None:
    first = ask(page, LIST_QUESTION)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#turn-1[data-answer]")).to_be_visible()
    ask(other, "Which of them uses a transformer?")
    ask(page, ROBOT_QUESTION)
    expect(page.locator("#rb-elsewhere")).to_be_visible()
    expect(page.locator("#turn-2 .versions span")).to_have_text("2/2")
    page.get_by_role("button", name="Earlier version").click()
    expect(page.locator("#turn-2 h2")).to_have_text("Which of them uses a transformer?")
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(other.locator("#rb-elsewhere")).to_be_visible()
    other.get_by_role("button", name="Show everything").click()
    expect(other.locator("#rb-elsewhere")).to_be_hidden()
    expect(other.locator("#turn-2 .versions")).to_be_visible()
    with record(server) as store:
        episode = store.interaction(first)
        assert episode is not None
        held = store.conversation(str(episode.interaction.user), str(episode.interaction.conversation))
    assert len(held.episodes) == 3


def test_a_conversation_deleted_in_another_tab_is_said_to_be(page: Page) -> None:
    ask(page, LIST_QUESTION)
    other = page.context.new_page()
    other.goto(page.url)
    row = other.locator("#rb-conversations li[data-conversation]")
    row.locator("summary").click()
    row.get_by_role("button", name="Delete").click()
    expect(other.locator("#rb-welcome")).to_be_visible()
    page.fill("#rb-question", ROBOT_QUESTION)
    page.press("#rb-question", "Enter")
    expect(page.locator("#turn-2 .failure")).to_contain_text("deleted in another tab")


def test_reload_and_back_stay_where_one_was(page: Page) -> None:
    ask(page, LIST_QUESTION)
    expect(page).to_have_title("Which papers use pseudo relevance feedback? · Readback")
    page.click("#rb-tab-papers")
    page.wait_for_selector("#rb-table tbody tr")
    expect(page).to_have_title("Papers · Readback")
    page.fill("#rb-paper-search", "TPRF resource constrained")
    expect(page.locator("#rb-table tbody tr")).to_have_count(1)
    page.locator("#rb-table tbody tr").get_by_role("button").click()
    expect(page.locator("#rb-paper .card")).to_contain_text("TPRF")
    page.reload()
    expect(page.locator("#rb-papers")).to_be_visible()
    expect(page.locator("#rb-paper .card")).to_contain_text("TPRF")
    page.go_back()
    page.go_back()
    expect(page.locator("#turn-1 h2")).to_have_text(LIST_QUESTION)


def test_a_turn_has_an_address(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, LIST_QUESTION)
    ask(page, ROBOT_QUESTION)
    page.locator("#turn-1").get_by_role("button", name="Link").click()
    expect(page.locator("#rb-toast")).to_have_text("Address copied.")
    address = page.evaluate("navigator.clipboard.readText()")
    assert address.endswith("&t=1")
    other = page.context.new_page()
    other.goto(address)
    expect(other.locator("#turn-2[data-answer]")).to_be_attached()
    expect(other.locator(".set:visible")).to_have_attribute("data-turn", "1")


def test_a_link_that_is_somebody_elses_says_so(visit: Visit, page: Page) -> None:
    ask(page, LIST_QUESTION)
    theirs = visit(path="#" + page.url.partition("#")[2])
    expect(theirs.locator("#rb-toast.bad")).to_contain_text("no such conversation of yours")
    expect(theirs.locator("#rb-welcome")).to_be_visible()


def test_keys(page: Page) -> None:
    ask(page, LIST_QUESTION)
    page.keyboard.press("Control+k")
    expect(page.locator("#rb-search")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("no language model is configured")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.focus("#rb-question")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#turn-1 .question textarea")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(ROBOT_QUESTION)
    first = str(page.locator("#turn-1").get_attribute("data-answer"))
    page.keyboard.press("Enter")
    answered(page, 1, other_than=first)
    expect(page.locator("#turn-1 .versions span")).to_have_text("2/2")


def test_how_an_answer_was_found_can_be_unfolded(page: Page) -> None:
    ask(page, LIST_QUESTION)
    page.get_by_text("How this was found").click()
    expect(page.locator("#turn-1 .traced")).to_contain_text("retrieve")
    expect(page.locator("#turn-1 .traced table")).to_contain_text("Pseudo")


def test_the_page_prints_its_whole_conversation(page: Page) -> None:
    ask(page, LIST_QUESTION)
    ask(page, ROBOT_QUESTION)
    page.emulate_media(media="print")
    for turn in (1, 2):
        expect(page.locator(f"#turn-{turn} h2")).to_be_visible()
        expect(page.locator(f"#turn-{turn} .words .source").first).to_be_visible()
    for hidden in (".composer", "#rb-list", "#turn-1 .tools", "#rb-evidence"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.evaluate("document.querySelector('#rb').scrollHeight > 900"), "nothing is cut off at the window"


def test_the_first_paint_is_the_page_and_not_what_it_is_made_with(visit: Visit, server: Server) -> None:
    page = visit()
    html = page.request.get(server.url, headers={"accept": "text/html"}).text()
    assert "gradio-app { opacity: 0; }" in html
    assert 'rel="icon" href="data:image/svg+xml' in html
    assert "og:image" not in html
    assert "<title>Readback</title>" in html
    expect(page.locator("#rb-about")).to_contain_text("119 papers")
    expect(page.locator("#rb-about")).to_contain_text("Answers are made of quotes")
