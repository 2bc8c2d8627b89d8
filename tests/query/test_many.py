"""Whether several papers are asked for: learned, and better than guessing by words."""

from __future__ import annotations

import pytest

from eval.wording import CUT, cross_validated, fitted, labelled, matrix_of
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
    questions = labelled()
    guessed = cross_validated(questions) >= CUT
    truth = [many for _, many, _ in questions]
    right = sum(1 for said, many in zip(guessed, truth, strict=True) if said and many)
    assert right / guessed.sum() >= 0.8
    assert right / sum(truth) >= 0.8


def test_the_stored_model_is_the_fitted_one() -> None:
    assert fitted(labelled()) == MANY
    assert matrix_of(labelled()).shape[1] == len(fitted(labelled()).features)
