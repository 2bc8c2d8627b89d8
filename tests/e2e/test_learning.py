"""The Learning tab: what an operator sees, learns, approves and takes back, while everybody else sees nothing of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.policy.store import PolicyStore
from tests.e2e.acting import ask
from tests.e2e.conftest import Visit, settings_of
from tests.e2e.serving import Server
from tests.e2e.teaching import VAGUE, teach
from tests.e2e.test_looks import no_serious_finding
from ui.access.users import Users

PASSWORD = "correct horse battery"
LEARNED_MS = 180_000


@pytest.fixture(scope="module")
def taught(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a record from which something can be learned."""
    folder = tmp_path_factory.mktemp("taught")
    shutil.copytree(indexed, folder / "data")
    teach(settings_of(folder / "data"))
    server = Server(folder / "data", folder / "log.txt")
    server.start()
    yield server
    server.stop()


def press(page: Page, name: str) -> None:
    page.locator("#rb-learning").get_by_role("button", name=name, exact=True).click()


def test_an_operator_learns_approves_pauses_and_goes_back(visit: Visit, taught: Server) -> None:
    page = visit(taught)
    page.get_by_role("tab", name="Learning").click()
    tab = page.locator("#rb-learning")
    expect(tab).to_contain_text("In force: the policy that came with Readback")
    expect(page).to_have_url(taught.url + "#learning")
    expect(page).to_have_title("Learning · Readback")
    expect(tab.locator(".dot.accepted")).to_have_count(14)
    expect(tab.locator(".flag.promoted")).to_have_count(1)
    tab.get_by_text("Day by day").click()
    expect(tab.locator("tbody tr")).to_have_count(14)

    press(page, "Learn now")
    expect(tab.locator("#rb-learned")).to_contain_text("Comparing the candidate")
    expect(tab.locator("#rb-learned")).to_contain_text("passed the gate", timeout=LEARNED_MS)
    expect(tab.locator(".candidate")).to_contain_text("A candidate waits for your word")
    assert PolicyStore(taught.data_dir / "policies").active_version() is None, "nothing changes before it is approved"

    press(page, "Try it with a fifth of the people")
    expect(tab.locator(".candidate")).to_contain_text("on trial for 20% of the people")
    expect(tab.locator(".candidate")).to_contain_text("in force: 0 questions")
    press(page, "End the trial")
    press(page, "Put it in force")
    expect(tab.locator(".candidate")).to_have_count(0)
    expect(tab.locator(".needs")).to_contain_text(VAGUE)
    expect(tab.locator(".needs")).to_contain_text("people:")
    version = PolicyStore(taught.data_dir / "policies").active_version()
    expect(tab).to_contain_text(f"In force: {version}")
    expect(tab.locator(".ledger li").first).to_contain_text("approved on the page")

    page.get_by_role("tab", name="Ask").click()
    ask(page, VAGUE)
    page.get_by_text("How this was found").click()
    expect(page.locator("#turn-1 .traced")).to_contain_text("Learned from")
    expect(page.locator("#turn-1 .traced")).to_contain_text("the same need with a probability of")
    page.get_by_role("tab", name="Learning").click()

    press(page, "Pause")
    expect(tab.locator(".paused")).to_contain_text("An operator paused it")
    press(page, "Resume")
    expect(tab.locator(".paused")).to_have_count(0)
    page.reload()
    expect(tab.locator(".needs")).to_contain_text(VAGUE)
    press(page, "Roll back")
    expect(tab).to_contain_text("In force: the policy that came with Readback")
    assert PolicyStore(taught.data_dir / "policies").active_version() is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 375])
def test_axe_finds_nothing_serious_in_the_tab(visit: Visit, taught: Server, scheme: str, width: int) -> None:
    page = visit(taught, path="#learning", color_scheme=scheme, viewport={"width": width, "height": 800})
    expect(page.locator("#rb-learning .curves")).to_be_visible()
    page.get_by_text("Day by day").click()
    no_serious_finding(page)
    assert page.evaluate("document.querySelector('#rb').scrollWidth") <= width, "nothing sticks out sideways"


def test_where_people_log_in_operators_alone_see_the_tab(visit: Visit, indexed: Path, tmp_path: Path) -> None:
    shutil.copytree(indexed, tmp_path / "data")
    users = Users(tmp_path / "data" / "users.json")
    users.add("ada", PASSWORD, operator=True)
    users.add("bob", PASSWORD)
    server = Server(tmp_path / "data", tmp_path / "log.txt")
    server.start()
    try:
        for name, shown in (("ada", True), ("bob", False)):
            page = visit(server, login=True)
            page.fill("#name", name)
            page.fill("#password", PASSWORD)
            page.get_by_role("button").click()
            page.wait_for_selector(".rb.ready")
            expect(page.locator("#rb-examples button").first).to_be_visible()
            assert page.locator("#rb-tab-learning").is_visible() is shown
            page.goto(server.url + "#learning")
            page.reload()
            if shown:
                expect(page.locator("#rb-learning")).to_contain_text("Nothing has been asked yet")
            else:
                expect(page.locator("#rb-toast.bad")).to_contain_text("Only an operator")
    finally:
        server.stop()
