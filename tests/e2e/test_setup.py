"""Choosing the model on the page, with a real server behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.acting import ROBOT_QUESTION, ask
from tests.e2e.conftest import Serve, Visit
from tests.e2e.serving import SlowModel
from tests.e2e.test_looks import no_serious_finding


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_model_chosen_on_the_page_writes_the_next_answer(serve: Serve, visit: Visit, scheme: str) -> None:
    model = SlowModel(pause_s=0.05, most=5)
    page = visit(serve(), color_scheme=scheme)
    page.get_by_role("button", name="Set up a model").click()
    page.fill("[name='base_url']", model.url)
    page.fill("[name='model']", "slow")
    page.get_by_role("button", name="Test the model").click()
    expect(page.locator(".setup .tried")).to_contain_text("slow answers:")
    no_serious_finding(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".setup .tried")).to_contain_text("it holds from the next question on")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#rb-about")).to_contain_text("slow writes the answers")
    expect(page.get_by_role("button", name="Set up a model")).to_be_hidden()
    sent = model.sent
    ask(page, ROBOT_QUESTION)
    assert model.sent > sent
    model.close()
