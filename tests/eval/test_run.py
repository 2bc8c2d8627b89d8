"""Running: everything is stored, nothing is asked twice, and no crash loses a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eval.config import SYSTEMS, Config
from eval.gold import load_gold
from eval.results import ResultsError, Row, Run, answer_of, find, runs
from eval.run import Setup, choose, execute, open_setup
from eval.table import table
from rag.errors import SettingsError
from rag.settings import Settings
from rag.types import Answer
from tests.eval.conftest import PAPERS, answer


class Fake:
    """A system that remembers what it was asked, and fails where it is told to."""

    name = "readback"
    costly = False

    def __init__(
        self, fingerprint: str = "v1", crash_on: str = "nothing of it", stop_on: str = "nothing of it"
    ) -> None:
        self.fingerprint, self.crash_on, self.stop_on = fingerprint, crash_on, stop_on
        self.asked: list[tuple[str, ...]] = []

    def answer(self, turns: Sequence[str]) -> Answer:
        """An answer that holds one fact."""
        self.asked.append(tuple(turns))
        if self.crash_on in turns[-1]:
            raise RuntimeError("out of flowers")
        if self.stop_on in turns[-1]:
            raise KeyboardInterrupt
        return answer("412", papers=["bees"], timings_ms={"total": 1.0})


def with_fake(setup: Setup, tmp_path: Path, fake: Fake) -> Setup:
    return replace(setup, home=tmp_path, systems=(fake,))


def test_all_systems_answer_all_questions_and_the_run_is_stored(setup: Setup) -> None:
    seen: list[int] = []
    run = execute(setup, progress=seen.append)
    rows = run.rows()
    assert len(rows) == sum(seen) == len(setup.items) * 4
    assert {row.error for row in rows} == {None}
    assert run.systems == [name for name in SYSTEMS if name != "llamaindex-citations"]
    meta = run.meta
    assert {"config_hash", "corpus_hash", "gold_hash", "code", "commit", "versions", "index", "finished"} <= set(meta)
    assert str(setup.settings.data_dir) not in json.dumps(meta["config"])
    for name in run.systems:
        figures = run.figures(name)
        assert figures["recall@10"].value > 0.8  # six papers
        assert figures["quote_exactness"].value == 1.0
    readback = run.figures("readback")
    assert readback["right"].value > 0.5
    assert "calibration_error" in readback
    assert "calibration_error" not in run.figures("embedder")
    text = table({name: run.figures(name) for name in run.systems})
    assert "ndcg@10 ↑" in text
    assert "tokens" not in text  # nobody sent any
    assert execute(setup).meta == meta  # the same run again is the same run


def test_conversations_and_phrasings_are_asked_in_full(setup: Setup, tmp_path: Path) -> None:
    fake = Fake()
    execute(with_fake(setup, tmp_path, fake))
    assert ("How are crevasses on glaciers counted?", "And how well does it work?") in fake.asked
    assert ("What share of the crevasses on glaciers does the network find?",) in fake.asked
    assert ("waggle dances filmed, number",) in fake.asked
    few = with_fake(setup, tmp_path, fake)
    asked = {item.asker for item in replace(few, config=Config(phrasings=False)).items}
    assert asked == {None, "standalone"}


def test_nothing_is_asked_twice_until_something_that_decides_it_changes(setup: Setup, tmp_path: Path) -> None:
    first, second, other = Fake(), Fake(), Fake("v2")
    run = execute(with_fake(setup, tmp_path, first))
    again = execute(with_fake(setup, tmp_path, second))
    assert again.id == run.id
    assert [turns for turns in second.asked if turns != ("feedback?",)] == []
    changed = execute(with_fake(setup, tmp_path, other))
    assert changed.id != run.id
    assert len(other.asked) >= len(first.asked)


def test_replies_that_cost_tokens_are_used_by_other_runs(setup: Setup, tmp_path: Path) -> None:
    cheap, dear = Fake(), Fake("v2")
    dear.costly = True
    for fake in (cheap, dear):
        whole = with_fake(setup, tmp_path, fake)
        execute(whole)
        fake.asked.clear()
        execute(replace(whole, config=Config(limit=3), questions=setup.questions[:3]))
    assert len(cheap.asked) > 1
    assert dear.asked == [("feedback?",)]  # the warming up


def test_a_crash_in_one_question_is_recorded_and_tried_again(setup: Setup, tmp_path: Path) -> None:
    run = execute(with_fake(setup, tmp_path, Fake(crash_on="varnish")))
    failed = [row for row in run.rows() if row.error]
    assert failed
    assert all(row.error == "RuntimeError: out of flowers" and row.answer is None for row in failed)
    assert run.meta["crashed"] == len(failed)
    assert run.values("readback")["right"]["single-001"] == 0.0
    healthy = Fake()
    assert execute(with_fake(setup, tmp_path, healthy)).meta["crashed"] == 0
    assert {turns[-1] for turns in healthy.asked} - {"feedback?"} == {row.turns[-1] for row in failed}


def test_an_interrupted_run_goes_on_where_it_stopped(setup: Setup, tmp_path: Path) -> None:
    stopped = Fake(stop_on="varnish of old violins")
    with pytest.raises(KeyboardInterrupt):
        execute(with_fake(setup, tmp_path, stopped))
    assert runs(tmp_path) == []
    rest = Fake()
    execute(with_fake(setup, tmp_path, rest))
    done = [turns for turns in stopped.asked if "varnish of old violins" not in turns[-1]]
    assert not set(done) & (set(rest.asked) - {("feedback?",)})
    assert len(runs(tmp_path)) == 1


def test_answers_survive_being_stored(setup: Setup) -> None:
    one = setup.systems[0].answer(["How many waggle dances were filmed?"])
    record = json.loads(json.dumps(one.to_dict()))
    assert answer_of({**record, "added_later": 1}) == one
    row = Row("readback", "x", "x", None, ("q",), one)
    assert Row.of(json.loads(json.dumps(row.to_dict()))) == row


def test_a_subset_has_all_kinds_and_few_questions_move_when_one_is_added(gold: Path) -> None:
    questions = load_gold("dev", folder=gold)
    some = choose(questions, 7)
    assert {one.kind for one in some} == {one.kind for one in questions}
    assert choose(tuple(reversed(questions)), 7) == some
    assert choose(questions, 0) == choose(questions, 99) == questions


def test_runs_are_found_by_the_beginning_of_their_id(setup: Setup, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="readback eval run"):
        find(tmp_path, "latest")
    run = execute(with_fake(setup, tmp_path, Fake()))
    other = execute(with_fake(setup, tmp_path, Fake("v2")))
    assert find(tmp_path, run.id) == find(tmp_path, run.id[:12]) == find(tmp_path, str(run.folder)) == run
    assert find(tmp_path, "latest") in (run, other)
    with pytest.raises(ResultsError, match="several"):
        find(tmp_path, "dev-")
    with pytest.raises(ResultsError, match="no run 'x'"):
        find(tmp_path, "x")
    with pytest.raises(ResultsError, match="no system 'bm25'"):
        run.values("bm25")


def test_a_damaged_run_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "test-1").mkdir()
    (tmp_path / "test-1" / "meta.json").write_text("{", encoding="utf-8")
    with pytest.raises(ResultsError, match="Run it again"):
        _ = Run(tmp_path / "test-1").meta


def test_a_system_that_cannot_run_is_refused_at_once(settings: Settings, gold: Path) -> None:
    config = Config(systems=("llamaindex-citations",))
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"), open_setup(config, settings, gold=gold, papers=PAPERS):
        pass
