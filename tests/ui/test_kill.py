"""kill -9 on the real server, right after feedback was acknowledged: nothing acknowledged is lost, and all go on."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from eval.lab.serving import BROWSER, PATIENCE_S, Server
from rag.collection import Collection
from rag.corpus import read
from rag.settings import Settings, shipped_corpus

QUESTIONS = (
    "How can a voice assistant learn query rewrites without annotated data?",
    "Which data does it use?",
    "Which works learn from human feedback?",
)


class Browser:
    """One user with a cookie, in one conversation."""

    def __init__(self, server: Server) -> None:
        self.client = httpx.Client(base_url=server.address, timeout=PATIENCE_S, trust_env=False)
        self.client.get("/", headers=BROWSER).raise_for_status()
        self.name = self.client.get("/api/me").json()["user"]
        self.conversation: str | None = None
        self.answers: list[str] = []

    def ask(self, question: str) -> dict[str, Any]:
        reply = self.client.post("/api/ask", json={"question": question, "conversation": self.conversation})
        told = reply.raise_for_status().json()
        assert self.conversation in (None, told["conversation"])
        self.conversation = told["conversation"]
        answer: dict[str, Any] = told["answer"]
        assert answer["question"] == question
        self.answers.append(answer["id"])
        return answer

    def feedback(self, answer_id: str, kind: str, value: str, **more: str) -> dict[str, Any]:
        body = {"id": uuid.uuid4().hex, "answer_id": answer_id, "kind": kind, "value": value, **more}
        self.client.post("/api/feedback", json=body).raise_for_status()
        return body

    def stored(self, conversation: str | None = None) -> list[dict[str, Any]]:
        reply = self.client.get(f"/api/conversations/{conversation or self.conversation}")
        turns: list[dict[str, Any]] = reply.raise_for_status().json()["turns"]
        return turns


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the first shipped papers, to be copied."""
    folder = tmp_path_factory.mktemp("indexed") / "data"
    collection = Collection.open(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]
    collection.index.update(list(islice(read(shipped_corpus()).papers, 12)))
    collection.close()
    return folder


@pytest.fixture
def server(indexed: Path, tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(indexed, tmp_path / "data")
    with Server(tmp_path) as server:
        server.start()
        yield server
        assert server.complaints() == []


@pytest.fixture
def browsers(server: Server) -> Iterator[list[Browser]]:
    browsers = [Browser(server) for _ in range(3)]
    assert len({one.name for one in browsers}) == 3
    yield browsers
    for one in browsers:
        one.client.close()


def test_what_was_acknowledged_survives_and_everybody_goes_on(server: Server, browsers: list[Browser]) -> None:
    sent: dict[str, tuple[str, dict[str, Any]]] = {}
    for one in browsers:
        answer = one.ask(QUESTIONS[0])
        assert answer["citations"], "there is something to judge"
        judged = one.feedback(answer["id"], "evidence", "useful", paper_id=answer["citations"][0]["paper_id"])
        said = one.feedback(one.ask(QUESTIONS[1])["id"], "comment", f"said by {one.name}")
        sent |= {judged["id"]: (one.name, judged), said["id"]: (one.name, said)}
    server.kill()  # nothing lies between the acknowledgement of the last comment and this

    server.start()
    stored = server.exported()
    assert set(stored["feedback"]) == set(sent)
    for id, (name, body) in sent.items():
        record = stored["feedback"][id]
        assert (record["user"], record["interaction_id"]) == (name, body["answer_id"])
        assert (record["kind"], record["value"]) == (body["kind"], body["value"])
    for one in browsers:
        assert [turn["answer_id"] for turn in one.stored()] == one.answers  # the cookie still says who it is
        one.ask(QUESTIONS[2])
        assert len(one.stored()) == 3, "the conversation goes on where it was"
    owners = {id: one for one in browsers for id in one.answers}
    for id, record in server.exported()["interactions"].items():
        assert (record["user"], record["conversation"]) == (owners[id].name, owners[id].conversation)
    for one, other in zip(browsers, [*browsers[1:], browsers[0]], strict=True):
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            one.stored(other.conversation)


def test_other_answers_are_there_whole_or_not_at_all_and_feedback_sent_again_is_stored_once(
    server: Server, browsers: list[Browser]
) -> None:
    sent = browsers[0].feedback(browsers[0].ask(QUESTIONS[0])["id"], "answered", "no")
    for one in browsers:
        one.ask(QUESTIONS[len(one.answers)])
    server.kill()  # the last answers may be on their way to the disk

    server.start()
    browsers[0].client.post("/api/feedback", json=sent).raise_for_status()  # as if it had not been acknowledged
    stored = server.exported()
    assert list(stored["feedback"]) == [sent["id"]]
    for one in browsers:
        there = [id for id in one.answers if id in stored["interactions"]]
        assert there == one.answers[: len(there)], "only last turns may be gone"
        assert len(one.answers) - len(there) <= 1
