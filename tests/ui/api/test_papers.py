"""The collection over HTTP: looking, searching, uploading, removing."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from rag.index import Index
from tests.ui.conftest import MakeServices, client_of
from tests.ui.samples import PAPERS, REWRITES

GOOD = {"id": "new-1", "title": "Cats on Ships", "abstract": "Cats caught mice on ships. Sailors fed the cats fish."}


def upload(
    client: TestClient, data: bytes, name: str = "papers.jsonl", query: str = ""
) -> tuple[int, dict[str, object]]:
    reply = client.post(f"/api/papers{query}", files={"file": (name, data)})
    return reply.status_code, reply.json()


def test_papers_come_in_pages(client: TestClient) -> None:
    first = client.get("/api/papers", params={"limit": 4}).json()
    second = client.get("/api/papers", params={"limit": 4, "offset": 4}).json()
    assert first["total"] == second["total"] == len(PAPERS)
    assert [one["id"] for one in first["papers"] + second["papers"]] == [paper.id for paper in PAPERS[:8]]


def test_papers_are_filtered_by_all_words(client: TestClient) -> None:
    found = client.get("/api/papers", params={"q": "MÜLLER feedback"}).json()
    assert [one["id"] for one in found["papers"]] == [PAPERS[0].id]


def test_papers_are_sorted(client: TestClient) -> None:
    def ids(**params: str) -> list[str]:
        return [one["id"] for one in client.get("/api/papers", params=params).json()["papers"]]

    years = {paper.id: paper.year for paper in PAPERS}
    newest = [years[one] for one in ids(sort="year", order="desc")]
    assert newest[:2] == [2023, 2022]
    assert newest[-1] is None
    assert [years[one] for one in ids(sort="year")][-1] is None
    titles = [one["title"] for one in client.get("/api/papers", params={"sort": "title"}).json()["papers"]]
    assert titles == sorted(titles, key=str.casefold)
    assert ids(order="desc") == [paper.id for paper in reversed(PAPERS)]


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "501"}, {"offset": "-1"}, {"sort": "; DROP"}, {"q": "x" * 501}]
)
def test_unfit_parameters_are_refused(client: TestClient, params: dict[str, str]) -> None:
    assert client.get("/api/papers", params=params).status_code == 422


@pytest.mark.parametrize("paper", PAPERS[:3], ids=lambda paper: paper.id)
def test_one_paper_whatever_its_id(client: TestClient, paper: object) -> None:
    wanted = next(one for one in PAPERS if one == paper)
    for address in (wanted.id, quote(wanted.id, safe="")):
        assert client.get(f"/api/papers/{address}").json()["title"] == wanted.title


@pytest.mark.parametrize("paper_id", ["nothing", "..%2f..%2fetc%2fpasswd", "%00", "a" * 2000])
def test_a_paper_that_is_not_there(client: TestClient, paper_id: str) -> None:
    reply = client.get(f"/api/papers/{paper_id}")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_search_finds_by_meaning_and_quotes(client: TestClient) -> None:
    results = client.get("/api/search", params={"q": REWRITES, "limit": 3}).json()["results"]
    assert len(results) == 3
    best = results[0]
    assert best["paper"]["id"] == PAPERS[0].id
    assert best["paper"]["abstract"][best["start"] : best["end"]] == best["quote"]


def test_an_upload_can_be_asked_about_and_removed(client: TestClient, index: Index) -> None:
    status, report = upload(client, json.dumps(GOOD).encode())
    assert status == 200
    assert (report["added"], report["total"], report["paper_ids"]) == (1, len(PAPERS) + 1, ["new-1"])
    assert client.get("/api/papers", params={"q": "sailors"}).json()["total"] == 1
    answer = client.post("/api/ask", json={"question": "What did sailors feed the cats on ships?"}).json()["answer"]
    assert answer["retrieved"][0]["paper_id"] == "new-1"
    assert client.delete("/api/papers/new-1").status_code == 204
    assert client.delete("/api/papers/new-1").status_code == 404
    assert client.get("/api/papers/new-1").status_code == 404
    assert client.get("/api/papers", params={"q": "sailors"}).json()["total"] == 0


def test_faulty_lines_are_named_and_the_rest_counts(client: TestClient, index: Index) -> None:
    lines = [json.dumps(GOOD), "{broken", json.dumps({"title": "No abstract here"}), json.dumps(GOOD)]
    status, report = upload(client, "\n".join(lines).encode())
    assert status == 200
    assert (report["added"], report["merged"]) == (1, 1)
    faults = report["faults"]
    assert isinstance(faults, list)
    assert [one["line"] for one in faults] == [2, 3]
    assert "abstract" in faults[1]["reason"]


def test_all_or_nothing_on_request(client: TestClient, index: Index) -> None:
    status, report = upload(client, json.dumps(GOOD).encode() + b"\n{broken", query="?skip_bad=false")
    assert status == 422
    assert "papers.jsonl, line 2" in str(report)
    assert client.get("/api/papers/new-1").status_code == 404


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("papers.jsonl", b""),
        ("papers.jsonl", b"{nonsense\n{more"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("papers.jsonl", b"\xff\xfe\x00\x00" * 50),
        ("../../etc/passwd", b"root:x:0:0"),
    ],
)
def test_files_that_hold_no_papers(client: TestClient, name: str, data: bytes) -> None:
    status, report = upload(client, data, name)
    assert status == 422
    assert "/etc" not in str(report)


def test_other_formats_are_read(client: TestClient, index: Index) -> None:
    bib = "@article{k, title={Kites in Storms}, author={Fly, F.}, year={2020}, abstract={Kites break in storms.}}"
    status, report = upload(client, bib.encode(), "papers.bib")
    assert (status, report["format"], report["added"]) == (200, "bibtex", 1)


def test_no_file_at_all(client: TestClient) -> None:
    assert client.post("/api/papers").status_code == 422
    assert client.post("/api/papers", json={"title": "x"}).status_code == 422


def test_an_upload_that_is_too_large(make_services: MakeServices) -> None:
    services = make_services(upload_mb=1)
    with client_of(services) as client:
        for size in (1_050_000, 3_000_000):  # just above, and beyond what is read at all
            status, report = upload(client, b"x" * size)
            assert status == 413
            assert "error" in report


def test_a_collection_that_cannot_be_changed(make_services: MakeServices) -> None:
    with client_of(make_services(read_only=True)) as client:
        status, report = upload(client, json.dumps(GOOD).encode())
        assert status == 403
        assert "READBACK_READ_ONLY" in str(report)
        assert client.delete(f"/api/papers/{PAPERS[0].id}").status_code == 403
