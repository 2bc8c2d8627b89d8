"""Sentences, numbers, names and content words."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import (
    MAX_SENTENCE_CHARS,
    content_stems,
    marker_numbers,
    names,
    numbers,
    sentences,
    without_markers,
    words,
)

# what sentences are made of, with everything that makes their ends hard to find
PIECES = st.sampled_from(
    [
        "We",
        "show",
        "BERT",
        "e.g.",
        "et al.",
        "Fig. 3",
        "3.5",
        "J.",
        "“quoted.”",
        "(see [1].)",
        "!",
        "?",
        "…",
        ".",
        "Ünal",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=30).flatmap(
    lambda pieces: st.sampled_from([" ", "  ", "\n"]).map(lambda space: space.join(pieces))
)


@given(TEXTS)
def test_sentences_are_in_order_and_hold_every_character_but_white_space(text: str) -> None:
    spans = sentences(text)
    assert all(left.end <= right.start for left, right in pairwise(spans))
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)
    covered = {place for span in spans for place in range(span.start, span.end)}
    assert all(place in covered for place, char in enumerate(text) if not char.isspace())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We do. It works.", ["We do.", "It works."]),
        ("Is it? Yes! Fine… Good.", ["Is it?", "Yes!", "Fine…", "Good."]),
        ("It gains 3.5 points. 12 tasks improve.", ["It gains 3.5 points.", "12 tasks improve."]),
        ("Models, e.g. BERT, fail. I.e. They fail.", ["Models, e.g. BERT, fail.", "I.e. They fail."]),
        ("Smith et al. (2020) show this. We agree.", ["Smith et al. (2020) show this.", "We agree."]),
        ("We follow Smith et al. The rest is new.", ["We follow Smith et al.", "The rest is new."]),
        ("Cats, dogs, etc. We test all.", ["Cats, dogs, etc.", "We test all."]),
        ("See Fig. 3 and Sec. 4. Then stop.", ["See Fig. 3 and Sec. 4.", "Then stop."]),
        ("By J. K. Smith. It holds.", ["By J. K. Smith.", "It holds."]),
        ("He said “it works.” We doubt it.", ["He said “it works.”", "We doubt it."]),
        ("(It works.) [We know.] Good.", ["(It works.)", "[We know.]", "Good."]),
        ("It beats GPT vs. Llama. So be it.", ["It beats GPT vs. Llama.", "So be it."]),
        ("we use v1.2.3 of it. then nothing", ["we use v1.2.3 of it. then nothing"]),
        ("Größe zählt. Ähnlich gut.", ["Größe zählt.", "Ähnlich gut."]),
        ("Plan A. So do I. We go.", ["Plan A.", "So do I.", "We go."]),
        ("No end mark", ["No end mark"]),
        ("   ", []),
        ("", []),
    ],
)
def test_sentence_ends(text: str, expected: list[str]) -> None:
    assert [span.of(text) for span in sentences(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,109 papers and 1109", [1109.0, 1109.0]),
        ("1.5k, 1.5 thousand, 3B, 2 million", [1500.0, 1500.0, 3e9, 2e6]),
        ("82.9% of 40 ms, -3 and $7", [82.9, 40.0, 3.0, 7.0]),
        ("GPT-4 and v2 and BERT3", []),  # parts of names are not quantities
        ("version 1.2.3", []),
        ("10 bananas in 5 minutes", [10.0, 5.0]),  # only a whole word is a magnitude
        ("nothing", []),
        ("alpha of .93, p<.05 and 0.5.", [0.93, 0.05, 0.5]),
        ("a rate of 1e-4, 3E5 or 2.5e\u22123", [0.0001, 300000.0, 0.0025]),
        ("10,20 and 1,1095 and 1,000,20", [10.0, 20.0, 1.0, 1095.0, 1000.0, 20.0]),  # never a decimal comma
        ("from 3-5%, 2–4 or 1-2 million on 2019-11-24", [3.0, 5.0, 2.0, 4.0, 1.0, 2e6, 2019.0, 11.0, 24.0]),
        ("GPT\u20114, a 10-fold gain, 5x", [10.0, 5.0]),
        ("v1.5, et al.2020, ...5", []),
        ("9" * 400, [float("inf")]),
    ],
)
def test_numbers(text: str, expected: list[float]) -> None:
    assert numbers(text) == pytest.approx(expected)


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False).map(lambda value: round(value, 3)))
def test_a_number_reads_the_same_with_and_without_separators(value: float) -> None:
    assert numbers(f"about {value:,} things") == numbers(f"about {value:f} things") == [pytest.approx(value)]


def test_names_are_words_that_look_like_names() -> None:
    text = "We train HY-Motion, GPT-4o and C++ on ImageNet; BERT wins, The end. Transformers help."
    assert names(text) == ["HY-Motion", "GPT-4o", "ImageNet", "BERT"]


def test_content_words_are_stemmed_split_and_stripped_of_function_words() -> None:
    assert content_stems("Which papers show self-learning rewriting?") == ["self", "learn", "rewrit"]
    assert content_stems("How do they rewrite?") == content_stems("rewriting")
    assert content_stems("what is it about") == []


def test_apostrophes_of_any_style_make_no_words_of_their_own() -> None:
    for mark in "'’":
        assert content_stems(f"It doesn{mark}t, it mustn{mark}t and they{mark}ve") == []
        assert content_stems(f"the model{mark}s parameters, O{mark}Brien{mark}s") == ["model", "paramet", "o", "brien"]
    assert words("It isn’t") == ["it", "isn't"]


def test_what_cannot_be_seen_does_not_split_words() -> None:
    assert words("re\u00adwriting a\u200bquery") == ["rewriting", "aquery"]
    assert names("Image\u00adNet and GPT\u20114") == ["ImageNet", "GPT-4"]


def test_words_and_sentences_are_bounded_and_lose_nothing() -> None:
    assert "".join(words("x" * 1000)) == "x" * 1000
    assert max(map(len, words("x-" * 10_000))) < 1000
    for long in ("x" * 10_000, "word " * 2000, "word" + " " * 10_000 + "word"):
        spans = sentences(long)
        assert max(span.end - span.start for span in spans) <= MAX_SENTENCE_CHARS
        assert "".join(span.of(long) for span in spans).replace(" ", "") == long.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "numbers", "bare"),
    [
        ("It wins [1][3, 5].", {1, 3, 5}, "It wins."),
        ("It wins [2–4], [7-8] and [ 9 ].", {2, 3, 4, 7, 8, 9}, "It wins, and."),
        ("It rose by [2] .39 points [1] !", {1, 2}, "It rose by .39 points!"),
        ("In [2–9999] or [2024] or [4-2]", set(range(2, 1000)), "In or or"),
        ("a[i], [x1] and []", set(), "a[i], [x1] and []"),
    ],
)
def test_markers(text: str, numbers: set[int], bare: str) -> None:
    assert marker_numbers(text) == numbers
    assert without_markers(text) == (bare, frozenset(numbers))


@given(st.text(max_size=200))
def test_reading_never_fails_and_does_not_depend_on_what_was_read_before(text: str) -> None:
    first = content_stems(text), numbers(text), names(text)
    content_stems("something else")
    assert (content_stems(text), numbers(text), names(text)) == first
    assert all(stem and not re.search(r"\s", stem) for stem in first[0])
