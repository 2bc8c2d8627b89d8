"""Asking, reading, checking: from a question to the highlighted quote."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from rag.corpus import read
from rag.settings import shipped_corpus
from tests.e2e.acting import FOREIGN_QUESTION, LIST_QUESTION, ROBOT_QUESTION, ask, episode_of, in_view
from tests.e2e.conftest import Visit
from tests.e2e.serving import Server, until


def test_a_marker_leads_to_the_highlighted_quote_in_view(page: Page, server: Server) -> None:
    answer = episode_of(server, ask(page, LIST_QUESTION)).interaction.answer
    assert answer is not None
    cited = answer.citations[1]
    page.click("#turn-1 a.cite[data-n='2']")
    mark = page.locator(f".card[data-paper='{cited.paper_id}'] mark.on")
    expect(mark).to_be_visible()
    expect(mark).to_contain_text(cited.quote)
    until(lambda: in_view(page, "#quote-1-2", "#rb-evidence"), "the quote to scroll into view")
    whole = page.locator(f".card[data-paper='{cited.paper_id}'] .abstract")
    papers = {paper.id: paper for paper in read(shipped_corpus()).papers}
    assert whole.text_content() == papers[cited.paper_id].abstract


def test_one_card_and_one_number_for_each_cited_paper(page: Page, server: Server) -> None:
    answer = episode_of(server, ask(page, ROBOT_QUESTION)).interaction.answer
    assert answer is not None
    papers = {one.paper_id for one in answer.citations}
    assert len(answer.citations) > len(papers), "several quotes share a paper here"
    expect(page.locator(".card")).to_have_count(len(papers))
    markers = page.locator(".card").evaluate_all("cards => cards.flatMap(card => card.dataset.markers.split(' '))")
    assert sorted(map(int, markers)) == sorted({one.marker for one in answer.citations})
    expect(page.locator(".also summary")).to_have_text(f"Also retrieved: {10 - len(papers)} papers")
    expect(page.locator(".card .support").first).to_contain_text("Quoted word for word")


def test_a_card_shows_which_sentences_lean_on_it(page: Page) -> None:
    ask(page, LIST_QUESTION)
    page.hover(".card[data-markers='3'] h3")
    lit = page.locator(".said.lit")
    expect(lit).to_have_count(1)
    assert lit.get_attribute("data-leans") == "2"
    page.hover(".rb h1")
    expect(lit).to_have_count(0)


def test_the_answer_streams_and_says_what_it_is_doing(page: Page) -> None:
    page.evaluate(
        """() => {
            window.seen = [];
            new MutationObserver(() => {
                const turn = document.querySelector('#turn-1');
                if (turn) window.seen.push([turn.className, turn.querySelector('.progress')?.textContent ?? '']);
            }).observe(document.querySelector('#rb-thread'), { childList: true, subtree: true });
        }"""
    )
    ask(page, LIST_QUESTION)
    seen = page.evaluate("window.seen")
    assert any("working" in names and "Reading" in progress for names, progress in seen)
    assert "working" not in seen[-1][0]


def test_a_follow_up_is_understood(page: Page, server: Server) -> None:
    ask(page, LIST_QUESTION)
    second = episode_of(server, ask(page, "Which of them uses a transformer?")).interaction
    assert second.turn == 2
    assert second.standalone_question != second.question
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".set:visible")).to_have_attribute("data-turn", "2")
    page.click("#turn-1 a.cite[data-n='1']")
    expect(page.locator(".set:visible")).to_have_attribute("data-turn", "1")


def test_an_abstention_looks_different_and_offers_better_questions(page: Page) -> None:
    ask(page, FOREIGN_QUESTION)
    turn = page.locator("#turn-1")
    expect(turn.locator(".abstention .verdict")).to_have_text("The collection does not answer this")
    expect(turn.locator(".missing")).to_contain_text("tungsten")
    suggestion = turn.locator(".suggestion").first
    asked = suggestion.inner_text()
    suggestion.click()
    expect(page.locator("#turn-2 h2")).to_have_text(asked)
    expect(page.locator("#turn-2 .answer .words")).to_be_visible()


def test_without_a_model_the_start_says_so_and_leads_to_the_setup(page: Page) -> None:
    page.get_by_role("button", name="Set up a model").click()
    expect(page.locator("#rb-setup")).to_contain_text("no language model is configured")
    page.get_by_role("button", name="Close", exact=True).click()
    ask(page, ROBOT_QUESTION)
    expect(page.locator("#turn-1 .notice")).to_have_count(0)


def test_examples_are_answered(page: Page) -> None:
    examples = page.locator("#rb-examples button")
    expect(examples.first).to_be_visible()
    assert examples.count() == 4
    for number in range(4):
        text = examples.nth(number).text_content() or ""
        ask(page, text)
        expect(page.locator(f"#turn-{number + 1} .answer a.cite").first).to_be_visible()


def test_the_keyboard_suffices(page: Page) -> None:
    box = page.locator("#rb-question")
    expect(box).to_be_focused()
    page.keyboard.type("Which papers use")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("pseudo relevance feedback?")
    expect(box).to_have_value("Which papers use\npseudo relevance feedback?")
    expect(page.locator(".turn")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#turn-1[data-answer]")).to_be_visible()
    page.locator("#turn-1 a.cite").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card[data-markers='2']")).to_be_focused()


def test_an_empty_question_and_a_very_long_one_do_no_harm(page: Page) -> None:
    page.press("#rb-question", "Enter")
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, "feedback " * 440)
    expect(page.locator("#turn-1 :is(.answer, .abstention)")).to_be_visible()


def test_it_fits_a_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    ask(page, LIST_QUESTION)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    answer, evidence = page.locator("#turn-1").bounding_box(), page.locator("#rb-evidence").bounding_box()
    assert answer is not None
    assert evidence is not None
    assert evidence["y"] >= answer["y"] + answer["height"], "the evidence is below the answer"
    wide = page.evaluate(
        """() => Array.from(document.querySelectorAll('#rb-chat *'))
            .filter((one) => one.getBoundingClientRect().right > 376 && getComputedStyle(one).visibility !== 'hidden'
                && !one.closest('.list'))
            .map((one) => one.className)"""
    )
    assert wide == []
    page.tap("#turn-1 a.cite[data-n='2']")
    until(lambda: in_view(page, "#quote-1-2", "#rb-chat"), "the quote to scroll into view")
    page.tap(".set:visible >> text=Back to the answer")
    until(lambda: in_view(page, "#turn-1 .answer", "#rb-chat"), "the answer to scroll into view")
    page.tap("[aria-label='Conversations']")
    expect(page.locator("#rb-conversations .open")).to_be_visible()
