"""Text from papers, questions and models is text: it runs nothing, loads nothing, and leads nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.types import Paper
from tests.e2e.acting import ask
from tests.e2e.conftest import Serve, Visit
from tests.e2e.serving import Server

SCRIPT = "<script>window.hacked = 1</script>"
PICTURE = "<img src=x onerror='window.hacked = 2'>"
LINK = '<a href="javascript:window.hacked=3">press</a> [press](javascript:window.hacked=4)'
MARKDOWN = "![pixel](https://evil.example/pixel.png)"
TEMPLATE = "${window.hacked = 5} {{constructor.constructor('window.hacked = 6')()}} `x`"
HOSTILE = Paper(  # as no reader of files would let it through: cleaning is one fence, the page is another
    id=f"zebra-{PICTURE}\"'",
    title=f"Zebrafish navigation {PICTURE}",
    abstract=f"Zebrafish navigation improves with magnets {SCRIPT}. In our tests {PICTURE} zebrafish found home. "
    f"Zebrafish follow {LINK} and {MARKDOWN} in the dark. We report {TEMPLATE} for zebrafish navigation.",
    authors=(f"Eve {SCRIPT}",),
    year=2020,
    url="javascript:window.hacked=7",
    source=f"{PICTURE}.bib",
)


@pytest.fixture(scope="module")
def hostile(serve: Serve) -> Server:
    """A server whose collection holds the hostile paper."""
    return serve([HOSTILE])


def harmless(page: Page) -> None:
    """Nothing of it ran, and nothing of it became an element that could."""
    assert page.evaluate("window.hacked") is None
    assert page.locator("#rb img, #rb script, #rb iframe, #rb [onerror], #rb a[href^='javascript']").count() == 0


def test_a_hostile_paper_does_nothing_anywhere(visit: Visit, hostile: Server, tmp_path: Path) -> None:
    page = visit(hostile)
    page.click("#rb-tab-papers")
    page.wait_for_selector("#rb-table tbody tr")
    file = tmp_path / "<img src=x onerror=window.hacked=8>.jsonl"
    file.write_text(json.dumps({"title": SCRIPT, "abstract": PICTURE, "url": HOSTILE.url}), "utf-8")
    page.set_input_files("#rb-files", file)
    expect(page.locator("#rb-reports .report")).to_contain_text("could not be read", timeout=60_000)
    page.fill("#rb-paper-search", "zebrafish")
    expect(page.locator("#rb-table tbody tr")).to_have_count(1)
    page.locator("#rb-table tbody button").click()
    expect(page.locator("#rb-paper .abstract")).to_contain_text("magnets")
    harmless(page)
    point = page.locator("svg.map .point[data-title^='Zebrafish']")
    point.wait_for()
    point.hover(force=True)
    expect(page.locator("#rb-map .tip")).to_contain_text("Zebrafish")
    harmless(page)
    page.click("#rb-tab-chat")
    ask(page, f"What improves zebrafish navigation? {SCRIPT} {PICTURE} {TEMPLATE}")
    ask(page, "What improves zebrafish navigation?")
    expect(page.locator("#turn-2 .words")).to_contain_text("zebrafish found home")
    page.click("#turn-2 a.cite[data-n='1']")
    expect(page.locator(".set:visible .card.selected .abstract")).to_contain_text("in the dark")
    page.click("#turn-2 .steer summary")
    harmless(page)
    page.reload()
    expect(page.locator("#turn-2 .words")).to_be_visible()
    expect(page.locator("#turn-1 h2")).to_contain_text("<script>")
    harmless(page)
    page.evaluate("document.querySelectorAll('#rb a').forEach(link => { if (link.target !== '_blank') link.click(); })")
    harmless(page)


def test_hostile_comments_edits_and_titles_come_back_as_text(page: Page) -> None:
    ask(page, "Which papers use pseudo relevance feedback?")
    page.get_by_role("button", name="Partly", exact=True).click()
    page.fill("#turn-1 [name='comment']", f'"> {PICTURE} {SCRIPT}')
    page.press("#turn-1 [name='comment']", "Enter")
    expect(page.locator("#turn-1 .judge .saved")).to_have_text("Comment saved.")
    page.get_by_role("button", name="Edit answer").click()
    page.fill("#turn-1 .rewrite textarea", f"{SCRIPT} {PICTURE} {LINK} {MARKDOWN} {TEMPLATE}")
    page.get_by_role("button", name="Save edit").click()
    expect(page.locator("#turn-1 .badge")).to_be_visible()
    page.locator("#rb-conversations summary").click()
    page.get_by_role("button", name="Rename").click()
    page.fill("#rb-conversations form input", f"{PICTURE}{TEMPLATE}")
    page.press("#rb-conversations form input", "Enter")
    expect(page.locator("#rb-conversations .open")).to_contain_text("onerror")
    page.reload()
    expect(page.locator("#turn-1 .words").first).to_contain_text("window.hacked")
    expect(page.locator("#turn-1 [name='comment']")).to_have_value(f'"> {PICTURE} {SCRIPT}')
    harmless(page)
