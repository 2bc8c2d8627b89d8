"""How often sentences are judged as a person judges them."""

from __future__ import annotations

import pytest

from eval.lab.planted import ATTACKS, SHIPPED, TRUE, judge, read_cases
from eval.lab.shelf import Shelf
from rag.policy import Policy
from rag.verify import EvidenceVerifier, State
from tests.verify.cases import CASES, SHORT


@pytest.fixture(scope="module")
def judged(shelf: Shelf) -> list[tuple[bool, State]]:
    """Of every hand-judged sentence: whether it is true, and what the verifier says."""
    verifier = EvidenceVerifier(shelf.embed, shelf.idf, Policy.default().verification)
    found = []
    for case in CASES:
        (verdict,) = verifier.verify([case.drafted], [shelf.source(SHORT[name]) for name in case.shown])
        found.append((case.supported, verdict.state))
    return found


def test_the_table_is_large_and_balanced() -> None:
    assert len({case.drafted for case in CASES}) == len(CASES) >= 80
    assert 0.4 <= sum(case.supported for case in CASES) / len(CASES) <= 0.6


# Measured: 45 of 46 true ones verified and none contradicted; 37 of 44 false ones not verified, 29 contradicted.
def test_true_sentences_are_verified_and_never_contradicted(judged: list[tuple[bool, State]]) -> None:
    states = [state for true, state in judged if true]
    assert states.count("verified") / len(states) >= 0.9
    assert states.count("contradicted") / len(states) <= 0.03


def test_false_sentences_are_not_verified(judged: list[tuple[bool, State]]) -> None:
    states = [state for true, state in judged if not true]
    assert states.count("verified") / len(states) <= 0.18


# Measured with the shipped papers alone: see ``python -m eval.lab.planted``.
def test_planted_errors_are_seen_and_their_true_twins_are_not_harmed(shelf: Shelf) -> None:
    cases = [case for case in read_cases() if case.collection == SHIPPED and case.author == "a"]
    states = {case: state for case, (state, _) in judge(cases, {SHIPPED: shelf}).items()}
    true = [state for case, state in states.items() if case.kind == TRUE]
    planted = [state for case, state in states.items() if case.kind != TRUE]
    assert true.count("verified") / len(true) >= 0.85
    assert true.count("contradicted") / len(true) <= 0.03
    assert planted.count("verified") / len(planted) <= 0.1
    assert planted.count("contradicted") / len(planted) >= 0.45


def test_the_errors_of_another_author_are_mostly_seen(shelf: Shelf) -> None:
    cases = [case for case in read_cases() if case.collection == SHIPPED and case.author == "c"]
    states = [(case.kind == TRUE, state) for case, (state, _) in judge(cases, {SHIPPED: shelf}).items()]
    true, planted = ([state for is_true, state in states if is_true == wanted] for wanted in (True, False))
    assert true.count("verified") / len(true) >= 0.75
    assert planted.count("verified") / len(planted) <= 0.35


def test_attacks_are_seen_and_their_true_twins_are_not_harmed(shelf: Shelf) -> None:
    judged = judge(read_cases(ATTACKS), {SHIPPED: shelf})
    true = [state for case, (state, _) in judged.items() if case.kind == TRUE]
    attacks = [state for case, (state, _) in judged.items() if case.kind != TRUE]
    assert len(attacks) > 100
    assert true.count("verified") / len(true) >= 0.9
    assert attacks.count("verified") / len(attacks) <= 0.18


def test_cases_are_well_formed() -> None:
    cases = read_cases()
    assert len({case.text for case in cases}) == len(cases) >= 200
    assert len({case.kind for case in cases}) > 10
