"""Fitting the default policy: what may be read, what counts how much, and which numbers come out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.fit.answerability import INVENTED, OTHERS, Examples, fit_answerability
from eval.fit.lists import Candidates, fit_lists
from eval.fit.models import cross_validate, fit, need_weights
from eval.fit.questions import OWN, Labelled, contrasting, contrasting_abstracts, others, own, strangers
from eval.fit.ranking import TRIED, choose_shares
from eval.gold import GOLD, load_gold
from rag.evidence.answerability import COSINES, FEATURES, FIELD, decide
from rag.types import Paper

SPLIT = GOLD / "split.json"


def test_our_test_questions_are_never_read() -> None:
    hidden = {one.id for one in load_gold("test")}
    needs = {one.need for one in own([]).questions}
    assert len(needs) > 250
    assert not needs & hidden
    splits = json.loads(SPLIT.read_text(encoding="utf-8"))["papers"]
    contrasted = contrasting([Paper(one, "", "") for one in splits], "contrast").questions
    assert len(contrasted) > 300
    assert {splits[one.need]["split"] for one in contrasted} == {"dev"}


def test_each_need_counts_once() -> None:
    weights = need_weights(["a", "b", "a", "a"])
    assert weights.tolist() == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3])


def test_cross_validation_keeps_phrasings_together() -> None:
    """Twenty needs, each with a sign of its own: nothing is to be learned for a need that was not seen."""
    needs = [f"need {place // 2}" for place in range(40)]
    truth = np.array([place // 2 % 2 == 0 for place in range(40)])
    rows = np.eye(20)[np.arange(40) // 2]
    guessed = cross_validate(rows, truth, needs, np.ones(40), 100.0)
    assert np.all(np.abs(guessed - 0.5) < 0.2)
    seen = fit(rows, truth, np.ones(40), 100.0, [f"sign {place}" for place in range(20)])
    assert np.array_equal(seen.probabilities(rows) > 0.5, truth)


def examples(name: str, shift: float, seed: int) -> Examples:
    """A collection where one sign tells the answerable, and another what is off topic."""
    random = np.random.default_rng(seed)
    questions = tuple(
        Labelled(str(place), "", answerable=place % 3 == 0, in_field=place % 3 != 2) for place in range(300)
    )
    rows = random.normal(size=(300, len(FEATURES)))
    answers = np.array([one.answerable for one in questions])
    inside = np.array([one.in_field for one in questions])
    rows[:, FEATURES.index("margin")] += np.where(answers, 2.0, -2.0) + shift
    rows[:, FEATURES.index("coverage")] += np.where(inside, 3.0, -3.0)
    return Examples(name, questions, rows)


def test_the_cuts_hold_their_promise() -> None:
    ours = examples(OWN, 0.0, 0)
    fitted, report = fit_answerability([ours, examples("others", 0.5, 1)])
    assert fitted.model.features == FEATURES
    assert fitted.field.features == FIELD
    answer, field = (
        model.probabilities(ours.rows[:, [FEATURES.index(one) for one in model.features]])
        for model in (fitted.model, fitted.field)
    )
    bands = np.array([decide(sure, about, fitted) for sure, about in zip(answer, field, strict=True)])
    unanswerable = np.array([one.in_field and not one.answerable for one in ours.questions])
    stranger = np.array([not one.in_field for one in ours.questions])
    assert np.mean(bands[unanswerable] == "answered") <= INVENTED + 0.05
    assert np.mean(bands[stranger] == "refused") > 0.9
    assert any("others, left out" in line for line in report)


def test_another_embedder_gets_no_cosines() -> None:
    fitted, _ = fit_answerability([examples(OWN, 0.0, 0), examples("others", 0.5, 1)], COSINES)
    assert not {*fitted.model.features, *fitted.field.features} & set(COSINES)


def test_other_collections_count_less_than_ours() -> None:
    """The other collection says the opposite of ours, and does not win."""
    ours, theirs = examples(OWN, 0.0, 0), examples("others", 0.0, 1)
    theirs.rows[:, FEATURES.index("margin")] *= -1
    fitted, _ = fit_answerability([ours, theirs])
    assert OTHERS < 1
    assert fitted.model.weights[FEATURES.index("margin")] > 0


def test_shares_are_chosen_by_the_mean_over_collections() -> None:
    first, second, *rest = TRIED
    scores = {
        "a": {first: 0.9, second: 0.8, **dict.fromkeys(rest, 0.1)},
        "b": {first: 0.1, second: 0.8, **dict.fromkeys(rest, 0.1)},
        "c": {first: 0.9, second: 0.8, **dict.fromkeys(rest, 0.1)},
    }
    best, report = choose_shares(scores)
    assert best == second
    assert "b: nDCG@10 0.8000; chosen without it 0.1000; best for it alone 0.8000" in report[2]


def write(folder: Path, corpus: list[dict[str, object]], qa: list[dict[str, object]]) -> None:
    folder.mkdir()
    for name, records in (("corpus.jsonl", corpus), ("qa.jsonl", qa)):
        (folder / name).write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")


def test_other_collections_are_read_without_their_test_questions(tmp_path: Path) -> None:
    corpus: list[dict[str, object]] = [{"_id": "1", "title": "", "text": "Sleep helps."}]
    asked: dict[str, object] = {"_id": "q", "question": "Does sleep help?", "doc_ids": ["1"]}
    write(tmp_path / "pubmedqa", corpus, [{**asked, "split": "train"}, {**asked, "_id": "t", "split": "test"}])
    claim: dict[str, object] = {"_id": "c", "claim": "Sleep helps.", "cited_doc_ids": ["1"]}
    labelled = {**claim, "split": "train", "label": "SUPPORT"}
    write(tmp_path / "scifact", corpus, [labelled, {**claim, "_id": "t", "split": "test", "label": "SUPPORT"}])
    pubmedqa, scifact = others(tmp_path, 10)
    assert [(one.need, one.answerable, one.hidden) for one in pubmedqa.questions] == [
        ("q", True, False),
        ("q", False, True),
    ]
    assert pubmedqa.questions[1].options.exclude == {"1"}  # what answers it is not there to be found
    assert [one.need for one in scifact.questions] == ["c"]
    assert not strangers(scifact, [scifact, pubmedqa], 10)  # one field
    ours = own([])
    found = strangers(ours, [ours, scifact, pubmedqa], 10)
    assert {one.text for one in found} == {"Does sleep help?", "Sleep helps."}
    assert not any(one.in_field or one.answerable for one in found)


def test_contrasting_questions_are_asked_of_the_abstracts_they_are_about(tmp_path: Path) -> None:
    corpus: list[dict[str, object]] = [{"_id": one, "title": "", "text": "Sleep helps."} for one in ("1", "5", "6")]
    write(tmp_path / "scifact", corpus, [])
    file = tmp_path / "questions.jsonl"
    asked_of = ("2", "5")  # the cross-encoder is trained on what is asked of the first
    line = '{{"paper": "{}", "question": "What helps?", "answerable": true}}\n'
    file.write_text("".join(line.format(one) for one in asked_of), encoding="utf-8")
    (asked,) = contrasting_abstracts(tmp_path, file)
    assert [paper.id for paper in asked.papers] == ["5"]
    assert [(one.need, one.gold, one.answerable) for one in asked.questions] == [("5", ("5",), True)]
    assert not list(contrasting_abstracts(tmp_path / "elsewhere", file))


def test_a_list_learns_which_of_its_features_tell() -> None:
    template = load_gold("dev", ["list"])[0]
    lists = [
        Candidates(
            replace(template, id=str(number), gold={"right": 2}),
            ("wrong", "right", "other"),
            ([0.9, 0.1, 0.1, 0.0, 5.0], [0.8, 0.9, 0.1, 0.0, 5.0], [0.9, 0.2, 0.1, 0.0, 5.0]),
        )
        for number in range(20)
    ]
    model, report = fit_lists(lists, 3)
    assert dict(zip(model.features, model.weights, strict=True))["closeness"] > 0
    assert report.endswith("F1 1.000")
