"""``readback learn`` and ``readback policy``, as an operator uses them, over the shipped papers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from rag import Assistant
from rag.events import EventStore
from rag.policy.in_force import PolicyInForce
from rag.policy.store import PolicyStore, version_of
from rag.settings import Settings
from tests.learning.conftest import run
from ui.cli import group

VAGUE = "clever store searching machine that listens to results"
CLEAR = "query expansion for e-commerce rewarded by the search engine"
UNRELATED = "Who wrote the novel about the white whale?"


def taught(people: int = 4) -> tuple[str, Settings]:
    """People ask vaguely, say it better, and accept the answer. Returns the paper that they accepted."""
    settings = Settings.load()
    with Assistant.open(settings) as assistant, EventStore.open(settings.data_dir / "events.db") as store:
        vague, clear = assistant.ask(VAGUE), assistant.ask(CLEAR)
        for n in range(people):
            first, second = (replace(one, id=f"{one.id}-{n}") for one in (vague, clear))
            store.record(first, user=f"u{n}", source="api", conversation=f"c{n}", turn=1)
            store.feedback(first.id, user=f"u{n}", kind="rephrase", value=CLEAR)
            store.record(second, user=f"u{n}", source="api", conversation=f"c{n}", turn=2)
            store.feedback(second.id, user=f"u{n}", kind="answered", value="yes")
    return clear.citations[0].paper_id, settings


def test_what_people_accepted_comes_first_next_time_and_can_be_undone(home: Path) -> None:
    right, settings = taught()
    with Assistant.open(settings) as serving:
        before, unrelated = serving.ask(VAGUE), serving.ask(UNRELATED)
        assert before.retrieved[0].paper_id != right
        report = json.loads(run("learn", "--json"))
        assert report["outcome"].startswith("passed the gate")
        assert serving.ask(VAGUE).policy_version == before.policy_version, "nothing changes before it is promoted"
        report = json.loads(run("learn", "--promote", "--json"))
        assert report["outcome"] == "in force"
        after = serving.ask(VAGUE)
        assert after.policy_version == report["version"], "a running assistant follows without a restart"
        assert after.retrieved[0].paper_id == right
        [used] = [one for one in after.trace["stages"]["recall"]["used"] if one["people"] == 4][:1]
        assert "4 people" in used["why"]
        assert serving.ask(UNRELATED).text == unrelated.text
        assert VAGUE in run("policy", "show")
        assert "new" in run("policy", "diff", "shipped")
        assert "promoted" in run("policy", "list")
        assert run("policy", "rollback").strip() == "in force: shipped"
        assert serving.ask(VAGUE).text == before.text


def test_a_paused_learning_promotes_nothing(home: Path) -> None:
    taught(1)
    run("policy", "pause", "--why", "looking into it")
    refused = CliRunner().invoke(group, ["learn", "--promote"])
    assert refused.exit_code == 1
    assert "looking into it" in str(refused.exception)
    assert PolicyStore(home / "policies").active_version() is None
    run("policy", "resume")
    run("learn", "--promote")
    assert PolicyStore(home / "policies").active_version() is not None


def test_forgetting_a_person_removes_what_only_they_taught(home: Path) -> None:
    taught(1)
    run("learn", "--promote")
    assert VAGUE in run("policy", "show")
    run("events", "forget", "--user", "u0", "--yes")
    run("learn", "--promote")
    assert VAGUE not in run("policy", "show")


def test_a_house_rule_is_in_force_once_it_is_approved(home: Path) -> None:
    _, settings = taught(3)
    with EventStore.open(settings.data_dir / "events.db") as store:
        for number, episode in enumerate(list(store.episodes())[::2]):
            words = (
                "give the dataset size",
                "please give the dataset size",
                "say how big the dataset is: dataset size",
            )
            asked = episode.interaction
            store.feedback(asked.id, user=asked.user or "", kind="comment", value=words[number])
    assert "(3 people)" in run("policy", "rules")
    assert "in force" in run("policy", "rules", "--approve", "1")
    assert len(PolicyInForce(home / "policies")().rules) == 1
    assert CliRunner().invoke(group, ["policy", "rules", "--approve", "7"]).exit_code == 1


def test_training_sets_are_written(home: Path, tmp_path: Path) -> None:
    taught(2)
    run("learn", "export", "--out", str(tmp_path / "sets"))
    pairs = [json.loads(line) for line in (tmp_path / "sets" / "dpo.jsonl").read_text().splitlines()]
    assert [pair["prompt"] for pair in pairs] == [VAGUE]
    assert pairs[0]["chosen"] != pairs[0]["rejected"]
    assert (tmp_path / "sets" / "sft.jsonl").read_text().count("\n") == 1


def test_kill_9_while_learning_leaves_the_policy_in_force_whole(home: Path) -> None:
    taught(1)
    run("learn", "--promote")
    in_force = PolicyInForce(home / "policies")
    version = in_force().version
    taught(3)
    for seconds in (2.0, 4.0, 6.0):
        child = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from ui.cli import main; import sys; sys.argv[1:] = ['learn', '--promote']; main()",
            ],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        active = PolicyStore(home / "policies").active()
        assert active is not None
        assert version_of(active) == PolicyInForce(home / "policies")().version
    assert version in PolicyStore(home / "policies").versions()
