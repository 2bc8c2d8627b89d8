"""Which sentence of a paper is said first: it depends on what is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import Assistant, Paper
from rag.settings import Settings

PAPER = Paper(
    "cranes",
    "Spotting Tired Crane Drivers",
    "Crane drivers make more errors late in a shift because their attention fades. "
    "Cameras were tried before, and drivers covered them. "
    "In this paper, we propose LEVERWATCH, which spots a tired driver. "
    "It listens to the joystick: a recurrent network compares each movement with the driver's first hour. "
    "In a trial at four harbours, it warned of 83% of the errors and improved safety significantly. "
    "Drivers said that they would keep it.",
)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    settings = Settings(data_dir=Path(tmp_path_factory.mktemp("cranes")))
    made = Assistant.open(settings)
    made.collection.index.update([PAPER])
    return made


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Why do crane drivers make errors late in their shift?", "attention fades"),
        ("What share of the crane drivers' errors is warned of?", "83%"),
        ("At how many harbours was it tried?", "four harbours"),
        ("Does spotting tired crane drivers improve safety?", "improved safety"),
        ("spotting tired crane drivers", "LEVERWATCH"),
    ],
)
def test_the_sentence_that_answers_comes_first(assistant: Assistant, question: str, said: str) -> None:
    (found,) = assistant.search(question, 1)
    assert said in found.best.text
