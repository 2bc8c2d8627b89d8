"""``readback eval …`` from outside: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import eval.run
from eval import floors
from eval.commands import evaluation
from eval.config import Config
from eval.gold import GOLD
from eval.results import runs
from rag.settings import Settings
from tests.eval.conftest import PAPERS
from tests.eval.test_benchmarks import beir, squad, write_claims


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, settings: Settings, gold: Path, tmp_path: Path) -> Path:
    """The command line over the six papers and their questions, without floors."""
    monkeypatch.setenv("READBACK_DATA_DIR", str(settings.data_dir))
    opened = eval.run.open_setup

    def open_small(config: Config, settings: Settings, **more: object) -> object:
        given = {key: value for key, value in more.items() if value is not None}
        return opened(config, settings, **({"gold": gold, "papers": PAPERS} | given))  # type: ignore[arg-type]

    monkeypatch.setattr(eval.run, "open_setup", open_small)
    file = tmp_path / "floors.toml"
    file.write_text("[full]\n[fast]\n", encoding="utf-8")
    monkeypatch.setattr(floors, "FLOORS", file)
    monkeypatch.setattr(floors.broken, "__defaults__", (file,))
    return settings.data_dir / "eval"


def call(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(evaluation, arguments, input=typed, catch_exceptions=False)


def test_without_a_command_the_development_questions_are_run_and_reported(home: Path) -> None:
    done = call()
    assert done.exit_code == 0
    assert "ndcg@10" in done.stdout
    assert "ndcg@10" not in done.stderr
    report = Path(done.stderr.split("Report: ")[1].strip())
    assert report.is_file()
    assert runs(home)


def test_a_broken_floor_is_an_exit_code(home: Path) -> None:
    floors.FLOORS.write_text("[full.right]\nmin = 1.01\n[fast.right]\nmin = 1.01\n", encoding="utf-8")
    done = call("run")
    assert done.exit_code == 1
    assert "Floor broken: right is" in done.stderr
    assert call("run", "--no-floors").exit_code == 0
    assert call("run", "--kinds", "fact").exit_code == 0  # floors are for whole runs
    assert call("run", "--split", "test").exit_code == 0
    assert call("run", "--fast").exit_code == 1


def test_answers_of_somebodys_model_have_no_floors(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    floors.FLOORS.write_text("[full.right]\nmin = 1.01\n[fast]\n", encoding="utf-8")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")  # nobody listens: quotes take over, visibly
    monkeypatch.setenv("READBACK_RETRIES", "0")
    done = call("run", "--systems", "readback")
    assert done.exit_code == 0
    assert "To blame" not in done.stdout  # asking a model again and again is not for free


def test_options_go_over_the_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('name = "only bm25"\nsplit = "test"\nsystems = ["bm25"]\n', encoding="utf-8")
    done = call("run", "--config", str(file), "--limit", "1")
    assert done.exit_code == 0
    assert "readback" not in done.stdout
    newest = next(run for run in reversed(runs(home)) if run.meta["name"] == "only bm25")
    assert (newest.meta["config"]["split"], len(newest.meta["questions"])) == ("test", 1)


def test_runs_are_compared_reported_and_plotted(home: Path) -> None:
    call("run", "--no-blame")
    compared = call("compare", "latest:bm25", "latest")
    assert "questions needed" in compared.stdout
    assert compared.stderr == ""
    assert Path(call("report").stdout.strip()).is_file()
    assert "runs on the dev questions" in Path(call("history").stdout.strip()).read_text("utf-8")


def test_labels_are_typed(home: Path) -> None:
    call("run", "--no-blame")
    done = call("label", "--count", "3", "--who", "me", typed="y\nn\ny\n")
    assert "readback, right: 0.667" in done.stdout
    assert "3 labels made" in done.stderr


def test_other_peoples_data(home: Path, tmp_path: Path) -> None:
    folder = write_claims(tmp_path / "tiny")
    ranked = call("retrieval", str(beir(folder)))
    assert "readback, no rerank" in ranked.stdout
    assert "SUPPORT against" in call("claims", str(folder)).stdout
    assert "answerable against not" in call("qa", str(squad(tmp_path))).stdout


def test_the_gold_questions_are_checked() -> None:
    done = call("gold", "check")
    frozen = json.loads((GOLD / "HASHES.json").read_text("utf-8"))
    assert (done.exit_code == 0) == ("hashes as frozen" in done.stdout)
    assert sum(entry["questions"] for entry in frozen.values()) > 200


def names(group: click.Group) -> Sequence[str]:
    return sorted(group.commands)


def test_all_commands_explain_themselves() -> None:
    listed = ["claims", "compare", "gold", "history", "judge", "label", "natural", "qa", "report", "retrieval", "run"]
    assert names(evaluation) == listed
    for name in listed:
        assert call(name, "--help").exit_code == 0


def test_help_loads_nothing_heavy() -> None:
    heavy = ("numpy", "llama_index", "plotly", "pydantic", "chromadb", "scipy")
    code = f"import sys, eval.commands; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=GOLD.parents[1])
    assert done.stdout.strip() == "[]"
