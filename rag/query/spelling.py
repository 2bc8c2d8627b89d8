"""Typing errors, corrected to words of the collection, or of English.

A word is left alone if it may be one: if the collection has it, if it is a single piece of the embedding model's
vocabulary, which holds the commonest English words, or if it looks like a name.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from string import ascii_lowercase

import numpy as np
from numpy.typing import NDArray

from rag.embed.onnx import WEIGHTS
from rag.policy import Spelling
from rag.text import STOP_WORDS, stem, words
from rag.types import Paper

SHORTEST = 4  # letters of a word that is looked at
SHORT = 6  # letters up to which one error is assumed, in longer words two
LONGEST = 24
TRIED = 60  # likeliest words whose distance is measured
_TOKEN = re.compile(r"(?<![\w-])[a-z]{4,24}(?![\w-]|[.'][\w])")
_PREFIXES = ("re", "un", "de", "non", "pre", "over", "under", "multi", "self", "mis", "out", "sub", "inter")
_SUFFIXES = tuple("er ers or ors able ible ness less wise ity ish ship up ty ful ist ists".split())
_LETTERS = {letter: place for place, letter in enumerate(ascii_lowercase)}


class Speller:
    """Knows the words of one generation of the collection."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        """papers: whose words typing errors are corrected to."""
        counts: Counter[str] = Counter()
        for paper in papers:
            counts.update(words(f"{paper.title} {paper.abstract}"))
        self._counts = {word: count for word, count in counts.items() if _plain(word)}
        self._counts |= {word: max(counts.values(), default=1) for word in STOP_WORDS if _plain(word)}
        self._words = [*self._counts, *(word for word in english() if word not in self._counts)]
        self._letters = np.stack([_letter_counts(word) for word in self._words])
        self._sizes = np.array([len(word) for word in self._words])

    def corrected(self, text: str, wrong: Collection[str], policy: Spelling) -> str:
        """The text with these words put right where it is plain how, if that makes one a word of the collection."""
        put_right = {word: self._nearest(word, policy) for word in wrong}
        if not any(near != word and near in self._counts for word, near in put_right.items()):
            return text
        return _TOKEN.sub(lambda match: put_right.get(match[0], match[0]), text)

    def _nearest(self, word: str, policy: Spelling) -> str:
        limit = 1 if len(word) <= SHORT else 2
        found = []
        for near in self._near(word, limit):
            apart = distance(word, near, policy) + policy.first * (word[0] != near[0])
            ours = near in self._counts
            if apart <= (limit if ours else 1):  # what is no word of the collection must be very near
                found.append((apart + policy.elsewhere * (not ours), -self._counts.get(near, 0), near))
        return min(found)[2] if found else word

    def _near(self, word: str, limit: int) -> Iterator[str]:
        """Words of about the same letters; each error changes at most two counts."""
        apart = np.abs(self._letters - _letter_counts(word)).sum(axis=1)
        close = np.flatnonzero((apart <= 2 * limit) & (np.abs(self._sizes - len(word)) <= limit))
        for place in close[np.argsort(apart[close], kind="stable")][:TRIED]:
            yield self._words[place]


def unknown_words(text: str, known: Callable[[str], bool]) -> list[str]:
    """Words of a text that must be typing errors. known: whether the collection has a word in some form."""
    return [word for word in dict.fromkeys(_TOKEN.findall(text)) if not is_english(word) and not known(word)]


@lru_cache(maxsize=1)
def english() -> frozenset[str]:
    """Words that are one piece of the shipped embedding model's vocabulary."""
    vocabulary = json.loads((WEIGHTS / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    return frozenset(word for word in vocabulary if _plain(word))


def is_english(word: str) -> bool:
    """Whether a word is English, or made from an English one by the rules of the language."""
    american = word.replace("is", "iz")
    return (
        word in STOP_WORDS
        or word in english()
        or stem(word) in _english_stems()
        or stem(american) in _english_stems()
        or any(_is_head(word.removeprefix(prefix), 4) for prefix in _PREFIXES if word.startswith(prefix))
        or any(_is_head(word.removesuffix(suffix), 3) for suffix in _SUFFIXES if word.endswith(suffix))
        or any(word[:cut] in english() and _is_tail(word[cut:]) for cut in range(4, len(word) - 1))
    )


def _is_head(word: str, least: int) -> bool:
    """Whether an ending may follow: "grad" of "grader", "wrapp" of "wrapper"."""
    if len(word) < least:
        return False
    doubled = word[-1] == word[-2] and word[:-1] in english()
    return f"{word}e" in english() or word in english() or doubled or (len(word) > 4 and stem(word) in _english_stems())


def _is_tail(word: str) -> bool:
    """Whether another word may stand before it: "ups" of "lookups"."""
    return word in ("up", "ups", "off", "out", "set", "sets", "top") or word in english()


@lru_cache(maxsize=1)
def _english_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in english())


def distance(one: str, other: str, costs: Spelling) -> float:
    """Optimal string alignment distance (Damerau 1964): a letter missing or two swapped 1.0."""
    before: list[float] = []
    last = [float(place) for place in range(len(other) + 1)]
    for i, letter in enumerate(one, start=1):
        row = [float(i)]
        for j, wanted in enumerate(other, start=1):
            cost = min(row[j - 1] + 1, last[j] + costs.extra, last[j - 1] + (letter != wanted) * costs.substituted)
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _plain(word: str) -> bool:
    return SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha() and word.islower()


def _letter_counts(word: str) -> NDArray[np.int8]:
    counts = np.zeros(len(ascii_lowercase), dtype=np.int8)
    for letter in word:
        counts[_LETTERS[letter]] += 1
    return counts
