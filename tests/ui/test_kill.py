"""kill -9 on the real server, right after feedback was acknowledged: nothing acknowledged is lost, and all go on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from eval.lab.load import CutOff, Feedback, Knowledge, Mixed, Server, User, lost_feedback, mixed_records
from rag.collection import Collection
from rag.corpus import read
from rag.settings import Settings, shipped_corpus

QUESTIONS = (
    "How can a voice assistant learn query rewrites without annotated data?",
    "Which data does it use?",
    "Which works learn from human feedback?",
)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data folder with the first shipped papers, to be copied, and their abstracts."""
    folder = tmp_path_factory.mktemp("indexed") / "data"
    papers = list(islice(read(shipped_corpus()).papers, 12))
    collection = Collection.open(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]  # pydantic-settings knows it
    collection.index.update(papers)
    collection.close()
    return folder, {paper.id: paper.abstract for paper in papers}


@pytest.fixture
def server(indexed: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(indexed[0], tmp_path / "data")
    with Server(tmp_path) as server:
        server.start()
        yield server
    assert [line for life in server.lives for line in life.log] == []


@pytest.fixture
def users(server: Server, indexed: tuple[Path, dict[str, str]]) -> Iterator[list[User]]:
    """Three browsers."""
    knowledge = Knowledge(indexed[1])
    users = [User(server, knowledge, Random(number)) for number in range(3)]
    yield users
    for user in users:
        user.close()


def test_what_was_acknowledged_survives_and_everybody_goes_on(server: Server, users: list[User]) -> None:
    answers = [user.ask(QUESTIONS[0]) for user in users]
    assert answers[0]["citations"], "there is something to judge"
    for user, answer in zip(users, answers, strict=True):
        user.feedback(answer["id"], "evidence", "useful", answer["citations"][0]["paper_id"])
    for user in users:
        answer = user.ask(QUESTIONS[1])
        last = user.feedback(answer["id"], "comment", f"said by {user.name}")
    server.kill()  # nothing lies between the acknowledgement of the last comment and this

    server.start()
    stored = server.exported()
    assert last.id in stored["feedback"]
    assert len(stored["feedback"]) == 6
    assert len(stored["interactions"]) == 6
    assert lost_feedback(users, stored["feedback"]) == []
    assert mixed_records(users, stored["interactions"]) == []

    for user in users:
        with pytest.raises(CutOff):
            user.check()  # the process that it knew is gone
        user.catch_up()
        user.check()  # the cookie still says who it is; conversation and feedback can be read again
        assert user.tally.unsaved == 0
        user.ask(QUESTIONS[2])
        assert [len(turns) for turns in user.turns.values()] == [3], "the conversation goes on where it was"
    for user, other in zip(users, [*users[1:], users[0]], strict=True):
        for conversation in other.turns:
            user.check_stranger(conversation)


def test_other_answers_are_there_whole_or_not_at_all_and_feedback_sent_again_is_stored_once(
    server: Server, users: list[User]
) -> None:
    sent = users[0].feedback(users[0].ask(QUESTIONS[0])["id"], "answered", "no")
    for user in users:
        user.ask(QUESTIONS[0 if user.conversation is None else 1])
    server.kill()  # the last answers may be on their way to the disk

    server.start()
    users[0].acknowledged.clear()  # as if the acknowledgement had been cut off
    users[0].unconfirmed.append(sent)
    for user in users:
        asked = sum(len(turns) for turns in user.turns.values())
        user.catch_up()  # complains if anything but a last turn is gone
        user.check()
        assert sum(len(turns) for turns in user.turns.values()) + user.tally.unsaved == asked
    assert list(users[0].acknowledged) == [sent.id]
    assert list(server.exported()["feedback"]) == [sent.id]


QUOTE = {"paper_id": "p", "quote": "Bees dance.", "start": 4, "end": 15}
ANSWER = {
    "question": "Do bees dance?",
    "standalone_question": "Do bees dance?",
    "text": "Bees dance. [1]",
    "abstained": False,
    "mode": "extractive",
    "citations": [QUOTE],
    "closest": [],
}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"question": "Do cows dance?"}, "answered 'Do cows dance"),
        ({"citations": [{**QUOTE, "start": 3}]}, "does not say"),
        ({"closest": [{**QUOTE, "paper_id": "q"}]}, "does not say"),
        ({"citations": []}, "not made of quotes"),
        ({"text": "Bees dance in the dark. [1]"}, "another text than before"),
    ],
)
def test_the_check_notices_a_wrong_answer(wrong: dict[str, object], complaint: str) -> None:
    knowledge = Knowledge({"p": "All Bees dance."})
    knowledge.check(("Do bees dance?",), ANSWER)
    with pytest.raises(Mixed, match=complaint):
        knowledge.check(("Do bees dance?",), {**ANSWER, **wrong})


@pytest.mark.parametrize("field", ["interaction_id", "kind", "value", "paper_id", "user"])
def test_the_check_notices_feedback_stored_as_another(field: str) -> None:
    sent = Feedback("a1", "evidence", "useful", "p")
    stored = {"interaction_id": "a1", "kind": "evidence", "value": "useful", "paper_id": "p", "user": "ada"}
    assert sent.matches(stored, "ada")
    assert not sent.matches({**stored, field: "other"}, "ada")
