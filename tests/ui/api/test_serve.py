"""Starting and stopping the real thing, with a page."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rag.errors import SettingsError
from tests.ui.conftest import settings_for
from ui.app import address_of, listen, serve

ROOT = Path(__file__).parents[3]
SERVE = """
import gradio as gr, ui.app
from rag.settings import Settings

def whoami(request: gr.Request):
    return request.username

def page_of(services):
    with gr.Blocks() as page:
        shown = gr.Textbox()
        gr.Button().click(whoami, None, shown, api_name="whoami")
    return page, {}

ui.app.page_of = page_of
ui.app.serve(Settings.load(port=0))
"""


@pytest.fixture
def started(data_dir: Path, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and process of a server with a small page."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "READBACK_DATA_DIR": str(data_dir),
            "READBACK_EVENTS_URL": f"sqlite:///{tmp_path / 'events.db'}",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        seen = []
        for line in process.stderr:
            seen.append(line)
            if found := re.fullmatch(r"Readback is at (http://127\.0\.0\.1:\d+)\n", line):
                yield found[1], process
                break
        else:
            pytest.fail("".join(seen))
    finally:
        process.kill()
        process.wait(30)
        process.stderr.close()


def called(client: httpx.Client, name: str) -> str:
    """What a function of the page returns."""
    event = client.post(f"/gradio_api/call/{name}", json={"data": []}).json()["event_id"]
    return client.get(f"/gradio_api/call/{name}/{event}").text


def test_a_server_starts_serves_page_and_api_and_stops(started: tuple[str, subprocess.Popen[str]]) -> None:
    address, process = started
    page = {"accept": "text/html"}
    transport = httpx.HTTPTransport(retries=50)  # the address is told a moment before the first answer
    with (
        httpx.Client(base_url=address, timeout=30, transport=transport) as first,
        httpx.Client(base_url=address, timeout=30) as second,
    ):
        html = first.get("/", headers=page)
        assert html.status_code == 200
        assert "connect-src 'self'" in html.headers["content-security-policy"]
        second.get("/", headers=page)
        names = [called(client, "whoami") for client in (first, second)]
        assert all("browser-" in name for name in names)
        assert len(set(names)) == 2
        assert first.get("/api/me").json()["user"] in names[0]
        assert first.get("/api/nope").json()["error"]["code"] == "not_found"
        assert first.get("/v1/models").status_code == 200
        foreign = {"origin": "http://localhost:9"}
        assert first.get("/config", headers=foreign).status_code == 403
        assert first.post("/gradio_api/call/whoami", json={"data": []}, headers=foreign).status_code == 403
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0 or process.returncode == -signal.SIGINT


def test_a_taken_port_is_one_clear_line(tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(SettingsError, match=rf"Port {taken_port} on 127\.0\.0\.1 is taken.*READBACK_PORT"):
        serve(settings_for(tmp_path, port=taken_port))
    assert not (tmp_path / "catalog.sqlite3").exists()  # nothing was opened or indexed for it


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match=host.replace(".", r"\.")):
        listen(settings_for(tmp_path, host=host, port=0))


def test_the_address_is_one_that_a_browser_opens(tmp_path: Path) -> None:
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")):
        try:
            listening = listen(settings_for(tmp_path, host=host, port=0))
        except SettingsError:
            assert ":" in host, "only IPv6 may be missing"
            continue
        with listening:
            assert re.fullmatch(rf"http://{re.escape(shown)}:\d+", address_of(listening))
