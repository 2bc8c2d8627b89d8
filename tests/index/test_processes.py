"""Several processes and threads at one index, and processes that are killed."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chromadb import Collection
from filelock import FileLock

import rag.index.index
import rag.index.vectors
from rag.errors import IndexUnusable, ReadbackError
from rag.types import Options
from tests.index import jobs
from tests.index.fakes import (
    Finder,
    assert_sound,
    codeword,
    found,
    leave_uncommitted,
    make_paper,
    make_papers,
    open_finder,
    open_index,
)

COUNT = 60


def assert_one_version(finder: Finder, versions: set[str]) -> None:
    """Every search returns whole papers, all of one version; a run of this size becomes visible at once."""
    for retriever in (finder.dense, finder.lexical, finder.hybrid):
        hits = retriever.retrieve("text result units studies", 40, Options())
        assert len(hits) >= 10
        seen = set()
        for hit in hits:
            version = hit.passage.title.split()[-1]
            seen.add(version)
            number = int(hit.passage.paper_id.removeprefix("paper-"))
            assert hit.passage.text == make_paper(number, version).abstract
        assert len(seen) == 1
        assert seen <= versions


@pytest.mark.timeout(600)
def test_killed_at_twenty_moments_nothing_is_lost_or_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rag.index.vectors, "HNSW", jobs.OFTEN)
    data = tmp_path / "data"
    whole = jobs.start(jobs.index_once, data, COUNT, "v0", 16)
    started = time.monotonic()
    whole.join(120)
    duration = time.monotonic() - started
    assert whole.exitcode == 0
    rng = random.Random(20)
    state = {f"paper-{number}": "v0" for number in range(COUNT)}
    interrupted = 0
    for attempt in range(1, 21):
        version = f"v{attempt}"
        process = jobs.start(jobs.index_once, data, COUNT, version, 16)
        process.join(rng.uniform(0.05, 1.0) * duration)  # the moment, unless it ends before
        process.kill()
        process.join(30)
        interrupted += process.exitcode != 0
        index = open_index(data)
        finder = open_finder(index)
        for paper in index.catalog.papers():
            number, now = int(paper.id.removeprefix("paper-")), paper.title.split()[-1]
            assert paper == make_paper(number, now)
            assert now in {state[paper.id], version}
            state[paper.id] = now
        assert len(index.catalog.fingerprints()) == COUNT
        for number in rng.sample(range(COUNT), 6):
            expected = make_paper(number, state[f"paper-{number}"])
            for retriever in (finder.dense, finder.lexical):
                hits = retriever.retrieve(f"{expected.title} {expected.abstract}", 3, Options())
                assert hits[0].passage.paper_id == expected.id
                assert {hit.passage.text for hit in hits if hit.passage.paper_id == expected.id} == {expected.abstract}
        finder.close()
        index.vectors.close()
    assert interrupted >= 10, "most runs ended before they were killed: nothing was tested"
    last = jobs.start(jobs.index_once, data, COUNT, "final", 16)
    last.join(120)
    assert last.exitcode == 0
    index = open_index(data)
    assert index.catalog.papers() == make_papers(COUNT, "final")
    assert_sound(index)


@pytest.mark.parametrize("seed", range(4))
def test_the_first_run_can_be_killed_too(tmp_path: Path, seed: int) -> None:
    data = tmp_path / "data"
    process = jobs.start(jobs.index_once, data, 30, "first", 8)
    catalog = data / "catalog.sqlite3"
    while process.is_alive() and not catalog.exists():
        time.sleep(0.001)  # polls; the kill comes a little later
    process.join(random.Random(seed).uniform(0, 0.4))
    process.kill()
    process.join(30)
    index = open_index(data)
    assert index.update(make_papers(30)).total == 30
    assert_sound(index)


def test_a_search_in_this_process_sees_one_version_while_another_indexes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag.index.vectors, "HNSW", jobs.OFTEN)  # reading while files are written crashed this process
    open_index(tmp_path).update(make_papers(COUNT, "v0"))
    finder = open_finder(open_index(tmp_path))
    versions = [f"v{number}" for number in range(1, 6)]
    process = jobs.start(jobs.index_versions, tmp_path, COUNT, versions)
    searches = 0
    while process.is_alive():
        assert_one_version(finder, {"v0", *versions})
        searches += 1
    process.join()
    assert process.exitcode == 0
    assert searches >= 5
    assert_one_version(finder, {"v5"})


def test_threads_search_while_one_updates(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(COUNT, "v0"))
    finder = open_finder(index)
    versions = {f"v{number}" for number in range(6)}
    done = threading.Event()
    errors: list[BaseException] = []
    searches: list[int] = []

    def search() -> None:
        try:
            while not done.is_set():
                assert_one_version(finder, versions)
                searches.append(1)
        except BaseException as error:  # a thread's failure must reach the test
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for version in sorted(versions)[1:]:
            index.update(make_papers(COUNT, version))
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
    assert errors == []
    assert len(searches) >= 5
    assert_sound(index)


def test_searches_run_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(4))
    finder = open_finder(index)
    finder.dense.retrieve("warm up", 1, Options())  # the first one reads the files alone
    together, query = threading.Barrier(3), Collection.query

    def meet(self: Collection, *args: Any, **kwargs: Any) -> Any:
        together.wait(60)  # breaks, and fails the search, unless all three are here at once
        return query(self, *args, **kwargs)

    monkeypatch.setattr(Collection, "query", meet)
    with ThreadPoolExecutor(3) as pool:
        found = list(
            pool.map(lambda text: finder.dense.retrieve(text, 1, Options()), ["whales", "bridges", "glaciers"])
        )
    assert all(len(hits) == 1 for hits in found)


def test_a_rebuild_by_another_embedder_setting_does_not_break_searches(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(COUNT, "v0"))
    finder = open_finder(index)
    done = threading.Event()
    errors: list[BaseException] = []

    def search() -> None:
        try:
            while not done.is_set():
                assert_one_version(finder, {"v0"})
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=search)
    thread.start()
    for _ in range(3):
        open_index(tmp_path).update([], rebuild=True)
    done.set()
    thread.join(60)
    assert errors == []


def test_every_finder_sees_what_another_process_did(tmp_path: Path) -> None:
    open_index(tmp_path).update(make_papers(4))
    # two in one process: Chroma would share what the first one read between them
    finders = [open_finder(open_index(tmp_path)) for _ in range(2)]
    for finder in finders:
        assert found(finder, codeword(1))[0] == "paper-1"
    process = jobs.start(jobs.index_once, tmp_path, 6, "first")
    process.join(60)
    assert process.exitcode == 0
    for finder in finders:
        hits = finder.dense.retrieve(make_paper(5).abstract, 1, Options())
        assert [hit.passage.paper_id for hit in hits] == ["paper-5"]
        assert found(finder, codeword(5))[0] == "paper-5"


def test_a_client_opened_before_a_deletion_finds_only_what_is_left(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(12))
    leave_uncommitted(index, "text result units", 30)
    finder = open_finder(index)
    finder.dense.retrieve("anything", 3, Options())  # has read the files
    other = open_index(tmp_path).vectors
    # as the sweep of another process does, which makes no new generation
    other.on(index.collection_name, lambda collection: collection.delete(ids=[f"left-{n}" for n in range(20)]))
    assert len(finder.dense.retrieve("text result units", 6, Options())) == 6


def test_two_indexers_at_once_end_in_one_whole_index(tmp_path: Path) -> None:
    first = jobs.start(jobs.index_once, tmp_path, COUNT, "a")
    refused = 0
    while first.is_alive():
        try:
            open_index(tmp_path).update(make_papers(COUNT, "a"))
        except ReadbackError as error:
            refused += "Another indexer" in str(error)
    first.join()
    report = open_index(tmp_path).update(make_papers(COUNT, "a"))
    assert (report.unchanged, report.total) == (COUNT, COUNT)
    assert_sound(open_index(tmp_path))


def test_files_are_not_read_while_another_process_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = open_index(tmp_path)
    index.update(make_papers(4))
    warm = open_finder(index)
    assert found(warm, codeword(1))[0] == "paper-1"
    monkeypatch.setattr(rag.index.vectors, "GATE_S", 0.1)
    with FileLock(tmp_path / "chroma.lock"):  # what a process holds that writes
        with pytest.raises(IndexUnusable, match="is being written to"):
            found(open_finder(open_index(tmp_path)), codeword(1))
        with pytest.raises(IndexUnusable, match="is being written to"):
            open_index(tmp_path).update(make_papers(5))
        assert found(warm, codeword(1))[0] == "paper-1"  # has read them before
    assert found(open_finder(open_index(tmp_path)), codeword(1))[0] == "paper-1"
    assert open_index(tmp_path).update(make_papers(5)).added == 1
