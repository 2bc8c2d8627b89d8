"""Stopping the real server while it is at work: readers are told, answers recorded, and it is gone in time."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from eval.lab.serving import PATIENCE_S, Server
from rag.collection import Collection
from rag.index.catalog import Catalog
from rag.settings import Settings
from tests.attack.exhaustion import Model, model_server
from tests.e2e.serving import until
from tests.ui.samples import PAPERS, REWRITES
from ui.services.asking import RESTARTED

LONGEST_S = 10.0  # promised to operators
SENTENCE = "We learn query rewrites from user feedback"
WRITTEN = [f"{SENTENCE} for customer number {number} [1]. " for number in range(600)]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexed") / "data"
    collection = Collection.open(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]
    collection.index.update(PAPERS)
    collection.close()
    return folder


@pytest.fixture
def server(indexed: Path, tmp_path: Path) -> Iterator[Server]:
    """One whose model writes a sentence a second, and does not stop."""
    shutil.copytree(indexed, tmp_path / "data")
    Model.pieces, Model.pause_s = ["ANSWER: full\n", *WRITTEN], 0.5
    with model_server() as model, Server(tmp_path, page=False, variables={"OPENAI_BASE_URL": model}) as server:
        server.start()
        yield server


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_answers_in_work_are_told_and_recorded(server: Server, sent: signal.Signals) -> None:
    body = {"question": REWRITES, "options": {"mode": "generative"}, "stream": True}
    told: list[str] = []
    begun = threading.Barrier(3)

    def follow() -> None:
        with httpx.stream("POST", f"{server.address}/api/ask", json=body, timeout=PATIENCE_S) as reply:
            lines = reply.iter_lines()
            while not next(lines).startswith("event: delta"):
                pass
            begun.wait(PATIENCE_S)
            told.append("\n".join(lines))

    readers = [threading.Thread(target=follow) for _ in range(2)]
    for one in readers:
        one.start()
    begun.wait(PATIENCE_S)
    took_s = server.stop(sent)
    for one in readers:
        one.join(PATIENCE_S)
    assert took_s < LONGEST_S
    assert ["event: error" in one and "being restarted" in one for one in told] == [True, True]
    kept = [one["answer"] for one in server.exported()["interactions"].values()]
    assert [(SENTENCE in one["text"], one["notice"]) for one in kept] == [(True, RESTARTED)] * 2


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_file_that_is_being_indexed_is_finished_the_next_time(
    server: Server, tmp_path: Path, sent: signal.Signals
) -> None:
    lines = [json.dumps({"title": f"On {n}", "abstract": f"We study {n}. It works."}) for n in range(1000)]
    files = {"file": ("many.jsonl", "\n".join(lines).encode())}
    catalog = Catalog(tmp_path / "data" / "catalog.sqlite3")
    replies: list[httpx.Response] = []

    def upload() -> None:
        with suppress(httpx.TransportError):
            replies.append(httpx.post(f"{server.address}/api/papers", files=files, timeout=PATIENCE_S))

    uploading = threading.Thread(target=upload)
    uploading.start()
    until(lambda: catalog.meta().get("unswept") == "yes", "the run to begin", PATIENCE_S)
    assert server.stop(sent) < LONGEST_S
    uploading.join(PATIENCE_S)
    assert not any(one.is_success for one in replies)
    server.start()

    def whole() -> dict[str, int] | None:
        reply = httpx.post(f"{server.address}/api/papers", files=files, timeout=PATIENCE_S)
        return (
            None if reply.status_code == 409 else reply.raise_for_status().json()
        )  # the old process may go on a little

    report = until(whole, "the index to be free", PATIENCE_S)
    assert report["added"] + report["unchanged"] == len(lines)
    assert report["total"] == len(PAPERS) + len(lines)
    assert httpx.get(f"{server.address}/readyz", timeout=PATIENCE_S).status_code == 200
