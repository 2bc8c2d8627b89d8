"""From what people did to tasks, blame and signals on papers."""

from __future__ import annotations

import pytest

from rag.learning.learn import Learner
from rag.learning.signals import PaperSignal, Signals, gather
from rag.learning.turns import KINDS, TurnClassifier, load_examples
from tests.learning.fakes import NOW, Log, WordEmbedder

KNOWN = frozenset({"p1", "p2", "p3", "p4"})


@pytest.fixture(scope="module")
def classifier() -> TurnClassifier:
    return TurnClassifier(WordEmbedder(), load_examples())


def found(log: Log, classifier: TurnClassifier) -> Signals:
    return gather(log.asked, classifier, KNOWN)


def signals(log: Log, classifier: TurnClassifier) -> set[tuple[str, str, str]]:
    return {(one.text, one.paper, one.kind) for one in found(log, classifier).papers}


def test_what_a_rewording_found_teaches_the_first_wording_too(classifier: TurnClassifier) -> None:
    log = Log()
    log.ask("ann", "c1", "vague words", cited=["p1"], said=[("rephrase", "clear words")])
    log.ask("ann", "c1", "clear words", cited=["p2"], said=[("answered", "yes")])
    assert {("vague words", "p2", "accepted"), ("clear words", "p2", "accepted")} <= signals(log, classifier)
    [task] = found(log, classifier).tasks
    assert [one.value for one in task.outcomes] == [-0.7, 1.0]
    assert task.outcomes[0].blame == "retrieval"


def test_a_rewording_is_followed_into_another_conversation_of_the_same_person(classifier: TurnClassifier) -> None:
    log = Log()
    log.ask("ann", "c1", "vague words", cited=["p1"], said=[("rephrase", "clear words")])
    log.ask("bob", "c2", "clear words", cited=["p3"], said=[("answered", "yes")])
    log.ask("ann", "c3", "clear words", cited=["p2"], said=[("answered", "yes")])
    assert ("vague words", "p2", "accepted") in signals(log, classifier)
    assert ("vague words", "p3", "accepted") not in signals(log, classifier)


@pytest.mark.parametrize(
    ("first", "blame"),
    [
        ({"refused": True, "papers": ["p2", "p1"]}, "refusal"),
        ({"refused": True, "papers": ["p3"]}, "retrieval"),
        ({"cited": ["p1"], "papers": ["p1", "p2"]}, "retrieval"),
        ({"cited": ["p2"]}, "selection"),
        ({"cited": ["p2"], "said": [("reason", "too_long")]}, "wording"),
        ({"cited": ["p1"], "said": [("reason", "wrong_paper", "p9")]}, "missing_paper"),
    ],
)
def test_the_stage_that_failed_is_blamed(first: dict[str, object], blame: str, classifier: TurnClassifier) -> None:
    log = Log()
    said = [*first.pop("said", ()), ("rephrase", "clear words")]  # type: ignore[misc]
    log.ask("ann", "c1", "vague words", **first, said=said)  # type: ignore[arg-type]
    log.ask("ann", "c1", "clear words", cited=["p2"], said=[("answered", "yes")])
    [task] = found(log, classifier).tasks
    assert task.outcomes[0].blame == blame


def test_a_named_paper_is_missed_unless_the_answer_quotes_it(classifier: TurnClassifier) -> None:
    log = Log()
    said = [("reason", "wrong_paper", "p1"), ("reason", "wrong_paper", "p4")]
    log.ask("ann", "c1", "a question", cited=["p1"], said=said)  # type: ignore[arg-type]
    assert {("a question", "p1", "wrong"), ("a question", "p4", "named")} <= signals(log, classifier)


def test_only_the_strongest_engagement_with_a_paper_counts(classifier: TurnClassifier) -> None:
    log = Log()
    said = [("open", None, "p2"), ("dwell", 30.0, "p2"), ("evidence", "useful", "p2"), ("open", None, "p3")]
    log.ask("ann", "c1", "a question", cited=["p1", "p2", "p3"], said=said)  # type: ignore[arg-type]
    assert signals(log, classifier) == {
        ("a question", "p1", "accepted"),
        ("a question", "p2", "useful"),
        ("a question", "p3", "accepted_beside"),
    }


def test_a_signal_remembers_where_the_paper_was_seen(classifier: TurnClassifier) -> None:
    log = Log()
    log.ask("ann", "c1", "a question", cited=["p1", "p2", "p3"], said=[("open", None, "p3")])
    [opened] = found(log, classifier).papers
    assert isinstance(opened, PaperSignal)
    assert (opened.kind, opened.place) == ("opened", 3)


def test_what_was_opened_in_vain_speaks_for_nothing(classifier: TurnClassifier) -> None:
    log = Log()
    log.ask("ann", "c1", "a question", cited=["p1"], said=[("open", None, "p1"), ("answered", "no")])
    assert all(kind != "opened" for _, _, kind in signals(log, classifier))


def test_turns_in_words_are_mined(classifier: TurnClassifier) -> None:
    log = Log()
    log.ask("ann", "c1", "papers on apple", cited=["p1"])
    log.ask("ann", "c1", "no, I meant the fruit, not the company", cited=["p2"])
    log.ask("bob", "c2", "speech recognition for children", cited=["p1"])
    log.ask("bob", "c2", "great, thanks", cited=["p1"])
    mined = found(log, classifier).mined
    assert mined["correction"] == 1
    assert mined["praise"] == 1
    assert set(mined) == set(KINDS)
    ended = {one.asked.text: one.value for task in found(log, classifier).tasks for one in task.outcomes}
    assert ended["papers on apple"] < 0 < ended["speech recognition for children"]
    assert "great, thanks" not in ended


def learner() -> Learner:
    return Learner(WordEmbedder(), KNOWN, lambda paper: [f"The sentence of {paper}.", "It removes position bias."])


def test_a_history_becomes_a_memory_that_says_why() -> None:
    log = Log()
    for person in ("ann", "bob", "cid"):
        log.ask(person, f"c-{person}", "vague words", cited=["p1"], said=[("rephrase", "clear words here")])
        log.ask(person, f"c-{person}", "clear words here", cited=["p2"], said=[("answered", "yes")])
    memory = learner().learn(log.asked, NOW).memory
    vague = next(need for need in memory.items if "vague words" in need.texts)
    assert vague.relevance["p2"] > 0.5
    assert vague.relevance["p1"] < 0
    assert vague.rewrite == "clear words here"
    assert vague.quotes["p2"]["The sentence of p2."] > 0.5
    assert vague.answerable > 0.5
    assert vague.people == 3
    assert vague.why.startswith("3 people: 1 paper found right")


def test_what_only_one_person_taught_is_gone_without_them() -> None:
    log = Log()
    log.ask("ann", "c1", "a question of ann", cited=["p1"], said=[("answered", "yes")])
    log.ask("bob", "c2", "another thing bob wants", cited=["p2"], said=[("answered", "yes")])
    rest = [one for one in log.asked if one.person != "ann"]
    texts = {text for need in learner().learn(rest, NOW).memory.items for text in need.texts}
    assert texts == {"another thing bob wants"}


def test_an_edited_answer_is_the_example_and_points_to_the_sentences_it_says() -> None:
    log = Log()
    said = [("edit", "It removes the position bias of clicks.")]
    log.ask("ann", "c1", "a question", cited=["p1"], said=said)  # type: ignore[arg-type]
    [need] = learner().learn(log.asked, NOW).memory.items
    assert need.example == "It removes the position bias of clicks."
    assert need.quotes["p1"]["It removes position bias."] > 0


def test_an_accepted_refusal_speaks_against_an_answer() -> None:
    log = Log()
    log.ask("ann", "c1", "what is not here", refused=True, papers=["p1"], said=[("answered", "yes")])
    [need] = learner().learn(log.asked, NOW).memory.items
    assert need.answerable < 0
    assert "nothing here answers it" in need.why
