"""The gate lets a better candidate through, prunes what loses, and refuses the rest; the watch rings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from eval.gold import load_gold
from rag.learning.gate import Ask, Lesson, check, check_and_prune, compare_lessons
from rag.learning.probes import Probe, accepted, load_probes, probes_for
from rag.learning.run import held_out_people
from rag.learning.signals import Outcome, Task
from rag.learning.watch import watch
from rag.policy.memory import Memory, Need, encode
from rag.types import Answer, Paper, RetrievedPaper
from tests.learning.fakes import Log

PROBES = [Probe(f"q{n}", "single", f"question {n}", {f"right-{n}": 2}) for n in range(10)]
PROBES += [Probe(f"u{n}", "unanswerable", f"unknown {n}", {}) for n in range(6)]


def system(rankings: Mapping[str, list[str]], used: Mapping[str, list[str]] | None = None) -> Ask:
    """Answers by a table; what is not in it is refused."""

    def ask(question: str) -> Answer:
        papers = rankings.get(question, [])
        trace = {"stages": {"recall": {"used": [{"id": name} for name in (used or {}).get(question, ())]}}}
        return Answer(
            id="x",
            question=question,
            standalone_question=question,
            text=" ".join(papers),
            abstained=not papers,
            abstain_reason=None,
            sentences=(),
            citations=(),
            retrieved=tuple(RetrievedPaper(rank, paper, paper, 1.0) for rank, paper in enumerate(papers, start=1)),
            mode="extractive",
            model=None,
            verdict="answered" if papers else "refused",
            trace=trace,
        )

    return ask


ACTIVE = {f"question {n}": [f"right-{n}"] if n < 5 else ["wrong", f"right-{n}"] for n in range(10)}


def test_a_better_candidate_passes() -> None:
    better = {**ACTIVE, "question 7": ["right-7", "wrong"]}
    verdict = check(system(ACTIVE), system(better), PROBES)
    assert verdict.passed, verdict.reasons
    assert verdict.by_kind["single"][1] > 0
    assert verdict.by_kind["unanswerable"] == (6, 0.0)


def test_a_loss_of_one_kind_is_not_made_up_for_by_another() -> None:
    worse = {**ACTIVE, **{f"question {n}": [f"right-{n}"] for n in range(10)}, "unknown 1": ["wrong"]}
    verdict = check(system(ACTIVE), system(worse, {"unknown 1": ["bad need"]}), PROBES)
    assert not verdict.passed
    assert "unanswerable" in verdict.reasons[0]
    assert verdict.guilty == {"bad need"}


def test_questions_about_other_matters_must_not_change_at_all() -> None:
    verdict = check(system(ACTIVE), system({**ACTIVE, "does caffeine improve memory": ["wrong"]}), PROBES)
    assert not verdict.passed
    assert verdict.moved == 1


def test_what_loses_is_pruned_and_the_rest_passes() -> None:
    vector = encode(np.eye(1, 4, dtype=np.float32))
    memory = Memory((Need("good", ("a",), vector), Need("bad", ("b",), vector)))

    def candidate_of(kept: Memory) -> Ask:
        names = {need.id for need in kept.items}
        table = dict(ACTIVE)
        if "good" in names:
            table["question 7"] = ["right-7"]
        if "bad" in names:
            table["question 1"] = ["wrong"]
        return system(table, {"question 1": ["bad"]})

    kept, verdict = check_and_prune(system(ACTIVE), candidate_of, memory, PROBES)
    assert verdict.passed
    assert [need.id for need in kept.items] == ["good"]


def test_a_candidate_that_people_who_did_not_teach_it_do_not_confirm_is_refused() -> None:
    lessons = [Lesson(f"question {n}", frozenset({f"right-{n}"})) for n in range(10)]
    worse = {question: ["wrong", *papers] for question, papers in ACTIVE.items()}
    passed = check(system(ACTIVE), system(ACTIVE), PROBES)
    assert passed.with_lessons(compare_lessons(system(ACTIVE), system(ACTIVE), lessons)).passed
    assert not passed.with_lessons(compare_lessons(system(ACTIVE), system(worse), lessons)).passed


def test_the_shipped_probes_are_development_questions_and_fit_only_their_collection() -> None:
    development = {one.id: one for one in load_gold("dev")}
    papers = {paper for one in development.values() for paper in one.gold}
    probes = load_probes(papers)
    assert len(probes) > 100
    assert {probe.id for probe in probes} <= set(development)
    assert load_probes({"somebody else's paper"}) == []


def test_another_collection_is_asked_for_its_own_titles_sentences_and_accepted_questions() -> None:
    papers = [
        Paper(f"moss-{n}", f"Mosses of valley {n}", f"We walked. We counted {n} mosses. It rained.") for n in range(8)
    ]
    probes = probes_for(papers)
    assert len(probes) == 16
    assert {probe.kind for probe in probes} == {"title", "sentence"}
    assert all(next(iter(probe.gold)) in probe.id for probe in probes)
    assert "We counted 3 mosses." in {probe.question for probe in probes}


def test_what_people_agreed_to_accept_is_asked_again() -> None:
    log = Log()
    for person in ("ann", "bob"):
        log.ask(person, "c", "which mosses grow there", cited=["moss-1"])
        log.ask(person, "c", "which ferns grow there", cited=["moss-2"])
    log.ask("cid", "c", "which lichens grow there", cited=["moss-3"])
    values = (1.0, 1.0, 1.0, -1.0, 1.0)
    tasks = [Task([Outcome(one, value)]) for one, value in zip(log.asked, values, strict=True)]
    [probe] = accepted(tasks)
    assert (probe.question, probe.gold) == ("which mosses grow there", {"moss-1": 2})


def test_people_held_out_are_the_same_every_time_and_nobody_where_there_are_few() -> None:
    log = Log()
    for n in range(50):
        log.ask(f"person {n}", "c", "a question")
    held = held_out_people(log.asked)
    assert 3 < len(held) < 20
    assert held_out_people(log.asked) == held
    assert held_out_people(log.asked[:8]) == set()


def needs(count: int, paper: str | None, rewrite: str = "better") -> Memory:
    vector = encode(np.eye(1, 4, dtype=np.float32))
    return Memory(
        tuple(
            Need(str(n), (f"q{n}",), vector, rewrite=rewrite, relevance={paper or f"p{n}": 0.9}) for n in range(count)
        )
    )


def alarms(before: Memory, after: Memory, log: Log | None = None) -> list[str]:
    return [one.name for one in watch((log or Log()).asked, [], before, after) if one.alarm]


def test_the_watch_rings_when_one_paper_is_promoted_for_everything() -> None:
    assert alarms(Memory(), needs(30, None)) == []
    assert alarms(Memory(), needs(30, "bait")) == ["concentration of exposure"]
    assert alarms(Memory(), needs(5, "bait")) == [], "five needs say nothing"


def test_the_watch_rings_when_rewrites_turn_over_or_everything_is_touched() -> None:
    old = needs(30, None)
    assert alarms(old, needs(30, None, "another")) == ["drift of rewrites"]
    log = Log()
    for n in range(300):
        log.ask(f"u{n}", "c", "q", searched="better")
    assert alarms(old, old, log) == ["share of answers touched"]
    assert alarms(old, replace(old)) == []
