"""The chain finds the wording that ends well, and keeps finding it when its own rewrites fill the log."""

from __future__ import annotations

import numpy as np
import pytest

from eval.lab.drift import rounds_with_the_right_rewrite
from rag.learning.needs import Needs
from rag.learning.rewrites import Rewrite, learn_rewrites, probability_better
from rag.learning.signals import Outcome, Task
from tests.learning.fakes import Log

VAGUE, DETOUR, CLEAR, OTHER = "vague wording", "detour wording", "clear wording", "other need"
TEXTS = (VAGUE, DETOUR, CLEAR, OTHER)
NEEDS = Needs(TEXTS, {text: number for number, text in enumerate(TEXTS)}, tuple((text,) for text in TEXTS))


def task(person: str, *steps: tuple[str, float], searched: str | None = None) -> Task:
    """A person's wordings with how each ended."""
    log = Log()
    return Task([Outcome(log.ask(person, "c", text, searched=searched), value) for text, value in steps])


def by_need(found: list[Rewrite]) -> dict[int, str]:
    return {one.need: one.text for one in found}


def test_a_known_absorbing_answer_is_found_though_nobody_took_the_whole_path() -> None:
    tasks = [task(f"a{n}", (VAGUE, -0.5), (DETOUR, -0.5)) for n in range(6)]
    tasks += [task(f"b{n}", (DETOUR, -0.5), (CLEAR, 1.0)) for n in range(6)]
    tasks += [task(f"c{n}", (OTHER, 1.0)) for n in range(6)]
    found = by_need(learn_rewrites(tasks, NEEDS, {}))
    assert found == {0: CLEAR, 1: CLEAR}


def test_one_person_counts_once_however_often_they_repeat_themselves() -> None:
    honest = [task(f"a{n}", (VAGUE, -0.5), (CLEAR, 1.0)) for n in range(3)]
    flood = [task("poisoner", (VAGUE, -0.5), (OTHER, 1.0)) for _ in range(500)]
    assert by_need(learn_rewrites([*honest, *flood], NEEDS, {}))[0] == CLEAR


def test_who_has_lost_all_credit_teaches_nothing() -> None:
    tasks = [task(f"bad{n}", (VAGUE, -0.5), (OTHER, 1.0)) for n in range(5)]
    assert learn_rewrites(tasks, NEEDS, {f"bad{n}": 0.0 for n in range(5)}) == []


def test_a_wording_that_ends_well_by_itself_is_left_alone() -> None:
    tasks = [task(f"a{n}", (CLEAR, 1.0)) for n in range(20)] + [task("b", (CLEAR, -0.5), (OTHER, 1.0))]
    assert 2 not in by_need(learn_rewrites(tasks, NEEDS, {}))


def test_a_live_rewrite_that_stops_winning_is_retired() -> None:
    taught = [task(f"a{n}", (VAGUE, -0.5), (CLEAR, 1.0)) for n in range(4)]
    assert by_need(learn_rewrites(taught, NEEDS, {})) == {0: CLEAR}
    failing = [task(f"live{n}", (VAGUE, -1.0), searched=CLEAR) for n in range(30)]
    assert learn_rewrites([*taught, *failing], NEEDS, {}) == []


def test_over_twenty_rounds_the_naive_chain_drifts_and_the_aware_one_does_not() -> None:
    aware, naive = (
        [rounds_with_the_right_rewrite(seed, aware=learner) for seed in range(5)] for learner in (True, False)
    )
    assert min(aware) == 1.0
    assert np.mean(naive) < 0.97


@pytest.mark.parametrize(
    ("first", "second", "expected"), [((0, 0), (0, 0), 0.5), ((1, 0), (0, 0), 2 / 3), ((1, 0), (0, 1), 5 / 6)]
)
def test_the_comparison_of_two_rates_is_that_of_their_beta_posteriors(
    first: tuple[float, float], second: tuple[float, float], expected: float
) -> None:
    assert probability_better(first, second) == pytest.approx(expected, abs=1e-3)
