"""Citation precision and recall: ALCE's cases one by one, and their properties."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics.citation import CitedSentence, citation_scores, cited_precision, cited_recall, shares_words

STEADY = settings(derandomize=True, deadline=None, max_examples=60)


def needs_all(claim: str, evidence: str) -> bool:
    """Support that a test can plan: every letter of the claim stands in the evidence."""
    return set(claim) <= set(evidence)


def scores(*sentences: tuple[str, tuple[str, ...]]) -> tuple[float, float]:
    result = citation_scores([CitedSentence(*sentence) for sentence in sentences], needs_all)
    return result.precision, result.recall


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ([], (0.0, 0.0)),  # silence
        ([("ab", ())], (0.0, 0.0)),  # nothing cited
        ([("ab", ("ab",))], (1.0, 1.0)),
        ([("ab", ("a",))], (0.0, 0.0)),  # does not support
        ([("ab", ("a", "b"))], (1.0, 1.0)),  # neither alone, but each is needed
        ([("ab", ("ab", "ab"))], (1.0, 1.0)),  # each alone
        ([("ab", ("ab", "x"))], (0.5, 1.0)),  # x is idle
        ([("ab", ("ab", "a"))], (0.5, 1.0)),  # a helps, but is not enough, nor needed
        ([("abc", ("ab", "bc", "x"))], (2 / 3, 1.0)),
        ([("abc", ("a", "b"))], (0.0, 0.0)),  # together not enough: none counts
        ([("ab", ("ab",)), ("cd", ("c",)), ("e", ())], (1 / 2, 1 / 3)),
    ],
)
def test_the_definitions_of_alce(sentences: list[tuple[str, tuple[str, ...]]], expected: tuple[float, float]) -> None:
    assert scores(*sentences) == pytest.approx(expected)


quotes = st.text(alphabet="abcx", min_size=1, max_size=3)
sentence = st.builds(
    CitedSentence, st.text(alphabet="abc", min_size=1, max_size=3), st.lists(quotes, max_size=3).map(tuple)
)
answers = st.lists(sentence, max_size=5)


@STEADY
@given(answer=answers, order=st.randoms(use_true_random=False))
def test_both_are_shares_and_blind_to_order(answer: list[CitedSentence], order: random.Random) -> None:
    result = citation_scores(answer, needs_all)
    shuffled = [CitedSentence(one.text, one.evidence[::-1]) for one in answer]
    order.shuffle(shuffled)
    assert 0.0 <= result.precision <= 1.0
    assert 0.0 <= result.recall <= 1.0
    again = citation_scores(shuffled, needs_all)
    assert (again.precision, again.recall) == pytest.approx((result.precision, result.recall))


@STEADY
@given(answer=answers.filter(bool), place=st.integers(0, 4))
def test_a_full_quote_more_never_lowers_recall(answer: list[CitedSentence], place: int) -> None:
    one = answer[place % len(answer)]
    better = [*answer]
    better[place % len(answer)] = CitedSentence(one.text, (*one.evidence, one.text))
    assert citation_scores(better, needs_all).recall >= citation_scores(answer, needs_all).recall


def test_quoting_the_sentence_itself_is_full_support() -> None:
    quote = "RAPL needs 5x less real human preference data."
    result = citation_scores([CitedSentence(f"{quote} [1]", (quote,))])
    assert (result.precision, result.recall) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("It reduces failures by 31.22%.", "failures were reduced by 31.22 percent", True),
        ("It reduces failures by 31.22%.", "failures were reduced by 1.22 percent", False),
        ("Feedback improves dense retrievers", "we improve the dense retriever with feedback", True),
        ("Feedback improves dense retrievers", "clicks improve product search", False),
        ("17 of them", "there were 17", True),
        ("And so it is.", "And so it is.", False),
        ("anything", "", False),
    ],
)
def test_the_word_check(claim: str, evidence: str, expected: bool) -> None:
    assert shares_words(claim, evidence) is expected


def test_the_share_can_be_asked_for() -> None:
    assert shares_words("alpha beta gamma delta", "alpha beta", share=0.5)
    assert not shares_words("alpha beta gamma delta", "alpha beta")


@STEADY
@given(words=st.lists(st.sampled_from(["alpha", "beta", "gamma", "7.5", "40%"]), min_size=1), more=st.text())
def test_more_evidence_never_takes_support_away(words: list[str], more: str) -> None:
    claim = " ".join(words)
    assert shares_words(claim, f"{claim} . {more.replace('[', '').replace(',', '')}")


def test_papers_cited_against_gold() -> None:
    gold = {"a": 2, "b": 2, "c": 1}
    assert cited_precision(["a", "c", "x", "a"], gold) == pytest.approx(2 / 3)
    assert cited_precision(["a", "c", "x"], gold, min_grade=2) == pytest.approx(1 / 3)
    assert cited_recall(["a", "c", "x"], gold) == 0.5
    assert cited_precision([], gold) == cited_recall([], gold) == 0.0
    with pytest.raises(ValueError, match="no gold paper"):
        cited_recall(["a"], {"a": 1})


@STEADY
@given(cited=st.sets(st.sampled_from("abcxyz")), more=st.sampled_from("abcxyz"))
def test_citing_more_papers_raises_recall_or_lowers_precision(cited: set[str], more: str) -> None:
    gold = {"a": 2, "b": 2, "c": 1}
    wider = cited | {more}
    assert 0.0 <= cited_recall(cited, gold) <= cited_recall(wider, gold) <= 1.0
    if more in gold:
        assert cited_precision(wider, gold) >= cited_precision(cited, gold)
    else:
        assert cited_precision(wider, gold) <= cited_precision(cited, gold)
