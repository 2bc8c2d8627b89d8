"""Policies on disk: promoted and rolled back as a whole, seen by others at once, damaged by nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.policy.store import PolicyError, PolicyStore, version_of

ONE, TWO = {"memory": {"items": []}, "name": "one"}, {"memory": {"items": []}, "name": "two"}


def test_what_is_promoted_is_in_force_for_everybody(tmp_path: Path) -> None:
    writer, reader = PolicyStore(tmp_path / "policies"), PolicyStore(tmp_path / "policies")
    assert reader.active_version() is None
    assert reader.active() is None
    one, two = writer.save(ONE), writer.save(TWO)
    assert reader.active_version() is None, "a saved policy is not in force yet"
    writer.promote(one, "passed the gate", won=3)
    assert reader.active_version() == one
    assert reader.active() == ONE
    writer.promote(two, "passed the gate")
    assert reader.active() == TWO
    assert set(reader.versions()) == {one, two}
    assert [line["version"] for line in reader.ledger()] == [one, two]
    assert reader.ledger()[0]["won"] == 3


def test_rollback_goes_back_one_promotion_at_a_time(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path)
    one, two = store.save(ONE), store.save(TWO)
    store.promote(one, "first")
    store.promote(two, "second")
    assert store.rollback("worse") == one
    assert store.rollback() is None
    assert store.active_version() is None
    with pytest.raises(PolicyError, match="nothing to roll back"):
        store.rollback()
    assert [line["event"] for line in store.ledger()] == ["promoted", "promoted", "rolled back", "rolled back"]
    assert store.ledger()[2]["why"] == "worse"


def test_a_damaged_or_unknown_policy_is_never_put_in_force(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path)
    one, two = store.save(ONE), store.save(TWO)
    store.promote(one, "first")
    (tmp_path / f"{two}.json").write_text('{"memory": "cut o')
    with pytest.raises(PolicyError, match="cannot be read"):
        store.promote(two, "second")
    (tmp_path / f"{two}.json").write_text(json.dumps(ONE))
    with pytest.raises(PolicyError, match="does not hold the policy"):
        store.promote(two, "second")
    with pytest.raises(PolicyError, match="no policy 0123456789ab"):
        store.promote("0123456789ab", "third")
    with pytest.raises(PolicyError, match="no policy"):
        store.load("../../secrets")
    assert store.active() == ONE


def test_a_line_of_the_ledger_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path)
    store.promote(store.save(ONE), "first")
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"at": "2026-01-01", "eve')
    assert [line["why"] for line in store.ledger()] == ["first"]
    store.note("frozen", why="drift")
    assert [line["why"] for line in store.ledger()] == ["first", "drift"]


def test_the_version_is_that_of_the_content() -> None:
    assert version_of({"a": 1, "b": 2}) == version_of({"b": 2, "a": 1})
    assert version_of({"a": 1}) != version_of({"a": 2})
    assert len(version_of(ONE)) == 12


@pytest.mark.slow
def test_readers_see_whole_policies_while_two_writers_promote_and_roll_back(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path)
    versions = [store.save({"name": name, "padding": "x" * 50_000}) for name in ("one", "two", "three")]
    store.promote(versions[0], "first")
    done, faults = threading.Event(), []

    def read() -> None:
        reader = PolicyStore(tmp_path)
        while not done.is_set():
            found = reader.active()
            if found is not None and version_of(found) not in versions:
                faults.append(found)

    def write(mine: str) -> None:
        writer = PolicyStore(tmp_path)
        for _ in range(20):
            writer.promote(mine, "again")
            writer.rollback()

    readers = [threading.Thread(target=read) for _ in range(3)]
    writers = [threading.Thread(target=write, args=(version,)) for version in versions[1:]]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert not faults
    assert len(store.ledger()) == 1 + 2 * 2 * 20


@pytest.mark.slow
def test_kill_9_while_promoting_leaves_a_whole_policy_in_force(tmp_path: Path) -> None:
    store = PolicyStore(tmp_path)
    versions = [store.save({"name": str(number), "padding": "x" * 10_000}) for number in range(2)]
    store.promote(versions[0], "first")
    code = (
        "import sys, pathlib; from rag.policy.store import PolicyStore\n"
        "store = PolicyStore(pathlib.Path(sys.argv[1])); print('ready', flush=True)\n"
        "while True:\n    for version in sys.argv[2:]: store.promote(version, 'again')"
    )
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), *versions],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        before = len(store.ledger())
        while len(store.ledger()) < before + 5:
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert version_of(PolicyStore(tmp_path).active() or {}) in versions
    store.promote(versions[1], "the lock of the killed ones is free")
    assert store.active_version() == versions[1]
