"""What the operator sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rag.learning.ledger import PAUSED, PROPOSED, candidate
from rag.learning.overview import overview
from rag.policy.memory import Memory, Need, encode
from rag.policy.store import PolicyStore
from tests.learning.fakes import Log


def test_the_days_the_ledger_and_what_was_learned(tmp_path: Path) -> None:
    log = Log()
    log.ask("ann", "c1", "a question", cited=["p"], said=[("answered", "no"), ("rephrase", "better words")])
    log.ask("ann", "c1", "better words", cited=["p"], said=[("answered", "yes")], searched="best words")
    log.ask("bob", "c2", "nothing here", refused=True)
    store = PolicyStore(tmp_path)
    store.promote(store.save({"a": 1}), "passed the gate")
    store.note(PAUSED, why="looking")
    need = Need("n1", ("a question",), encode(np.eye(1, 4, dtype=np.float32)), why="1 person: an answer was accepted")
    found = overview(log.asked, store, Memory((need,)))
    [day] = found.days
    assert (day.questions, day.accepted) == (3, 0.5)
    assert round(day.reworded, 2) == round(day.refused, 2) == round(day.touched, 2) == 0.33
    assert [line["event"] for line in found.ledger] == ["promoted", "paused"]
    assert found.active in store.versions()
    assert found.paused == "looking"
    assert [need.texts[0] for need in found.learned] == ["a question"]
    assert found.candidate is None
    assert overview([], PolicyStore(tmp_path / "none"), Memory()).days == ()


def test_a_candidate_waits_until_it_or_a_later_policy_is_in_force(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path)
    version = store.save({"a": 1})
    assert candidate(store) is None
    store.note(PROPOSED, version=version, why="passed the gate")
    found = candidate(store)
    assert found is not None
    assert found["version"] == version
    store.promote(version, "by hand")
    assert candidate(store) is None
