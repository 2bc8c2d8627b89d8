"""Attacks as they are written down: one JSON object a line, in ``data``. README.md says what a line holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).with_name("data")
Attack = dict[str, Any]


def attacks(name: str) -> list[Attack]:
    """The attacks of one file. Raises ValueError if two have one id."""
    lines = (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()
    found: list[Attack] = [json.loads(line) for line in lines if line.strip()]
    if len({one["id"] for one in found}) < len(found):
        raise ValueError(f"{name}.jsonl: an id is there twice")
    return found


def each(name: str) -> pytest.MarkDecorator:
    """Runs a test with every attack of a file."""
    return pytest.mark.parametrize("attack", attacks(name), ids=lambda attack: str(attack["id"]))
