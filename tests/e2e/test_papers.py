"""The collection: looking through it, adding to it, taking from it, and seeing it as a map."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acting import answered, ask, episode_of
from tests.e2e.conftest import Serve, Visit
from tests.e2e.serving import Server

ROWS = "#rb-table tbody tr"
GOOD = {
    "title": "Tungsten lamps for reading at night",
    "abstract": "We measure how tungsten lamps light a page. The boiling point of tungsten is 5555 degrees Celsius. "
    "Readers preferred lamps at 2700 kelvin in all of our trials.",
    "authors": ["Ada Lampe", "Bo Licht"],
    "year": 2021,
}


@pytest.fixture
def papers(page: Page) -> Page:
    """The Papers tab of the shared server."""
    page.click("#rb-tab-papers")
    page.wait_for_selector(ROWS)
    return page


def open_tprf(papers: Page) -> None:
    """Search for one paper and look at it."""
    papers.fill("#rb-paper-search", "TPRF resource constrained")
    expect(papers.locator(ROWS)).to_have_count(1)
    papers.locator(ROWS).get_by_role("button").click()


def places(papers: Page, count: int) -> dict[str, list[str]]:
    """Where the map shows each paper, once it shows so many."""
    points = papers.locator("svg.map .point")
    expect(points).to_have_count(count, timeout=60_000)
    found: dict[str, list[str]] = points.evaluate_all(
        """all => Object.fromEntries(
            all.map((one) => [one.dataset.paper, ['cx', 'cy'].map((at) => one.getAttribute(at))])
        )"""
    )
    return found


def test_the_table_is_searched_and_sorted(papers: Page) -> None:
    expect(papers.locator("#rb-count")).to_have_text("119 papers")
    papers.fill("#rb-paper-search", "pseudo relevance transformer")
    expect(papers.locator("#rb-count")).to_contain_text("of 119")
    expect(papers.locator(ROWS).first).to_contain_text("TPRF")
    papers.fill("#rb-paper-search", "")
    expect(papers.locator("#rb-count")).to_have_text("119 papers")
    papers.get_by_role("button", name="Title").click()
    expect(papers.locator("th.title")).to_have_attribute("aria-sort", "ascending")
    ascending = papers.locator("td.title").all_inner_texts()
    assert ascending == sorted(ascending, key=str.casefold)
    papers.get_by_role("button", name="Title").click()
    expect(papers.locator("th.title")).to_have_attribute("aria-sort", "descending")
    papers.click("#rb-more")
    expect(papers.locator(ROWS)).to_have_count(100)
    papers.click("#rb-more")
    expect(papers.locator(ROWS)).to_have_count(119)
    expect(papers.locator("#rb-more")).to_be_hidden()


def test_a_paper_and_papers_like_it(papers: Page) -> None:
    open_tprf(papers)
    card = papers.locator("#rb-paper .card")
    expect(card.locator(".abstract")).to_contain_text("resource constrained environment")
    card.get_by_role("button", name="Papers like this one").click()
    similar = papers.locator("#rb-paper .similar li")
    expect(similar).to_have_count(6)
    expect(similar.first).to_contain_text("Relevance Feedback")


def test_papers_like_one_from_an_evidence_card(page: Page) -> None:
    ask(page, "Which papers use pseudo relevance feedback?")
    page.locator(".card").first.get_by_role("button", name="Papers like this one").click()
    expect(page.locator("#rb-aside .similar li")).to_have_count(6)
    page.locator("#rb-aside").get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#rb-aside")).to_be_hidden()
    page.click(".also summary")
    page.locator(".also button").first.click()
    expect(page.locator("#rb-aside .abstract")).to_be_visible()


def test_the_map_names_papers_and_shows_them(papers: Page, server: Server) -> None:
    point = papers.locator("svg.map .point").first
    point.wait_for()
    expect(papers.locator("svg.map .point")).to_have_count(119)
    assert papers.locator("svg.map .label").count() >= 4
    assert all(text.strip() for text in papers.locator("svg.map .label").all_text_contents())
    paper, title = point.get_attribute("data-paper"), str(point.get_attribute("data-title"))
    point.hover(force=True)
    expect(papers.locator("#rb-map .tip")).to_have_text(title)
    point.click(force=True)
    expect(papers.locator("#rb-paper .card")).to_have_attribute("data-paper", str(paper))
    papers.get_by_role("button", name="Ask about this paper").click()
    interaction = episode_of(server, answered(papers, 1)).interaction
    assert title.rstrip(".?!") in str(interaction.question)
    assert {one.paper_id for one in interaction.papers} == {paper}
    expect(papers.locator("#turn-1 .answer a.cite").first).to_be_visible()


def test_the_keyboard_reaches_the_papers_on_the_map(papers: Page) -> None:
    drawing = papers.locator("svg.map")
    drawing.focus()
    for _ in range(3):
        papers.keyboard.press("ArrowRight")
    title = papers.locator("svg.map .point.on").get_attribute("data-title")
    expect(papers.locator("#rb-map .tip")).to_have_text(str(title))
    expect(papers.locator("#rb-spoken")).to_have_text(str(title))
    papers.keyboard.press("Enter")
    expect(papers.locator("#rb-paper .card h3")).to_have_text(str(title))


def test_questions_can_be_limited_to_a_paper(papers: Page, server: Server) -> None:
    open_tprf(papers)
    papers.get_by_role("button", name="Limit questions to it").click()
    expect(papers.locator("#rb-scope .chip")).to_contain_text("TPRF")
    limited = episode_of(server, ask(papers, "What does it consider?")).interaction
    assert len(limited.papers) == 1
    papers.click("#rb-scope .chip")
    assert len(episode_of(server, ask(papers, "Which papers use feedback?")).interaction.papers) == 10


def test_adding_asking_and_removing_a_paper(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    page = visit(serve())
    page.click("#rb-tab-papers")
    page.wait_for_selector(ROWS)
    before = places(page, 119)
    good = tmp_path / "lamps.jsonl"
    good.write_text(json.dumps(GOOD), "utf-8")
    page.set_input_files("#rb-files", good)
    report = page.locator("#rb-reports .report").first
    expect(report).to_contain_text("lamps.jsonl: 1 added.", timeout=60_000)
    expect(page.locator("#rb-count")).to_have_text("120 papers")
    report.get_by_role("button", name="Dismiss").click()
    expect(report).to_have_count(0)
    after = places(page, 120)
    assert {paper: after[paper] for paper in before} == before, "nothing else moves on the map"
    expect(page.locator("th.authors")).to_be_visible()
    page.get_by_role("button", name="Year").click()
    expect(page.locator(ROWS).first).to_contain_text("Tungsten lamps")
    page.click("#rb-tab-chat")
    ask(page, "What is the boiling point of tungsten?")
    expect(page.locator("#turn-1 .words")).to_contain_text("5555 degrees")
    expect(page.locator(".card .by")).to_have_text("Ada Lampe, Bo Licht · 2021")
    page.click("#rb-tab-papers")
    page.fill("#rb-paper-search", "tungsten")
    expect(page.locator(ROWS)).to_have_count(1)
    page.locator(ROWS).get_by_role("button").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#rb-count")).to_have_text("0 papers of 119", timeout=60_000)
    expect(page.locator("#rb-table")).to_contain_text("No paper has all of these words")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(ROWS)).to_have_count(1, timeout=60_000)
    page.locator(ROWS).get_by_role("button").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#rb-count")).to_have_text("0 papers of 119", timeout=60_000)
    page.click("#rb-tab-chat")
    page.reload()
    expect(page.locator(".card")).to_contain_text("no longer in the collection")
    expect(page.locator(".card mark").filter(has_text="5555 degrees")).to_have_count(1)


def test_a_broken_file_is_reported_line_by_line(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    page = visit(serve())
    page.click("#rb-tab-papers")
    page.wait_for_selector(ROWS)
    lines = [json.dumps(GOOD), '{"title": "No abstract"}', "{not json", json.dumps({**GOOD, "title": "Second lamp"})]
    broken = tmp_path / "mixed <b>.jsonl"
    broken.write_text("\n".join(lines), "utf-8")
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    page.set_input_files("#rb-files", [broken, picture])
    mixed = page.locator("#rb-reports .report").filter(has_text="2 added")
    expect(mixed).to_contain_text("mixed <b>.jsonl", timeout=60_000)
    faults = mixed.locator(".faults li")
    expect(faults).to_have_count(2)
    assert [text.split(":")[0] for text in faults.all_inner_texts()] == ["Line 2", "Line 3"]
    refused = page.locator("#rb-reports .report").filter(has_text="picture.png")
    expect(refused).to_contain_text("not text", timeout=60_000)


def test_files_can_be_dropped_on_the_page(serve: Serve, visit: Visit) -> None:
    page = visit(serve())
    page.click("#rb-tab-papers")
    page.wait_for_selector(ROWS)
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.items.add(new File([text], 'dropped.jsonl'));
            document.querySelector('#rb-drop').dispatchEvent(
                new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        json.dumps({**GOOD, "title": "A dropped paper on lamps"}),
    )
    expect(page.locator("#rb-reports .report")).to_contain_text("dropped.jsonl: 1 added.", timeout=60_000)


def test_a_read_only_collection_says_so(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    page = visit(serve(READBACK_READ_ONLY="true"))
    page.click("#rb-tab-papers")
    page.locator(ROWS).first.get_by_role("button").click()
    expect(page.get_by_role("button", name="Ask about this paper")).to_be_visible()
    expect(page.get_by_role("button", name="Remove", exact=True)).to_have_count(0)
    expect(page.locator("#rb-drop")).to_be_hidden()
