"""Pictures of the page's main states, light and dark: ``python -m tests.e2e.screenshots``.

Needs the development requirements and Debian's Chromium. Asks the shipped corpus in a temporary data folder, without a
language model, so that the pictures show what everybody sees first.
"""

from __future__ import annotations

import argparse
import io
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.e2e.teaching import teach

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FOLDER = Path(__file__).resolve().parents[2] / "ui" / "page" / "screenshots"
COLOURS = 200  # of a picture: text and flat areas need no more, and it stays small enough for a README
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LIST_QUESTION = "Which papers use pseudo relevance feedback?"
QUESTION = "Can language models give useful feedback on research papers?"
UNANSWERABLE = "How is feedback used in the control of nuclear reactors?"


def start(page: Page) -> None:
    """The empty page with its examples."""
    page.wait_for_selector("#rb-examples button")


def answer(page: Page) -> None:
    """An answer, and the quote behind one of its markers."""
    ask(page, QUESTION)
    page.locator("#turn-1 a.cite").nth(1).click()
    page.wait_for_selector("mark.on")


def abstention(page: Page) -> None:
    """A question that the collection does not answer."""
    ask(page, UNANSWERABLE)


def correcting(page: Page) -> None:
    """Saying what was wrong, and asking again in another way."""
    ask(page, LIST_QUESTION)
    page.get_by_role("button", name="Partly", exact=True).click()
    page.get_by_role("button", name="Incomplete").click()
    page.click("#turn-1 .steer summary")
    page.locator("#turn-1 .steer").scroll_into_view_if_needed()
    page.hover(".card[data-markers='4'] h3")


def papers(page: Page) -> None:
    """The collection as a table and a map."""
    page.click("#rb-tab-papers")
    page.wait_for_selector("svg.map")
    page.locator("svg.map .point").nth(60).hover(force=True)


def learning(page: Page) -> None:
    """What was learned in two weeks, once an operator has approved it."""
    page.click("#rb-tab-learning")
    page.wait_for_selector(".curves")
    if not page.locator(".needs").count():
        page.get_by_role("button", name="Learn now").click()
        page.get_by_role("button", name="Put it in force").click()
    page.wait_for_selector(".needs")
    page.locator("#rb-toast.shown").wait_for(state="hidden")


STATES: tuple[Callable[[Page], None], ...] = (start, answer, abstention, correcting, papers, learning)


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the answer."""
    page.fill("#rb-question", question)
    page.press("#rb-question", "Enter")
    page.wait_for_selector("#turn-1[data-answer]")


@contextmanager
def server() -> Iterator[str]:
    """The real server over the shipped corpus, on a port of its own; yields its address."""
    import uvicorn

    from rag.settings import Settings
    from ui.app import create_app, page_of
    from ui.services import Services

    with tempfile.TemporaryDirectory() as folder, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        settings = Settings(data_dir=Path(folder), openai_api_key=None, openai_base_url=None)
        teach(settings)
        with Services.open(settings) as services:
            page, look = page_of(services)
            config = uvicorn.Config(create_app(services, page, look), log_level="warning")
            running = uvicorn.Server(config)
            thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
            running.should_exit = True
            thread.join(10)


def compressed(picture: bytes) -> bytes:
    """A PNG with few colours."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def take(folder: Path) -> list[Path]:
    """Take all pictures and return their paths."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for state in STATES:
            for look in LOOKS:
                size = {"width": 1320, "height": 860}
                context = browser.new_context(viewport=size, color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
                page = context.new_page()
                page.set_default_timeout(60_000)
                page.goto(address)
                page.wait_for_selector(".rb.ready")
                state(page)
                page.wait_for_load_state("networkidle")
                path = folder / f"{state.__name__}-{look}.png"
                path.write_bytes(compressed(page.screenshot()))
                taken.append(path)
                context.close()
        browser.close()
    return taken


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Take pictures of the page, light and dark.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for the pictures (default: %(default)s)")
    for path in take(parser.parse_args().out):
        print(f"{path}  {path.stat().st_size // 1000} KB")


if __name__ == "__main__":
    main()
