"""The login in a real browser: what it sends decides whether our own form passes the check of origins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.ui.conftest import MakeServices, running

CHROMIUM = Path("/usr/bin/chromium")
KEY = "browser-key-0123456789"


@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed")
def test_people_log_in_and_stay_in(make_services: MakeServices) -> None:
    from playwright.sync_api import sync_playwright

    with running(make_services(api_keys=SecretStr(f"ada:{KEY}"))) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{address}/docs")
        assert page.url == f"{address}/login?next=/docs"
        page.get_by_label("Name", exact=True).fill("ada")
        page.get_by_label("Password").fill("not the key")
        page.keyboard.press("Enter")
        assert "do not match" in page.get_by_role("alert").inner_text()
        page.get_by_label("Name", exact=True).fill("ada")
        page.get_by_label("Password").fill(KEY)
        page.get_by_role("button").click()
        page.wait_for_url(f"{address}/docs")
        assert page.evaluate("document.cookie") == ""  # out of reach of scripts
        assert page.request.get(f"{address}/api/me").json()["name"] == "ada"
        stranger = browser.new_context().new_page()
        stranger.goto(f"{address}/docs")
        assert "/login" in stranger.url
        browser.close()
