"""A policy on trial: for a share of the people, always the same ones, or in the shadow; and how it fares."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.policy import Policy
from rag.policy.in_force import PolicyInForce
from rag.policy.store import PolicyError, PolicyStore, Trial
from rag.settings import Settings
from tests.e2e.serving import until
from tests.learning.conftest import run
from ui.cli import group
from ui.services import Asker, Services

QUESTION = "Which papers use pseudo relevance feedback?"


def other() -> Policy:
    """A policy that ranks by words alone."""
    default = Policy.default()
    return default.with_parts(retrieval=default.retrieval.model_copy(update={"dense_weight": 0.0}))


@pytest.fixture
def home(home: Path) -> Path:
    """With a candidate."""
    PolicyStore(home / "policies").save(other().record())
    return home


def test_a_trial_answers_its_share_of_the_people_and_always_the_same_ones() -> None:
    people = [f"person-{number}" for number in range(4_000)]
    trial = Trial("abc", 0.2, "2026-01-01T00:00:00+00:00")
    chosen = {one for one in people if trial.answers(one)}
    assert 0.17 < len(chosen) / len(people) < 0.23
    assert chosen == {one for one in people if Trial("abc", 0.2, "later").answers(one)}
    assert chosen < {one for one in people if Trial("abc", 0.5, "later").answers(one)}
    elsewhere = {one for one in people if Trial("def", 0.2, "later").answers(one)}
    assert len(chosen & elsewhere) < 0.3 * len(chosen), "it does not try everything on the same people"
    assert not any(Trial("abc", 0.0, "later").answers(one) for one in people)


def test_a_trial_is_seen_at_once_and_ends_with_any_change_of_the_policy_in_force(tmp_path: Path) -> None:
    store, serving = PolicyStore(tmp_path), PolicyInForce(tmp_path)
    version = store.save(other().record())
    store.try_out(version, 0.999, "looks good")
    assert serving.of("ann").version == version
    assert serving().version == Policy.default().version, "it is not in force"
    store.end_trial("seen enough")
    assert serving.of("ann").version == Policy.default().version
    with pytest.raises(PolicyError, match="on trial"):
        store.end_trial("again")
    store.try_out(version, 0.0, "careful")
    shadow = serving.shadow()
    assert shadow is not None
    assert shadow[1].version == version
    assert serving.of("ann").version == Policy.default().version, "a shadow answers nobody"
    store.promote(version, "good")
    assert serving.shadow() is None
    assert serving.of("ann").version == version
    assert [line["event"] for line in store.ledger()] == ["on trial", "trial ended", "shadow", "promoted"]
    (tmp_path / "trial").write_text('{"vers')
    with pytest.raises(PolicyError, match="trial"):
        serving.of("ann")


def test_both_arms_are_shown_with_what_their_people_said(home: Path) -> None:
    version = other().version
    assert "50%" in run("policy", "promote", version, "--share", "0.5")
    trial = PolicyStore(home / "policies").trial()
    assert trial is not None
    with Services.open(Settings.load()) as services:
        for number in range(12):
            asker = Asker(f"person-{number}")
            answer = services.asking.ask(QUESTION, asker=asker, source="api")
            mine = trial.answers(asker.user)
            assert answer.policy_version == (version if mine else Policy.default().version)
            services.conversations.feedback(answer.id, user=asker.user, kind="answered", value="no" if mine else "yes")
        found = services.learning.trial()
        assert found is not None
        assert found.candidate.verdicts + found.active.verdicts == 12
        assert found.candidate.verdicts
        assert (found.candidate.accepted, found.active.accepted) == (0, found.active.verdicts)
        low, high = found.active.interval
        assert 0.2 < low < 0.999 < high <= 1.0
    shown = run("policy", "show")
    assert f"on trial: 0% of {found.candidate.verdicts} answers accepted" in shown
    assert "in force: 100% of" in shown
    assert "in force for everybody: shipped" in run("policy", "end-trial")
    assert CliRunner().invoke(group, ["policy", "promote", version, "--share", "0.5", "--shadow"]).exit_code == 2


def test_a_shadow_is_compared_and_shown_to_nobody(home: Path) -> None:
    run("policy", "promote", other().version, "--shadow")
    with Services.open(Settings.load()) as services:
        asked = services.asking.start(QUESTION, asker=Asker("ann"), source="api")
        *_, answer = asked.follow()
        assert answer.policy_version == Policy.default().version  # type: ignore[union-attr]
        store = PolicyStore(home / "policies")
        trial = store.trial()
        assert trial is not None
        until(lambda: store.comparisons(trial)[0] == 1, "the comparison, which nobody waits for")
    assert "of 1 questions" in run("policy", "show")


def test_the_router_is_set_shown_and_switched_off(home: Path) -> None:
    assert run("policy", "router").startswith("off")
    shown = run("policy", "router", "--arm", "quotes", "--arm", "gpt-4o-mini", "--arm", "own=0.002", "--worth", "0.1")
    assert "a right answer is worth $0.1; explores" in shown
    assert "$0.00200 a question, nothing learned yet" in shown
    routing = PolicyInForce(home / "policies")().router
    assert [(arm.name, arm.mode, arm.model) for arm in routing.arms] == [
        ("quotes", "extractive", None),
        ("gpt-4o-mini", "generative", "gpt-4o-mini"),
        ("own", "generative", "own"),
    ]
    assert "does not explore" in run("policy", "router", "--no-explore")
    for arms in (("--arm", "quotes"), ("--arm", "quotes", "--arm", "unheard-of")):
        assert CliRunner().invoke(group, ["policy", "router", *arms]).exit_code == 1
    assert run("policy", "router", "--off").startswith("off")
    assert PolicyInForce(home / "policies")().router.arms == ()
