"""A backup of a live installation, and an installation made from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag import Assistant, Settings
from rag.events.opening import open_store
from rag.policy.store import PolicyStore
from rag.settings import CHECKOUT
from ui.cli import group
from ui.cli.backup import BackupError

QUESTION = "How much does RLAIF-V reduce object hallucination?"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, arguments)


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The data folder of an installation in which something was asked, rated and promoted."""
    settings = Settings.load()
    with Assistant.open(settings) as assistant, open_store(settings) as store:
        answer = assistant.ask(QUESTION)
        store.record(answer, user="ada", source="api", conversation="c")
        store.feedback(answer.id, user="ada", kind="answered", value="yes")
        policies = PolicyStore(settings.data_dir / "policies")
        record = assistant.policy().record()
        policies.promote(policies.save({**record, "rules": ["Give the size of the data."]}), "a test")
    return settings.data_dir


def test_what_was_backed_up_answers_remembers_and_decides_as_before(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Assistant.open(Settings.load()) as assistant:
        before = assistant.ask(QUESTION)
    assert run("backup", str(tmp_path / "copy")).exit_code == 0
    monkeypatch.setenv("READBACK_DATA_DIR", str(tmp_path / "elsewhere"))
    assert run("restore", str(tmp_path / "copy")).exit_code == 0
    settings = Settings.load()
    with Assistant.open(settings) as assistant, open_store(settings) as store:
        after = assistant.ask(QUESTION)
        assert (after.text, after.policy_version) == (before.text, before.policy_version)
        (episode,) = store.episodes()
        assert [one.kind for one in episode.feedback] == ["answered"]
    assert json.loads(json.dumps(assistant.policy().rules)) == ["Give the size of the data."]


def test_nothing_is_written_over(live: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine.txt").write_text("mine", encoding="utf-8")
    done = run("backup", str(tmp_path / "copy"))
    assert isinstance(done.exception, BackupError)
    assert sorted(file.name for file in (tmp_path / "copy").iterdir()) == ["mine.txt"]
    assert run("backup", str(tmp_path / "good")).exit_code == 0
    assert isinstance(run("restore", str(tmp_path / "good")).exception, BackupError)  # the live folder is not empty
    assert (live / "catalog.sqlite3").is_file()


def test_a_backup_that_fails_leaves_nothing(live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ui.cli.backup.shutil.copytree", full)
    done = run("backup", str(tmp_path / "copy"))
    assert isinstance(done.exception, BackupError)
    assert "No space left" in str(done.exception)
    assert [file.name for file in tmp_path.iterdir() if "copy" in file.name] == []


@pytest.mark.parametrize("later_s", [0.0, 0.01, 0.05])
def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(live: Path, tmp_path: Path, later_s: float) -> None:
    for number in range(3):
        copy = tmp_path / f"copy-{number}"
        command = [sys.executable, "-c", "from ui.cli import main; main()", "backup", str(copy)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "READBACK_DATA_DIR": str(live)}
        copying = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        while copying.poll() is None and not list(tmp_path.glob(f".{copy.name}.*")):
            time.sleep(0.001)
        time.sleep(later_s)
        copying.kill()
        copying.wait()
        assert not copy.exists() or {"catalog.sqlite3", "events.db", "policies"} <= {one.name for one in copy.iterdir()}
    assert run("backup", str(tmp_path / "whole")).exit_code == 0


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    assert isinstance(run("restore", str(tmp_path)).exception, BackupError)
    assert isinstance(run("backup", str(tmp_path / "copy")).exception, BackupError)  # nothing is indexed here
