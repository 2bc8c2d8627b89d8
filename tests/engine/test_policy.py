"""The policy decides, names what it was fitted for, can be swapped at any time, and remembers only like questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag import Assistant, prompts
from rag.engine import UNFITTED
from rag.errors import SettingsError
from rag.policy import Policy
from rag.policy.in_force import PolicyInForce
from rag.policy.memory import Memory, Need, encode
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, CTRL, FINGPT, TPRF, UNKNOWN


def test_equal_content_has_the_equal_version_and_any_change_another() -> None:
    policy = Policy.default()
    again = Policy.of(json.loads(json.dumps(policy.record())))
    assert again.version == policy.version
    changed = policy.with_parts(retrieval=policy.retrieval.model_copy(update={"dense_weight": 0.5}))
    assert changed.version != policy.version


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"retreival": {}}, "retreival"), ({"retrieval": {"dense_weight": 2}}, "retrieval"), ({"memory": 3}, "memory")],
)
def test_what_is_no_policy_is_refused_with_the_field(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Policy.of({**Policy.default().record(), **change})


def test_a_policy_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"policy\.json"):
        Policy.read(file)


def test_the_shipped_policy_was_fitted_for_what_is_shipped(assistant: Assistant) -> None:
    policy = Policy.default()
    assert policy.embedder == assistant.collection.embedder
    assert policy.writing.prompts == prompts.version()


def test_every_answer_names_the_policy_that_made_it(assistant: Assistant) -> None:
    assert assistant.ask(ABOUT_CTRL).policy_version == Policy.default().version
    assert assistant.ask("").policy_version == Policy.default().version


def test_another_embedder_is_met_with_scale_free_decisions_and_a_notice(assistant: Assistant) -> None:
    policy = Policy.default().with_parts(embedder="another")
    answer = assistant.with_policy(policy).ask(ABOUT_CTRL)
    assert answer.notice
    assert UNFITTED.format(name=assistant.settings.embed_model) in answer.notice
    assert answer.confidence != assistant.ask(ABOUT_CTRL).confidence
    assert assistant.with_policy(policy).ask(UNKNOWN).closest == ()


def test_a_promoted_policy_is_in_force_at_the_next_question(assistant: Assistant, tmp_path: Path) -> None:
    in_force = PolicyInForce(tmp_path)
    asking = Assistant(assistant.settings, assistant.collection, policy=in_force)
    before = asking.ask(ABOUT_CTRL)
    default = Policy.default()
    answering = default.answering.model_copy(update={"quotes": 1})
    changed = default.with_parts(answering=answering)
    in_force.store.promote(in_force.store.save(changed.record()), "a test")
    after = asking.ask(ABOUT_CTRL)
    assert (before.policy_version, after.policy_version) == (default.version, changed.version)
    in_force.store.rollback()
    assert asking.ask(ABOUT_CTRL).text == before.text


def remembering(assistant: Assistant, **need: object) -> Assistant:
    """An assistant that has learned about one question."""
    vector = assistant.collection.view().embed(ABOUT_CTRL)
    held = Need("n1", (ABOUT_CTRL,), encode(vector[None]), people=3, why="three people found it", **need)  # type: ignore[arg-type]
    return assistant.with_policy(Policy.default().with_parts(memory=Memory((held,))))


def test_memory_moves_papers_for_like_questions_alone(assistant: Assistant) -> None:
    learned = remembering(assistant, relevance={FINGPT: 1.0})
    before, after = assistant.ask(ABOUT_CTRL), learned.ask(ABOUT_CTRL)
    places = [[paper.paper_id for paper in answer.retrieved] for answer in (before, after)]
    assert FINGPT not in places[0][:3]
    assert FINGPT in places[1][:3]
    (used,) = after.trace["stages"]["recall"]["used"]
    assert (used["id"], used["people"], used["why"]) == ("n1", 3, "three people found it")
    other = learned.ask(ABOUT_TPRF)
    assert other.retrieved == assistant.ask(ABOUT_TPRF).retrieved
    assert "recall" not in other.trace["stages"]


def test_memory_never_brings_a_paper_that_was_left_out(assistant: Assistant) -> None:
    learned = remembering(assistant, relevance={FINGPT: 1.0})
    without = learned.ask(ABOUT_CTRL, options=Options(exclude=frozenset({FINGPT})))
    assert FINGPT not in {paper.paper_id for paper in without.retrieved}
    scoped = learned.ask(ABOUT_CTRL, options=Options(include=frozenset({CTRL, TPRF})))
    assert {paper.paper_id for paper in scoped.retrieved} == {CTRL, TPRF}


def test_a_learned_wording_is_searched_for_beside_the_own_one(assistant: Assistant) -> None:
    learned = remembering(assistant, rewrite=ABOUT_TPRF, rewrite_confidence=0.7)
    answer = learned.ask(ABOUT_CTRL)
    assert answer.understood_as == ABOUT_TPRF
    assert answer.retrieved[0].paper_id == TPRF
    assert CTRL in {paper.paper_id for paper in answer.retrieved}


def test_what_people_accepted_and_rejected_moves_the_confidence(assistant: Assistant) -> None:
    plain = assistant.ask(ABOUT_CTRL).confidence
    assert remembering(assistant, answerable=1.0).ask(ABOUT_CTRL).confidence > plain
    assert remembering(assistant, answerable=-1.0).ask(ABOUT_CTRL).confidence < plain
