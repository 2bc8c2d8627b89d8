"""One index, a server over a copy of it, and browsers that may talk to nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from rag.settings import Settings
from rag.types import Paper
from tests.e2e.serving import Server

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Serve = Callable[..., Server]
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the shipped corpus is indexed. Copied, never used itself."""
    from rag.engine import Assistant

    folder = tmp_path_factory.mktemp("indexed") / "data"
    Assistant.open(settings_of(folder)).close()
    return folder


def settings_of(folder: Path) -> Settings:
    """Nothing set but the data folder, whatever the environment says."""
    return Settings(data_dir=folder, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings knows it


@pytest.fixture(scope="session")
def serve(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start further servers, each over its own copy of the index, with further papers if given."""
    from rag.engine import Assistant

    with ExitStack() as stack:

        def start(papers: Sequence[Paper] = (), **settings: str) -> Server:
            folder = tmp_path_factory.mktemp("server")
            shutil.copytree(indexed, folder / "data")
            if papers:
                with Assistant.open(settings_of(folder / "data")) as assistant:
                    assistant.add(papers)
            server = Server(folder / "data", folder / "log.txt", **settings)
            stack.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture(scope="session")
def server(serve: Serve) -> Server:
    """The server that most tests share: no model, so answers are made of quotes. Tests must not change its papers."""
    return serve()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Open the page as a new person. At the end, no request has left this machine and no script has failed."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    broken: list[str] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url).hostname != "127.0.0.1":
            foreign.append(request.url)

    def open_page(where: Server = server, path: str = "", *, login: bool = False, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        context.on("request", note)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(where.url + path)
        page.wait_for_selector("#password" if login else ".rb.ready")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert foreign == []
    assert broken == []


@pytest.fixture
def page(visit: Visit) -> Page:
    """The page, opened by somebody new."""
    return visit()
