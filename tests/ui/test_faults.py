"""Files that are damaged, missing or on a full disk: a real server says so, and keeps what can be kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from eval.lab.serving import PATIENCE_S, Server, ServerError
from rag.collection import Collection
from rag.corpus import read
from rag.settings import Settings, shipped_corpus
from ui.services.readiness import DiskUnusable, probe

QUESTION = "How can a voice assistant learn query rewrites without annotated data?"
PAPER = b'{"title": "On Zebras", "abstract": "Zebras have stripes. We counted forty of them on each of ten zebras."}\n'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that a server has served from, to be copied."""
    folder = tmp_path_factory.mktemp("served")
    collection = Collection.open(Settings(data_dir=folder / "data", _env_file=None))  # type: ignore[call-arg]
    collection.index.update(list(islice(read(shipped_corpus()).papers, 12)))
    collection.close()
    with Server(folder, page=False) as server:
        server.start()
        ask(server)
        server.stop()
    for name in ("catalog.sqlite3", "events.db"):  # everything into the files themselves
        with closing(sqlite3.connect(folder / "data" / name)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "data"


@pytest.fixture
def data(served: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(served, tmp_path / "data"))


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    with Server(data.parent, page=False) as server:
        yield server


@pytest.fixture
def small_disk(served: Path, tmp_path: Path) -> Iterator[Path]:
    """A data folder on a disk of its own that has little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        shutil.copytree(served, folder / "data")
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def ask(server: Server) -> dict[str, Any]:
    reply = httpx.post(f"{server.address}/api/ask", json={"question": QUESTION}, timeout=PATIENCE_S)
    answer: dict[str, Any] = reply.raise_for_status().json()["answer"]
    assert answer["citations"]
    return answer


def ready(server: Server) -> tuple[int, dict[str, Any]]:
    reply = httpx.get(f"{server.address}/readyz", timeout=PATIENCE_S)
    return reply.status_code, reply.json()


def feedback(server: Server, answer_id: str) -> httpx.Response:
    said = {"answer_id": answer_id, "kind": "answered", "value": "yes"}
    return httpx.post(f"{server.address}/api/feedback", json=said, timeout=PATIENCE_S)


def upload(server: Server) -> httpx.Response:
    files = {"file": ("zebras.jsonl", PAPER)}
    return httpx.post(f"{server.address}/api/papers", files=files, timeout=PATIENCE_S)


def noise(file: Path, start: int) -> None:
    """Overwrite a file from an offset on."""
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(os.urandom(max(0, file.stat().st_size - start)))


def fill(file: Path) -> None:
    """Write until there is no more room."""
    with suppress(OSError), file.open("wb", buffering=0) as opened:
        while opened.write(b"\0" * 4096):
            pass


def emptied(file: Path) -> None:
    file.write_bytes(b"")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "the record is empty": (lambda data: emptied(data / "events.db"), r"events\.db is damaged .*Restore a backup"),
    "the record has gone": (lambda data: (data / "events.db").unlink(), r"events\.db has gone\. Restore a backup"),
    "the record is noise": (lambda data: noise(data / "events.db", 0), r"events\.db is damaged .*Restore a backup"),
    "the record is half noise": (lambda data: noise(data / "events.db", 20_000), r"events\.db is damaged"),
    "the catalog is empty": (lambda data: emptied(data / "catalog.sqlite3"), r"catalog\.sqlite3 .*--rebuild"),
    "the catalog is noise": (lambda data: noise(data / "catalog.sqlite3", 0), r"catalog\.sqlite3 .*--rebuild"),
    "the catalog is half noise": (
        lambda data: noise(data / "catalog.sqlite3", 60_000),
        r"catalog\.sqlite3 cannot be read .*--rebuild",
    ),
    "the users are noise": (lambda data: (data / "users.json").write_bytes(b"{"), r"users\.json cannot be read"),
    "the key is empty": (lambda data: emptied(data / "server.key"), r"server\.key is damaged: delete it"),
}


@pytest.mark.parametrize("fault", DAMAGE)
def test_a_damaged_file_stops_the_start_with_its_name_and_what_to_do(data: Path, server: Server, fault: str) -> None:
    damage, said = DAMAGE[fault]
    damage(data)
    with pytest.raises(ServerError, match=said) as told:
        server.start()
    assert "Traceback" not in str(told.value)
    assert str(told.value).count("readback:") == 1


@pytest.mark.parametrize("fault", ["gone", "noise", "empty"])
def test_derived_vectors_heal_by_themselves(data: Path, server: Server, fault: str) -> None:
    if fault == "gone":
        shutil.rmtree(data / "chroma")
    for file in (data / "chroma").rglob("*"):
        if file.is_file():
            noise(file, 0) if fault == "noise" else emptied(file)
    server.start()
    assert ask(server)["recorded"]
    assert ready(server)[0] == 200


def test_a_record_that_is_taken_away_is_told(data: Path, server: Server) -> None:
    server.start()
    before = ask(server)
    (data / "events.db").unlink()
    answer = ask(server)
    assert (before["recorded"], answer["recorded"]) == (True, False)
    assert "could not be recorded" in answer["notice"]
    code, state = ready(server)
    assert (code, state["index"]) == (503, "ok")
    assert "deleted or replaced" in state["record"]
    assert feedback(server, before["id"]).status_code == 503
    assert "readback_record_failing 1.0" in httpx.get(f"{server.address}/metrics").text


def test_a_data_folder_that_is_taken_away_is_told(data: Path, server: Server) -> None:
    server.start()
    ask(server)
    data.rename(data.with_name("elsewhere"))
    code, state = ready(server)
    assert code == 503
    assert "has gone" in state["disk"]
    assert "ok" not in (state["index"], state["record"])
    reply = httpx.post(f"{server.address}/api/ask", json={"question": QUESTION}, timeout=PATIENCE_S)
    assert reply.status_code == 503


def test_a_catalog_that_becomes_noise_is_told(data: Path, server: Server) -> None:
    server.start()
    ask(server)
    noise(data / "catalog.sqlite3", 0)
    code, state = ready(server)
    assert code == 503
    assert "catalog.sqlite3" in state["index"]
    assert upload(server).status_code == 503


def test_a_full_disk_leaves_asking_alive(small_disk: Path) -> None:
    with Server(small_disk, page=False) as server:
        server.start()
        before = ask(server)
        assert before["recorded"]
        filler = small_disk / "filler"
        fill(filler)
        code, state = ready(server)
        assert code == 503
        assert "Make room" in state["disk"]
        answer = ask(server)
        assert answer["text"] == before["text"]
        assert answer["recorded"] is False
        for refused in (feedback(server, before["id"]), upload(server)):
            assert refused.status_code == 503
            assert "room" in refused.json()["error"]["message"]
        filler.unlink()
        assert feedback(server, before["id"]).status_code == 201
        assert ask(server)["recorded"]
        assert upload(server).status_code == 200
        assert ready(server)[0] == 200


def test_a_read_only_disk_stops_the_start(small_disk: Path) -> None:
    (small_disk / "server.log").touch()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = subprocess.run(
        [*Server(small_disk)._command, "serve", "--port", "0"],
        env=Server(small_disk)._env, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert "events.db cannot be written: Read-only file system." in done.stderr


def test_a_disk_that_becomes_read_only_is_told(small_disk: Path) -> None:
    probe(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(DiskUnusable, match=r"cannot be written .Read-only file system"):
        probe(small_disk)
