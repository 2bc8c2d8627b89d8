"""Feedback within a conversation: how much better its next answers rank.

    python -m eval.lab.converse

In the manner of *Exploiting Simulated User Feedback for Conversational Search* (ConvSim): somebody asks, says of the
papers that they look at whether they are useful (and errs 15 % of the time), and asks again, in the first words and in
others. Each is ranked with and without what was said before it, after one round of feedback and after three. A talk
begins with a wording that ranks no right paper first, for those are the people who go on. A question about another
matter in the same conversation must not suffer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eval.gold import GoldQuestion
from eval.lab.simulate import ERROR, UserNeed, split_needs
from eval.metrics.retrieval import ndcg
from rag.engine import Assistant
from rag.settings import Settings
from rag.types import Answer, Turn

LOOKED_AT = 3  # papers of each answer, from the top
ROUNDS = 3
ROWS = (
    ("one round, the same words again", "+16 %"),
    ("one round, other words", "+16 %"),
    ("three rounds, the first words again", "+35 %"),
    ("three rounds, other words", "+35 %"),
    ("another matter after three rounds", "0 %"),
)
USEFUL, USELESS = 0.7, -0.6  # as rag.learning.signals takes a vote of this kind


def quality(answer: Answer, gold: Mapping[str, int]) -> float:
    """nDCG@3 of the ranking."""
    return ndcg([paper.paper_id for paper in answer.retrieved], gold, LOOKED_AT)


def right_first(answer: Answer, gold: Mapping[str, int]) -> bool:
    """Whether a right paper is ranked first."""
    return bool(answer.retrieved) and answer.retrieved[0].paper_id in gold


def judged(answer: Answer, gold: Mapping[str, int], rng: np.random.Generator) -> Turn:
    """The turn with a vote on each of the first papers, some of them wrong."""
    said = []
    for paper in answer.retrieved[:LOOKED_AT]:
        right = (paper.paper_id in gold) != bool(rng.random() < ERROR)
        said.append((paper.paper_id, USEFUL if right else USELESS))
    return replace(Turn.of(answer), judged=tuple(said))


def converse(assistant: Assistant, need: UserNeed, other: GoldQuestion, rng: np.random.Generator) -> list[float] | None:
    """nDCG@3 without and with feedback, a pair for each of ``ROWS``.

    None where every wording finds a right paper at once.
    """
    shuffled = [[*need.seen, *need.unseen][i] for i in rng.permutation(len(need.seen) + len(need.unseen))]
    failing = next((text for text in shuffled if not right_first(assistant.ask(text), need.question.gold)), None)
    if failing is None:
        return None
    wordings = [failing, *(text for text in shuffled if text != failing)][: ROUNDS + 1]
    gold = need.question.gold
    history: list[Turn] = []
    found: list[float] = []
    for number, wording in enumerate(wordings):
        answer = assistant.ask(wording, history)
        if number in (1, len(wordings) - 1):
            found += _both(assistant, failing, history, gold) + _both(assistant, wording, history, gold)
        history.append(judged(answer, gold, rng))
    return found + _both(assistant, other.question, history, other.gold)


def _both(assistant: Assistant, text: str, history: Sequence[Turn], gold: Mapping[str, int]) -> list[float]:
    bare = [replace(turn, judged=()) for turn in history]
    return [quality(assistant.ask(text, turns), gold) for turns in (bare, history)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--data", type=Path, help="data folder with the shipped papers indexed; made anew without it")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=chosen.data or Path(folder), _env_file=None)  # type: ignore[call-arg]
        with Assistant.open(settings) as assistant:
            rows = np.array([row for seed in range(chosen.seeds) for row in _seed(assistant, seed)])
    for place, (name, goal) in enumerate(ROWS):
        before, after = rows[:, 2 * place].mean(), rows[:, 2 * place + 1].mean()
        print(f"{name:38} goal {goal:>6}: {before:.3f} → {after:.3f} ({after / before - 1:+.1%}), {len(rows)} talks")
    return 0


def _seed(assistant: Assistant, seed: int) -> list[list[float]]:
    needs, others = split_needs(seed)
    asked = [one for one in others if one.gold]
    rng = np.random.default_rng(seed)
    talks = (converse(assistant, need, asked[int(rng.integers(len(asked)))], rng) for need in needs)
    return [talk for talk in talks if talk is not None]


if __name__ == "__main__":
    sys.exit(main())
