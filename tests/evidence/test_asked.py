"""What a question asks for, and which sentences hold such a thing."""

from __future__ import annotations

import pytest

from rag.evidence.asked import Asked, Kind, asked_for, held, phrase


@pytest.mark.parametrize(
    ("question", "kind", "units"),
    [
        ("How many nurses took part?", "count", "nurs took part"),
        ("How many engineers trained HY-Motion?", "count", "engin train"),
        ("How much did it cost per patient?", "number", ""),
        ("What accuracy does the larger one reach?", "number", "accuraci"),
        ("What's the batch size?", "number", "batch"),
        ("insulin pump trial dropout rate", "number", "rate"),
        ("Which language was it tested on?", "name", "languag"),
        ("On which datasets was it tested?", "name", "dataset"),
        ("Which two datasets did they use?", "names", "dataset"),
        ("What are the four benchmarks?", "names", "benchmark"),
        ("Who funded it?", "person", ""),
        ("When did the outbreak begin?", "time", ""),
        ("In which year did it end?", "time", ""),
        ("Where was it carried out?", "place", ""),
        ("It works, but where was it carried out?", "place", ""),
    ],
)
def test_a_quantity_or_a_name_is_asked_for(question: str, kind: Kind, units: str) -> None:
    assert asked_for(question) == Asked(kind, tuple(units.split()))


@pytest.mark.parametrize(
    "question",
    [
        "How does it work?",
        "Why do whales sing?",
        "whale songs in spring",
        "When a patient declines, can the trial go on?",  # a condition
        "How do you treat people who smoke?",
        "Does it help?",
        "",
    ],
)
def test_other_questions_ask_for_neither(question: str) -> None:
    assert asked_for(question) is None


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("How many nurses took part?", "We asked 120 nurses.", (True, True)),
        ("How many nurses took part?", "We asked twelve nurses.", (True, True)),
        ("How many nurses took part?", "Many nurses were asked for 20 days.", (True, False)),
        ("How many nurses took part?", "Many nurses were asked.", (False, False)),
        ("How many of the 120 nurses left?", "We asked 120 nurses.", (False, False)),  # known already
        ("What accuracy does it reach?", "It reaches an accuracy of 93 %.", (True, True)),
        ("What accuracy does it reach?", "It is 3 times faster.", (True, False)),
        ("What accuracy does it reach?", "Its accuracy is high.", (False, False)),
        ("When did it begin?", "It began in 1918.", (True, True)),
        ("Which datasets were used?", "We use two datasets.", (False, False)),
        ("Which datasets were used?", "We use datasets such as Iris.", (True, True)),
        ("Which datasets were used?", "We compare with Iris.", (True, False)),
        ("Which two datasets were used?", "Datasets: we use Iris.", (False, False)),
        ("Which two datasets were used?", "The datasets are Iris and Wine.", (True, True)),
        ("Which dataset is larger than Iris?", "A dataset larger than Iris was made.", (False, False)),
        ("Which dataset was made?", "We make PetalNet, a dataset.", (False, False)),  # the paper's own name
        ("Who led it?", "The trial was led by Florence Moore.", (True, True)),
    ],
)
def test_a_sentence_holds_it(question: str, sentence: str, expected: tuple[bool, bool]) -> None:
    asked = asked_for(question)
    assert asked is not None
    assert held(asked, sentence, "PetalNet for flowers", question) == expected


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many night nurses took part in it?", "how many night nurses"),
        ("How much sugar did they add?", "how much sugar"),
        ("What are the four benchmarks in the trial?", "four benchmarks"),
        ("And what's the licence of the data?", "licence"),
        ("Which backbone model was used?", "backbone model"),
        ("Who funded it?", None),
        ("Why do whales sing?", None),
    ],
)
def test_the_asked_for_thing_is_named_in_the_words_of_the_question(question: str, words: str | None) -> None:
    assert phrase(question) == words
