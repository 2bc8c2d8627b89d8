"""What a question brings to mind, and what it does not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import SettingsError
from rag.policy import Policy
from rag.policy.memory import Memory, Need, Recollection, decode, encode

DIMENSION = 64


def direction(*weights: float) -> NDArray[np.float32]:
    """A unit vector with these leading components."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[: len(weights)] = weights
    return np.asarray(vector / np.linalg.norm(vector))


def need(name: str, text: str, vector: NDArray[np.float32], **learned: object) -> Need:
    """A need asked once."""
    return replace(Need(name, (text,), encode(vector[None])), **learned)  # type: ignore[arg-type]


CLICKS = need(
    "clicks",
    "unbiased learning from clicks",
    direction(1.0),
    relevance={"right": 1.0, "wrong": -0.5},
    quotes={"right": {"It removes the bias.": 0.8}},
    answerable=1.0,
    rewrite="counterfactual learning to rank from click logs",
    rewrite_confidence=0.9,
    example="Inverse propensities remove it.",
    people=3,
    why="three people found it useful",
)
ROBOTS = need("robots", "preferences of robot arms", direction(0.0, 1.0), relevance={"arms": 1.0})
MEMORY = Memory((CLICKS, ROBOTS))


def test_the_same_question_recalls_all_that_was_learned() -> None:
    recalled = Recollection(MEMORY).recall(
        direction(1.0), "unbiased learning from clicks", {"other": 1.0, "right": 0.8, "wrong": 0.7}
    )
    assert recalled
    assert 0.3 < recalled.papers["right"] <= 1.0
    assert recalled.papers["wrong"] < 0
    assert "arms" not in recalled.papers
    assert recalled.sentences["right", "It removes the bias."] > 0.3
    assert recalled.support > 0.3
    [(rewrite, share)] = recalled.rewrites
    assert rewrite == CLICKS.rewrite
    assert 0.5 < share <= 0.6
    assert recalled.examples == ("Inverse propensities remove it.",)
    assert [(one.id, one.people) for one in recalled.used] == [("clicks", 3)]


def test_a_dissimilar_question_recalls_nothing_at_all() -> None:
    recalled = Recollection(MEMORY).recall(
        direction(0.0, 0.0, 1.0), "tutoring students with hints", {"right": 1.0, "arms": 0.9}
    )
    assert not recalled
    assert recalled.papers == {}
    assert recalled.support == 0.0


def test_a_paper_that_the_question_finds_by_itself_is_recalled_more_readily() -> None:
    recollection = Recollection(MEMORY)
    near, asked = direction(0.75, 0.0, 0.66), "learning from clicks without much bias"
    found = recollection.recall(near, asked, {"right": 1.0, "other": 0.6}).papers.get("right", 0.0)
    unfound = recollection.recall(near, asked, {"other": 1.0, "third": 0.5}).papers.get("right", 0.0)
    assert found > unfound


def test_additions_stay_within_reach_however_many_needs_agree() -> None:
    many = Memory(tuple(replace(CLICKS, id=f"clicks-{number}") for number in range(30)))
    recalled = Recollection(many).recall(direction(1.0), "unbiased learning from clicks", {"right": 1.0})
    assert recalled.papers["right"] <= 2 * many.match.reach
    assert recalled.papers["wrong"] >= -2 * many.match.reach


def test_an_empty_memory_and_vectors_of_another_embedder_recall_nothing() -> None:
    assert not Recollection(Memory())
    assert not Recollection(Memory()).recall(direction(1.0), "unbiased learning from clicks")
    assert not Recollection(MEMORY).recall(np.ones(8, dtype=np.float32), "unbiased learning from clicks")


def test_a_memory_survives_json() -> None:
    policy = Policy.default().with_parts(memory=MEMORY)
    assert Policy.of(json.loads(json.dumps(policy.record()))).memory == MEMORY
    for damaged in ({"surprise": 1}, {"items": [{"id": "no texts"}]}):
        with pytest.raises(SettingsError, match="memory"):
            Policy.of({**policy.record(), "memory": damaged})


def test_vectors_survive_as_text() -> None:
    vectors = np.stack([direction(1.0, 2.0), direction(0.5)])
    assert np.allclose(decode(encode(vectors), 2), vectors, atol=1e-3)
    with pytest.raises(ValueError, match="are not 3 vectors"):
        decode(encode(vectors), 3)
    with pytest.raises(ValueError, match="differ in length"):
        Recollection(Memory((CLICKS, Need("short", ("a",), encode(np.ones((1, 8), dtype=np.float32))))))
