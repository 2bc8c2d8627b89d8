"""Vectors on a Chroma server: a real one on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.errors import IndexUnusable
from rag.index.vectors import VectorStore
from rag.settings import Settings
from rag.types import Options
from tests.index.fakes import (
    WordEmbedder,
    assert_sound,
    codeword,
    found,
    make_paper,
    make_papers,
    open_finder,
    open_index,
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server."""
    port = free_port()
    folder = tmp_path_factory.mktemp("server")
    log = (folder / "log").open("w")
    command = [Path(sys.executable).with_name("chroma"), "run", "--path", folder / "db", "--host", "127.0.0.1"]
    process = subprocess.Popen([*map(str, command), "--port", str(port)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the server does not start"
            try:
                if httpx.get(f"{url}/api/v2/heartbeat", trust_env=False).is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def test_index_search_change_and_remove(tmp_path: Path, server: str) -> None:
    index = open_index(tmp_path, chroma_url=server)
    assert index.update(make_papers(40)).added == 40
    finder = open_finder(index)
    assert found(finder, codeword(7))[0] == "paper-7"
    only = finder.dense.retrieve("text", 5, Options(include=frozenset({"paper-3"})))
    assert [hit.passage.paper_id for hit in only] == ["paper-3"]
    report = index.update([make_paper(7, "second")])
    assert (report.changed, report.total) == (1, 40)
    hits = finder.dense.retrieve(make_paper(7, "second").abstract, 3, Options())
    assert hits[0].passage.text == make_paper(7, "second").abstract
    index.remove(["paper-3"])
    assert_sound(index)
    assert not (tmp_path / "chroma").exists()


def test_a_search_is_one_call(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index = open_index(tmp_path, chroma_url=server)
    index.update(make_papers(60))
    view = open_finder(index).collection.view()
    view.nearest(view.embed("warm up"), 5, Options())
    calls: list[str] = []
    send = httpx.Client.send

    def counted(self: httpx.Client, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        calls.append(request.url.path)
        return send(self, request, **kwargs)

    monkeypatch.setattr(httpx.Client, "send", counted)
    assert len(view.nearest(view.embed("whales"), 50, Options())) == 50
    assert len(calls) == 1


def test_a_rebuild_drops_its_own_old_vectors_only(tmp_path: Path, server: str) -> None:
    mine = open_index(tmp_path / "mine", chroma_url=server)
    theirs = open_index(tmp_path / "theirs", chroma_url=server)
    mine.update(make_papers(5))
    theirs.update(make_papers(8))  # another data folder at the same server, with the same settings
    old = mine.collection_name
    mine.update([], rebuild=True)
    assert old not in mine.vectors.names()
    assert_sound(mine)
    assert_sound(theirs)


def test_the_settings_name_the_server(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READBACK_CHROMA_URL", server)
    store = VectorStore.from_settings(Settings.load())
    assert store.place == server
    assert isinstance(store.names(), list)


def test_a_server_that_is_down_is_one_clear_error(tmp_path: Path, server: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(IndexUnusable, match="READBACK_CHROMA_URL") as caught:
        open_index(tmp_path / "new", chroma_url=url).update(make_papers(2))
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)
    open_index(tmp_path / "old", chroma_url=server).update(make_papers(2))
    with pytest.raises(IndexUnusable, match="Is the Chroma server running"):
        found(open_finder(open_index(tmp_path / "old", chroma_url=url)), "anything")


def test_a_server_that_goes_down_while_indexing_loses_nothing(tmp_path: Path, server: str) -> None:
    data = tmp_path / "data"
    index = open_index(data, chroma_url=server)
    index.update(make_papers(3))
    gone = open_index(data, WordEmbedder(), chroma_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(IndexUnusable, match="Is the Chroma server running"):
        gone.update(make_papers(6))
    assert index.update(make_papers(6)).total == 6
    assert_sound(index)


def test_vectors_missing_on_the_server_are_named_not_made_up(tmp_path: Path, server: str) -> None:
    index = open_index(tmp_path, chroma_url=server)
    index.update(make_papers(3))
    index.vectors.drop(index.collection_name)
    with pytest.raises(IndexUnusable, match="readback index --rebuild"):
        found(open_finder(index), codeword(1))
    with pytest.raises(IndexUnusable, match="readback index --rebuild"):
        index.update(make_papers(3))
    assert index.update([], rebuild=True).total == 3
    assert_sound(index)
