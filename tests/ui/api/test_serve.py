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
from tests.e2e.serving import free_port
from tests.ui.conftest import settings_for
from ui.app import address_of, serve, take_port

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


STARTING = """
import socket, sys, ui.app
from rag.settings import Settings

address, other = ("127.0.0.1", int(sys.argv[1])), socket.socket()
other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

def page_of(services):  # the last slow part of a start
    try:
        socket.create_connection(address)
    except ConnectionRefusedError:
        print("refused", flush=True)
    other.bind(address)
    other.listen()
    return None, {}

ui.app.page_of = page_of
ui.app.serve(Settings.load(port=address[1]))
"""


def environment(data_dir: Path, folder: Path) -> dict[str, str]:
    """Of a server over this data, with a record of its own."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "READBACK_DATA_DIR": str(data_dir),
        "READBACK_EVENTS_URL": f"sqlite:///{folder / 'events.db'}",
    }


@pytest.fixture
def started(data_dir: Path, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and process of a server with a small page."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env=environment(data_dir, tmp_path),
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
    with (
        httpx.Client(base_url=address, timeout=30) as first,
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
        with first.stream("GET", "/gradio_api/heartbeat/open") as page_left_open:
            assert page_left_open.status_code == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0 or process.returncode == -signal.SIGINT
    assert process.stderr is not None
    assert "Exception in ASGI application" not in process.stderr.read()


def test_a_taken_port_is_one_clear_line(tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(SettingsError, match=rf"Port {taken_port} on 127\.0\.0\.1 is taken.*READBACK_PORT"):
        serve(settings_for(tmp_path, port=taken_port))
    assert not (tmp_path / "catalog.sqlite3").exists()  # nothing was opened or indexed for it


def test_nobody_is_kept_waiting_by_a_start(data_dir: Path, tmp_path: Path) -> None:
    port = str(free_port())
    command = [sys.executable, "-c", STARTING, port]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(data_dir, tmp_path), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "refused\n"  # not accepted by a server that cannot answer yet
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr  # by whoever began to listen in the meantime
    assert "Readback is at" not in done.stderr


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match=host.replace(".", r"\.")):
        take_port(settings_for(tmp_path, host=host, port=0))


def test_the_address_is_one_that_a_browser_opens(tmp_path: Path) -> None:
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")):
        try:
            taken = take_port(settings_for(tmp_path, host=host, port=0))
        except SettingsError:
            assert ":" in host, "only IPv6 may be missing"
            continue
        with taken:
            assert re.fullmatch(rf"http://{re.escape(shown)}:\d+", address_of(taken))
