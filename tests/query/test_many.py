"""Whether several papers are asked for: learned, and better than guessing by words."""

from __future__ import annotations

import pytest

from eval.fit.many import Wordings
from rag.policy import Policy
from rag.query.many import wants_many

MANY = Policy.default().understanding.many


@pytest.mark.parametrize(
    "question",
    [
        "Which papers use contrastive learning?",
        "papers on protein folding",
        "What is there on graph neural networks?",
        "Any surveys on data augmentation?",
        "Find work about explainable recommendation.",
    ],
)
def test_lists_are_wanted(question: str) -> None:
    assert wants_many(question, MANY)


@pytest.mark.parametrize(
    "question",
    [
        "Which two datasets did they use?",
        "How does FlashRank work?",
        "What accuracy did BERT reach on SQuAD?",
        "What are the three stages of the pipeline?",
        "Which tasks was T5 evaluated on?",
    ],
)
def test_one_answer_is_wanted(question: str) -> None:
    assert not wants_many(question, MANY)


def test_held_out_questions_are_mostly_right() -> None:
    wordings = Wordings.read()
    said = wordings.held_out()
    right = (said & wordings.truth).sum()
    assert right / said.sum() >= 0.85
    assert right / wordings.truth.sum() >= 0.85


def test_the_policy_holds_the_fitted_model() -> None:
    assert Wordings.read().fitted() == MANY
