"""Measures of an answer's text and quotes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics.answer import answer_length, fact_coverage, quote_exactness

STEADY = settings(derandomize=True, deadline=None, max_examples=60)

FACTS = (("ANCE-PRF",), ("7,008", "about 7000"), ("28%",))
words = st.lists(st.sampled_from(["ANCE-PRF", "7008", "28%", "nothing", "128%", "[1]"])).map(" ".join)


@STEADY
@given(text=words, more=words)
def test_coverage_is_a_share_that_more_text_cannot_lower(text: str, more: str) -> None:
    assert 0.0 <= fact_coverage(text, FACTS) <= fact_coverage(f"{text} {more}", FACTS) <= 1.0


@STEADY
@given(order=st.permutations(FACTS), text=words)
def test_the_order_of_the_facts_does_not_matter(order: list[tuple[str, ...]], text: str) -> None:
    assert fact_coverage(text, order) == fact_coverage(text, FACTS)


def test_coverage_counts_facts_not_forms() -> None:
    assert fact_coverage("ANCE-PRF ran about 7000 times, 7008 to be exact.", FACTS) == pytest.approx(2 / 3)
    assert fact_coverage("", FACTS) == 0.0
    with pytest.raises(ValueError, match="at least one fact"):
        fact_coverage("text", [])


def test_length_counts_words_without_markers() -> None:
    assert answer_length("RAPL needs  5x less[1] data. [1, 2]") == 5
    assert answer_length("") == answer_length("[1]") == 0


def test_a_quote_is_exact_or_not() -> None:
    abstracts = {"a": "Attention is all you need."}
    good = ("a", 0, 9, "Attention")
    bad = [
        ("a", 0, 9, "attention"),
        ("a", 1, 10, "Attention"),
        ("b", 0, 9, "Attention"),
        ("a", 9, 9, ""),
        ("a", -26, 9, "Attention"),
        ("a", 22, 99, "need."),
    ]
    assert quote_exactness([good], abstracts) == 1.0
    assert [quote_exactness([quote], abstracts) for quote in bad] == [0.0] * len(bad)
    assert quote_exactness([good, *bad], abstracts) == pytest.approx(1 / 7)
    assert quote_exactness([], abstracts) == 0.0


@STEADY
@given(abstract=st.text(min_size=1), data=st.data())
def test_whatever_is_cut_out_of_the_abstract_is_exact(abstract: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(abstract) - 1))
    end = data.draw(st.integers(start + 1, len(abstract)))
    assert quote_exactness([("a", start, end, abstract[start:end])], {"a": abstract}) == 1.0
