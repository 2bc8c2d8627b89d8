"""Papers into passages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index.chunk import passages_of
from rag.text import sentences
from rag.tokens import count_tokens
from rag.types import Paper

WORD = st.sampled_from("model data e.g. GPT-4 learning 3.5 überraschend the 模型 \\alpha (see".split()) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6
)
SENTENCE = st.lists(WORD, min_size=1, max_size=40).map(lambda words: "So " + " ".join(words) + ".")
ABSTRACT = st.lists(SENTENCE, min_size=1, max_size=12).flatmap(
    lambda parts: st.sampled_from([" ", "\n", "  "]).map(lambda space: space.join(parts))
)


def paper(abstract: str) -> Paper:
    return Paper("p", "Title", abstract)


@settings(max_examples=200, deadline=None)
@given(ABSTRACT, st.integers(16, 120))
def test_passages_hold_whole_sentences_and_keep_the_budget(abstract: str, budget: int) -> None:
    passages = passages_of(paper(abstract), budget, count_tokens)
    spans = sentences(abstract)
    if count_tokens(abstract) <= budget:
        assert [one.text for one in passages] == [abstract]
        return
    assert all(abstract[one.start : one.end] == one.text for one in passages)
    assert all(left.end <= right.start for left, right in pairwise(passages))
    holders = [[one for one in passages if one.start <= span.start and span.end <= one.end] for span in spans]
    assert all(len(held) == 1 for held in holders)  # every sentence once, and never cut
    for one in passages:
        inside = [span for span in spans if one.start <= span.start and span.end <= one.end]
        assert count_tokens(one.text) <= budget or len(inside) == 1


def test_an_abstract_that_fits_is_one_passage_with_its_white_space() -> None:
    (passage,) = passages_of(paper("  One. Two. "), 64, count_tokens)
    assert (passage.start, passage.text) == (0, "  One. Two. ")


def test_a_long_sentence_does_not_raise_the_budget_of_its_neighbours() -> None:
    short = "This is a short sentence of ten words or so."
    long = "We " + "very " * 150 + "much care."
    abstract = " ".join([*[short] * 20, long, *[short] * 20])
    passages = passages_of(paper(abstract), 64, count_tokens)
    assert [count_tokens(one.text) > 64 for one in passages].count(True) == 1
    assert long in {one.text for one in passages}


def test_a_sentence_of_exactly_the_budget_is_not_cut() -> None:
    exact = "So" + " many" * 62 + "."
    assert count_tokens(exact) == 64
    passages = passages_of(paper(f"{exact} {exact} {exact}"), 64, count_tokens)
    assert [one.text for one in passages] == [exact] * 3


@pytest.mark.parametrize("abstract", [" " * 5000, "\n" * 3000, ""])
def test_white_space_is_one_passage(abstract: str) -> None:
    assert [one.text for one in passages_of(paper(abstract), 16, count_tokens)] == [abstract]


def test_a_very_long_abstract_is_cut_completely() -> None:
    abstract = " ".join(f"Sentence {number} says that the value is {number * 7}." for number in range(5000))
    passages = passages_of(paper(abstract), 400, count_tokens)
    assert sum(one.text.count("Sentence") for one in passages) == 5000
    assert max(count_tokens(one.text) for one in passages) <= 400
    assert min(count_tokens(one.text) for one in passages[:-1]) > 300  # packed, not one by one


def test_control_characters_do_not_change_the_cut() -> None:
    abstract = "One is here.\x00 " * 60
    passages = passages_of(paper(abstract), 64, count_tokens)
    assert sum(one.text.count("One") for one in passages) == 60
