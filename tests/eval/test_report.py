"""The page: complete, self-contained, and nothing in it is taken for HTML that is not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from eval.failures import Blame, tally
from eval.gold import GoldQuestion
from eval.graded import Graded
from eval.history import write_history
from eval.lab.blame import blame_run
from eval.report import GOLD_OUTPUTS, build, write_report
from eval.report.page import render
from eval.report.taxonomy import by_kind, findings, grow
from eval.results import Run
from eval.run import Setup, execute
from rag.types import Answer
from tests.eval.conftest import LINES, answer, question_of
from tests.eval.test_run import Fake

EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """What a page is made of; complains about elements that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            value or "" for key, value in attrs if key in {"src", "srcset"} or (tag == "link" and key == "href")
        ]
        assert not any(key.startswith("on") for key, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text.append(data)


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def run(setup: Setup) -> Run:
    """A run in which one question of Readback crashed; its failures are explained."""
    return execute(setup)


def test_the_report_is_one_file_that_loads_nothing(setup: Setup, run: Run, gold: Path) -> None:
    blame_run(setup, run)
    file = write_report(run, gold=gold)
    page = parsed(file.read_text("utf-8"))
    assert page.loads == []
    assert file.stat().st_size < 8_000_000
    words = " ".join(page.text)
    for text in ("Beside the baselines", "Strong and weak", "Knowing when not to answer", run.id, "llamaindex"):
        assert text in words
    assert page.tags.count("h1") == 1


def test_every_failure_is_there_with_its_stage(setup: Setup, tmp_path: Path, gold: Path) -> None:
    fake = replace(setup, home=tmp_path, systems=(Fake(crash_on="varnish"),))
    run = execute(fake)
    blames = blame_run(fake, run)
    wrong = {name for name, value in run.values("readback")["right"].items() if value < 1}
    assert {one.question_id for one in blames} == wrong
    assert sum(tally(blames).values()) == len(wrong)
    html = build(run, json.loads((gold / "split.json").read_text())["topics"])
    assert set(re.findall(r'id="failure-([^"]+)"', html)) == wrong
    assert "RuntimeError: out of flowers" in html
    again = [one.to_dict() for one in blame_run(fake, run)]
    assert again == [one.to_dict() for one in blames]  # from the file


def test_a_run_without_readback_and_without_failures_has_a_report(setup: Setup, tmp_path: Path) -> None:
    baseline = next(system for system in setup.systems if system.name == "bm25")
    asked = [one for one in setup.questions if one.id == "fact-001"]
    run = execute(replace(setup, home=tmp_path, systems=(baseline,), questions=tuple(asked)))
    html = build(run, {})
    assert parsed(html).loads == []
    assert "Replies that are not all right: 0" in html
    assert "The system in question: bm25" in html


def test_what_people_and_a_judge_say_is_in_the_report(setup: Setup, tmp_path: Path) -> None:
    run = execute(replace(setup, home=tmp_path, systems=(Fake(),)))
    assert "labels saved" not in build(run, {})
    line = {
        "what": "readback, right",
        "value": 0.61,
        "low": 0.5,
        "high": 0.7,
        "labels": 30,
        "verdicts": 99,
        "saved": 17.2,
    }
    run.put("estimates.jsonl", json.dumps(line) + "\n")
    words = " ".join(parsed(build(run, {})).text)
    assert "labels saved" in words
    assert "17" in words


def test_all_text_is_escaped(setup: Setup, tmp_path: Path) -> None:
    class Evil(Fake):
        def answer(self, turns: object) -> Answer:
            quote = "We filmed 412 waggle dances in a glass hive."
            found = answer(EVIL, papers=["bees"], quotes=[("bees", quote)])
            citation = replace(found.citations[0], title=EVIL, quote=EVIL)
            return replace(found, citations=(citation,), standalone_question=EVIL)

    questions = tuple(replace(one, note=EVIL, topic=EVIL) for one in setup.questions)
    papers = tuple(replace(paper, title=EVIL) for paper in setup.papers)
    config = replace(setup.config, name=EVIL)
    run = execute(replace(setup, home=tmp_path, systems=(Evil(),), questions=questions, papers=papers, config=config))
    html = build(run, {})
    page = parsed(html)
    assert "img" not in page.tags
    assert EVIL in " ".join(page.text)
    assert page.tags.count("script") == html.count("<script")
    assert "<script>alert" not in html


def test_a_failure_shows_what_is_needed_to_understand_it() -> None:
    question = question_of(LINES[4])
    reply = answer(
        "412 dances", papers=["bees", "owls"], quotes=[("bees", "We filmed 412 waggle dances in a glass hive.")]
    )
    blame = Blame("multi-001", 0.5, ("reranking", "reading"), 1.0, {"reranking": 0.5, "reading": 0.5})
    titles = {"bees": "Waggle dances", "tides": "Tides"}
    given = {"titles": titles, "gold_outputs": GOLD_OUTPUTS, "error": None}
    html = " ".join(render("failure.html", one=Graded(question, None, reply), blame=blame, **given).split())
    for text in ("✓ held", "✗ missing", "1 gold paper(s) not among the first ten", "Only together: reranking, reading"):
        assert text in html
    silent = render("failure.html", one=Graded(question_of(LINES[7]), None, reply), blame=None, **given)
    assert "Silence. Tempting: Tides." in silent
    assert "not examined" in silent


def many(weak: float, count: int = 60) -> tuple[list[GoldQuestion], dict[str, float]]:
    """Questions of two kinds in two topics; those of kind "fact" are answered worse by so much."""
    rng = np.random.default_rng(3)
    questions, scores = [], {}
    for number in range(count):
        kind = "fact" if number % 3 == 0 else "single"
        one = question_of(LINES[0], id=f"q{number:03}", kind=kind, topic="a" if number % 2 else "b")
        questions.append(one)
        scores[one.id] = float(np.clip(rng.normal(0.7 - weak * (kind == "fact"), 0.2), 0, 1))
    return questions, scores


def test_a_planted_weakness_is_found_and_noise_is_not() -> None:
    questions, scores = many(0.35)
    root = grow("all", questions, scores, by_kind({"a": "Alpha", "b": "Beta"}))
    assert [node.name for node in findings([root], "weak")][:1] == ["A number or a name"]
    assert all(node.name not in {"Alpha", "Beta"} or node.gap < 0 for node in findings([root], "weak"))
    questions, scores = many(0.0)
    calm = grow("all", questions, scores, by_kind({}))
    assert findings([calm], "weak") == findings([calm], "strong") == []
    depths = [depth for depth, _ in calm.walk()]
    assert depths[0] == 0
    assert max(depths) == 3
    assert sum(len(node.scores) for node in calm.children.values()) == 60


def test_false_findings_are_held_down() -> None:
    """Over many trees of pure noise, only few call anything strong or weak."""
    found = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        questions, _ = many(0.0)
        root = grow("all", questions, {one.id: float(rng.integers(0, 2)) for one in questions}, by_kind({}))
        found += bool(findings([root], "weak") or findings([root], "strong"))
    assert found <= 5  # 1.5 expected


def test_history_shows_full_runs_over_time(setup: Setup, tmp_path: Path) -> None:
    empty = write_history(tmp_path, "dev")
    assert "no full run yet" in empty.read_text("utf-8")
    for version in ("v1", "v2"):
        execute(replace(setup, home=tmp_path, systems=(Fake(version),)))
    execute(replace(setup, home=tmp_path, systems=(Fake(),), config=replace(setup.config, kinds=("fact",))))
    html = write_history(tmp_path, "dev").read_text("utf-8")
    assert parsed(html).loads == []
    assert "2 runs on the dev questions" in html
