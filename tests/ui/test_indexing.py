"""Large uploads are read and indexed in a process of their own, and few wait for their turn."""

from __future__ import annotations

import json
import threading
from io import BytesIO

import pytest
from fastapi.testclient import TestClient

from rag.corpus import read_bytes
from rag.errors import CorpusError, IndexBusy
from rag.index import Index
from tests.e2e.serving import until
from tests.ui.conftest import MakeServices, client_of
from ui.services import Services
from ui.services.indexing import SMALL, Added, add_apart
from ui.services.line import MOST_OF_ONE, Line
from ui.services.rates import UPLOADS_PER_HOUR
from ui.services.runs import Stopping

ROW = {"title": "Cats on Ships", "abstract": "Cats caught mice on ships. Sailors fed the cats fish."}
LINES = [json.dumps({**ROW, "id": f"p{number}", "title": f"Cats on Ship {number}"}) for number in range(200)]
LARGE = "\n".join(["{broken", *LINES]).encode()
NEVER = threading.Event()


def apart(services: Services, *, skip_bad: bool = True, **more: float) -> Added:
    return add_apart(
        services.settings, "large.jsonl", LARGE, skip_bad=skip_bad, progress=lambda _: None, stopping=NEVER, **more
    )


def test_a_large_file_is_indexed_elsewhere_and_found_here(services: Services, index: Index) -> None:
    assert len(LARGE) > SMALL
    told: list[int] = []
    report = services.papers.add("large.jsonl", BytesIO(LARGE), progress=told.append)
    direct = read_bytes("large.jsonl", LARGE, skip_bad=True)
    assert report.paper_ids == tuple(paper.id for paper in direct.papers)
    assert [(one.line, one.reason) for one in report.faults] == [(one.line, one.reason) for one in direct.faults]
    assert (report.added, sum(told)) == (len(LINES), len(LINES))
    assert len(told) > 2, "it tells how far it has come"
    assert services.papers.get("p7").title == "Cats on Ship 7"
    assert services.asking.search("What did sailors feed the cats on ships?", 1)[0].paper.title.startswith("Cats on")


def test_its_faults_come_back_as_they_are(services: Services) -> None:
    with pytest.raises(CorpusError, match=r"large\.jsonl, line 1"):
        apart(services, skip_bad=False)


def test_nobody_waits_for_ever(services: Services) -> None:
    with pytest.raises(CorpusError, match="takes too long"):
        apart(services, read_s=0.0)


def test_a_stop_of_the_server_ends_it_and_the_next_run_finishes_it(services: Services, index: Index) -> None:
    def stop(done: int) -> None:
        if done:
            services.papers.close()

    with pytest.raises(Stopping):
        services.papers.add("large.jsonl", BytesIO(LARGE), progress=stop)
    assert index.update(read_bytes("large.jsonl", LARGE, skip_bad=True).papers).added == len(LINES)
    assert services.papers.get("p7").title == "Cats on Ship 7"


def test_a_list_waits_for_no_index_run(services: Services, client: TestClient, index: Index) -> None:
    seen: list[int] = []

    def look(_: int) -> None:
        seen.append(client.get("/api/papers", params={"limit": 5}).status_code)

    services.papers.add("large.jsonl", BytesIO(LARGE), progress=look)
    assert set(seen) == {200}


def refusal(line: Line, who: str) -> str:
    """What somebody is told who does not want to wait."""
    with pytest.raises(IndexBusy) as told, line.turn(who, 0.0):
        pass
    return str(told.value)


def test_few_of_one_person_wait_and_others_still_may() -> None:
    line, came = Line(), list[int]()

    def wait(number: int) -> None:
        with line.turn("ada", 60.0):
            came.append(number)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(MOST_OF_ONE - 1)]
    with line.turn("ada", 0.0):
        for one in threads:
            one.start()
        until(lambda: "Too many" in refusal(line, "ada"), "the others to be in the line")
        assert "being added" in refusal(line, "bob")
        assert came == []
    for one in threads:
        one.join()
    assert sorted(came) == list(range(MOST_OF_ONE - 1))
    with line.turn("ada", 0.0):
        pass


@pytest.mark.usefixtures("one_minute")
def test_uploads_have_a_limit_by_size_on_the_page_too(make_services: MakeServices) -> None:
    services = make_services(upload_mb=1, user_per_minute=1000)
    with client_of(services) as client:
        addresses = ["/gradio_api/upload", "/api/papers"] * UPLOADS_PER_HOUR["user"]
        codes = [client.post(one, content=b"x" * 900_000).status_code for one in addresses]
        assert 429 not in codes[: UPLOADS_PER_HOUR["user"]]
        assert set(codes[UPLOADS_PER_HOUR["user"] :]) == {429}
        assert client.get("/api/papers").status_code == 200
