"""Floors hold what was reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.floors import FLOORS, broken, read_floors
from eval.summary import Figure
from rag.errors import SettingsError


def figures(**values: float) -> dict[str, Figure]:
    return {name: Figure(value, 0.0, 1.0, 10) for name, value in values.items()}


def test_the_shipped_floors_can_be_read() -> None:
    assert FLOORS.is_file()
    assert {floor.measure for floor in read_floors("full")} >= {"recall@10", "quote_exactness"}
    assert read_floors("fast")


def test_what_is_below_a_floor_or_above_a_ceiling_is_named(tmp_path: Path) -> None:
    file = tmp_path / "floors.toml"
    file.write_text("[full.right]\nmin = 0.5\n[full.false_answers]\nmax = 0.2\n[fast]\n", encoding="utf-8")
    assert broken(figures(right=0.5, false_answers=0.2), "full", file) == []
    assert broken(figures(right=0.4, false_answers=0.3), "full", file) == [
        "right is 0.400, below its floor 0.5",
        "false_answers is 0.300, above its ceiling 0.2",
    ]
    assert broken(figures(right=1.0), "full", file) == ["false_answers was not measured, and has a floor"]
    assert broken({}, "fast", file) == []


@pytest.mark.parametrize(
    "text", ["[full.speed]\nmin = 1\n", "[full.right]\n", "[full.right]\nleast = 1\n", "[fast]\n", "x", "full = 3"]
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "floors.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="floors"):
        read_floors("full", file)
