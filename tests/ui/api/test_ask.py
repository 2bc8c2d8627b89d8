"""POST /api/ask, conversations and feedback: what one person does over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rag.types import Retrieved, SentenceVerdict
from tests.ui.conftest import MakeServices, client_of
from tests.ui.samples import FOLLOW_UP, PAPERS, REWRITES, UNKNOWN, EndlessModel
from ui.api.ask import frames
from ui.api.asking import begun
from ui.services import Asker, Place, Services
from ui.services.asking import RESTARTED, STOPPED
from ui.services.runs import Stopping


def ask(client: TestClient, question: str = REWRITES, **more: Any) -> Any:
    reply = client.post("/api/ask", json={"question": question, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_an_answer_quotes_exactly_and_begins_a_conversation(client: TestClient) -> None:
    reply = ask(client)
    assert reply["turn"] == 1
    assert reply["answer"]["citations"]
    for one in reply["answer"]["citations"]:
        abstract = client.get(f"/api/papers/{one['paper_id']}").json()["abstract"]
        assert abstract[one["start"] : one["end"]] == one["quote"]


def test_a_follow_up_goes_on_with_the_conversation(client: TestClient) -> None:
    first = ask(client)
    second = ask(client, FOLLOW_UP, conversation=first["conversation"])
    assert second["turn"] == 2
    assert PAPERS[0].title in second["answer"]["standalone_question"]
    held = client.get(f"/api/conversations/{first['conversation']}").json()
    assert [turn["question"] for turn in held["turns"]] == [REWRITES, FOLLOW_UP]
    assert held["title"] == REWRITES


def test_a_turn_can_be_asked_again(client: TestClient) -> None:
    first = ask(client)
    ask(client, FOLLOW_UP, conversation=first["conversation"])
    again = ask(client, "What is stance detection about?", conversation=first["conversation"], turn=1)
    assert again["answer"]["standalone_question"] == "What is stance detection about?"
    held = client.get(f"/api/conversations/{first['conversation']}").json()
    assert [turn["question"] for turn in held["turns"]] == ["What is stance detection about?"]


def test_a_history_may_come_with_the_question(client: TestClient) -> None:
    history = [{"question": REWRITES, "cited": [PAPERS[0].title]}]
    assert PAPERS[0].title in ask(client, FOLLOW_UP, history=history)["answer"]["standalone_question"]


def test_a_stream_has_retrieved_deltas_and_the_answer(client: TestClient) -> None:
    reply = client.post("/api/ask", json={"question": REWRITES, "stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [one.split("\n") for one in reply.text.strip().split("\n\n")]
    names = [event.removeprefix("event: ") for event, _ in events]
    data = [json.loads(line.removeprefix("data: ")) for _, line in events]
    assert names == ["retrieved", *["delta"] * (len(names) - 2), "answer"]
    assert "".join(one["text"] for one in data[1:-1]) == data[-1]["answer"]["text"]
    assert len(data[0]["papers"]) == 10


def test_papers_can_be_chosen(client: TestClient) -> None:
    wanted = PAPERS[1].id
    reply = ask(client, "What is released?", options={"include": [wanted]})
    assert {one["paper_id"] for one in reply["answer"]["retrieved"]} == {wanted}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "question"),
        ({"question": ""}, 422, "empty"),
        ({"question": "x" * 4001}, 422, "4,001 characters"),
        ({"question": REWRITES, "surprise": 1}, 422, "surprise"),
        ({"question": REWRITES, "conversation": "nobodys"}, 404, "no such conversation"),
        ({"question": REWRITES, "turn": 2}, 422, "turn 1"),
        ({"question": REWRITES, "turn": 0}, 422, "turn"),
        ({"question": REWRITES, "options": {"mode": "generative"}}, 422, "OPENAI_API_KEY"),
        ({"question": REWRITES, "options": {"mode": "poetic"}}, 422, "mode"),
        ({"question": REWRITES, "options": {"papers": -1}}, 422, "papers"),
        ({"question": REWRITES, "history": [{"question": "a"}] * 101}, 422, "101 turns"),
        ({"question": REWRITES, "history": [{"question": "a"}], "conversation": "c"}, 422, "either"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    client: TestClient, body: dict[str, Any], status: int, says: str
) -> None:
    reply = client.post("/api/ask", json=body)
    assert reply.status_code == status
    assert says in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "question",
    ["\x00\x00", "\u202e\u200b", "🙂" * 50, "' OR 1=1 --", "<script>alert(1)</script>", "\ud83d", "]]>%s{0}"],
)
def test_hostile_questions_get_an_ordinary_answer(client: TestClient, question: str) -> None:
    reply = client.post("/api/ask", content=json.dumps({"question": question}))
    assert reply.status_code in (200, 422)
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"question": 7}', b'{"question": {"a": []}}']
)
def test_bodies_that_are_no_question(client: TestClient, body: bytes) -> None:
    reply = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (400, 422)
    assert reply.json()["error"]["message"]


def test_a_bug_says_nothing_about_the_inside(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(services.asking, "stream", broken)
    with client_of(services) as client:
        reply = client.post("/api/ask", json={"question": REWRITES})
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert reply.json()["error"]["code"] == "bug"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_the_record_knows_what_was_retrieved_and_shown(services: Services) -> None:
    answer = services.asking.ask(REWRITES, asker=Asker("ada"), place=Place("c1"), source="page")
    episode = services.store.interaction(answer.id, user="ada")
    assert episode is not None
    found = episode.interaction
    assert [one.paper_id for one in found.papers if one.rank] == [one.paper_id for one in answer.retrieved]
    shown = sorted((one.position, one.paper_id) for one in found.papers if one.position is not None)
    assert [paper for _, paper in shown] == list(dict.fromkeys(one.paper_id for one in answer.citations))
    assert (found.source, found.conversation, found.turn) == ("page", "c1", 1)
    assert found.latency_ms is not None
    assert found.latency_ms >= answer.timings_ms["total"]


def test_closing_the_stream_stops_the_model_and_keeps_what_was_shown(make_services: MakeServices) -> None:
    model = EndlessModel()
    services = make_services(model=model, unsupported="mark")
    events = services.asking.stream(REWRITES, asker=Asker("ada"), place=Place("c1"), source="page")
    assert isinstance(next(events), Retrieved)
    while not isinstance(next(events), SentenceVerdict):
        pass
    events.close()
    assert model.stopped.wait(30)
    services.close()
    reopened = make_services(events_url=services.settings.events_url)
    (episode,) = reopened.store.episodes()
    assert [said.kind for said in episode.feedback] == ["stop"]
    assert episode.interaction.answer is not None
    assert episode.interaction.answer.notice == STOPPED
    assert episode.interaction.answer.citations, "the evidence for what was said is kept"
    assert len(episode.interaction.papers) == 10


def test_feedback_of_every_kind(client: TestClient) -> None:
    reply = ask(client)
    answer_id, paper = reply["answer"]["id"], reply["answer"]["citations"][0]["paper_id"]
    given: list[dict[str, Any]] = [
        {"kind": "answered", "value": "partly"},
        {"kind": "reason", "value": "incomplete"},
        {"kind": "comment", "value": "More, please <b>now</b>."},
        {"kind": "edit", "value": "A better answer [1]."},
        {"kind": "evidence", "value": "useful", "paper_id": paper},
        {"kind": "open", "paper_id": paper},
        {"kind": "copy"},
        {"kind": "dwell", "value": 12.5},
        {"kind": "stop"},
        {"kind": "rephrase", "value": "What else?"},
    ]
    for one in given:
        stored = client.post("/api/feedback", json={"answer_id": answer_id, **one})
        assert stored.status_code == 201, stored.text
    turn = client.get(f"/api/conversations/{reply['conversation']}").json()["turns"][0]
    assert [(said["kind"], said["value"]) for said in turn["feedback"]] == [
        (one["kind"], one.get("value")) for one in given
    ]
    metrics = client.get("/metrics").text
    assert 'readback_feedback_total{kind="answered",value="partly"} 1.0' in metrics
    assert "better answer" not in metrics


def test_feedback_sent_twice_is_stored_once(client: TestClient) -> None:
    reply = ask(client)
    body = {"answer_id": reply["answer"]["id"], "kind": "answered", "value": "yes", "id": "mine-1"}
    assert [client.post("/api/feedback", json=body).status_code for _ in range(2)] == [201, 201]
    turn = client.get(f"/api/conversations/{reply['conversation']}").json()["turns"][0]
    assert len(turn["feedback"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "answered", "value": "maybe"}, 422),
        ({"kind": "praise", "value": "yes"}, 422),
        ({"kind": "evidence", "value": "useful"}, 422),
        ({"kind": "evidence", "value": "useful", "paper_id": "no-such"}, 422),
        ({"kind": "comment", "value": "x" * 4001}, 422),
        ({"kind": "dwell", "value": -1}, 422),
        ({"kind": "answered", "value": "yes", "answer_id": "nobodys"}, 404),
    ],
)
def test_feedback_that_makes_no_sense(client: TestClient, body: dict[str, Any], status: int) -> None:
    answer_id = ask(client)["answer"]["id"]
    assert client.post("/api/feedback", json={"answer_id": answer_id, **body}).status_code == status


def test_conversations_are_listed_searched_renamed_and_deleted(client: TestClient) -> None:
    first = ask(client)["conversation"]
    second = ask(client, UNKNOWN)["conversation"]
    listed = client.get("/api/conversations").json()["conversations"]
    assert [one["id"] for one in listed] == [second, first]
    found = client.get("/api/conversations", params={"q": "tomatoes greenhouse"}).json()["conversations"]
    assert [one["id"] for one in found] == [second]
    assert client.patch(f"/api/conversations/{first}", json={"title": "Rewriting"}).json()["title"] == "Rewriting"
    assert client.patch(f"/api/conversations/{first}", json={"title": " "}).status_code == 422
    assert client.delete(f"/api/conversations/{first}").status_code == 204
    assert client.get(f"/api/conversations/{first}").status_code == 404
    assert client.delete(f"/api/conversations/{first}").status_code == 404


def test_conversations_without_kept_words(make_services: MakeServices) -> None:
    with client_of(make_services(keep_questions=False)) as client:
        first = ask(client)
        second = ask(client, REWRITES, conversation=first["conversation"])
        assert second["turn"] == 2
        held = client.get(f"/api/conversations/{first['conversation']}").json()
        assert [turn["question"] for turn in held["turns"]] == [None, None]
        assert "not kept" in client.get(f"/api/conversations/{first['conversation']}/export").text


def test_how_an_answer_was_found_is_told_to_its_owner_alone(client: TestClient) -> None:
    answer = ask(client)["answer"]
    assert "trace" not in answer
    reply = client.get(f"/api/answers/{answer['id']}/trace").json()
    assert reply["policy_version"] == answer["policy_version"]
    assert {"understand", "retrieve", "read", "answer"} <= set(reply["trace"]["stages"])
    assert answer["retrieved"][0]["paper_id"] in reply["trace"]["papers"]
    assert client.get(f"/api/answers/{answer['id']}/trace", headers={"sec-fetch-mode": "cors"}).status_code == 404
    assert client.get("/api/answers/nothing/trace").status_code == 404


def test_a_stream_ends_with_an_error_when_the_server_is_stopped(make_services: MakeServices) -> None:
    services = make_services(model=EndlessModel(), unsupported="mark")
    events = services.asking.stream(REWRITES, asker=Asker("ada"), place=Place("c1"), source="api")
    told = frames(begun(events), "c1", 1)
    assert "event: retrieved" in next(told)
    services.asking.close(timeout_s=0.0)
    assert '"code": "stopping"' in list(told)[-1]
    with pytest.raises(Stopping):
        services.asking.ask(REWRITES, asker=Asker("ada"), source="api")
    (episode,) = services.store.conversation("ada", "c1").turns
    assert episode.interaction.answer is not None
    assert episode.interaction.answer.notice == RESTARTED


def test_a_turn_that_is_asked_again_gets_a_version_and_loses_nothing(client: TestClient) -> None:
    first = ask(client)
    where = f"/api/conversations/{first['conversation']}"
    second = ask(client, FOLLOW_UP, conversation=first["conversation"])
    again = ask(client, UNKNOWN, conversation=first["conversation"], turn=1, options={"papers": 2})
    assert (second["turn"], again["turn"]) == (2, 1)
    (turn,) = client.get(where).json()["turns"]
    assert turn["versions"] == [first["answer"]["id"], again["answer"]["id"]]
    assert turn["options"]["papers"] == 2
    back = client.put(f"{where}/current", json={"answer_id": first["answer"]["id"]}).json()
    assert [one["answer_id"] for one in back["turns"]] == [first["answer"]["id"], second["answer"]["id"]]
    assert client.put(f"{where}/current", json={"answer_id": "nothing"}).status_code == 404
    assert "trace" not in back["turns"][0]["answer"]
