"""Two runs, question by question: a planted difference of three points is told, noise is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.compare import Side, cautions, compare_values, comparison_table
from eval.results import ResultsError
from eval.run import Setup, execute
from tests.eval.test_run import Fake


def values(shift: float, seed: int, questions: int = 400) -> dict[str, dict[str, float]]:
    """Scores of a system; systems share how hard each question is."""
    hard = np.random.default_rng(0).uniform(0.2, 0.8, questions)
    noise = np.random.default_rng(seed).normal(shift, 0.08, questions)
    return {"right": {f"q{number}": float(score) for number, score in enumerate(hard + noise)}}


def test_a_planted_difference_of_three_points_is_told_from_noise() -> None:
    better = compare_values(values(0.0, 1), values(0.03, 2))["right"]
    assert better.verdict == "better"
    assert better.questions_needed is not None
    assert better.questions_needed < 400
    same = compare_values(values(0.0, 1), values(0.0, 3))["right"]
    assert same.verdict == "cannot tell"
    text = comparison_table({"right": better})
    assert "better" in text
    assert "questions needed" in text


def test_lower_is_better_where_it_is() -> None:
    old = {"false_answers": {f"q{number}": 1.0 for number in range(12)}, "length": {"q1": 3.0}}
    new = {"false_answers": {f"q{number}": 0.0 for number in range(12)}, "length": {"q1": 9.0}}
    found = compare_values(old, new)
    assert found["false_answers"].verdict == "better"
    assert "length" not in found  # neither long nor short is better


def test_only_questions_in_common_are_compared() -> None:
    found = compare_values({"right": {"a": 0.0, "b": 1.0}}, {"right": {"b": 1.0, "c": 0.0}, "ndcg@10": {"a": 1.0}})
    assert found["right"].questions == 1
    assert list(found) == ["right"]


def test_sides_are_named_and_doubts_are_said(setup: Setup, tmp_path: Path) -> None:
    first = execute(replace(setup, home=tmp_path, systems=(Fake("v1"),)))
    second = execute(replace(setup, home=tmp_path, systems=(Fake("v2"),), gold="other", papers=setup.papers[:5]))
    one, other = Side.of(tmp_path, first.id), Side.of(tmp_path, f"{second.id}:readback")
    assert str(other) == f"{second.id}:readback"
    assert one.values.keys() == other.values.keys()
    assert cautions(one, one) == []
    assert len(cautions(one, other)) == 2
    with pytest.raises(ResultsError, match="no system"):
        _ = Side.of(tmp_path, f"{first.id}:bm26").values
