"""Draft → checked claims: every sentence tied to exact quotes, and judged by them.

A sentence is supported if quotes from the papers hold most of its content, all of its numbers and all of its names, and
do not deny what it affirms. The model's own [n] markers are hints only: small models place them badly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.contradiction import contradiction
from rag.text import content_stems, names, numbers, stem, words
from rag.types import Paper
from rag.values.evidence import Claim, PaperEvidence, Quote, SentenceEvidence

SUPPORTED = 0.5  # support from which a sentence is said
HINT = 0.05  # what the model's own marker adds to a passage when two support a sentence equally
GAIN = 0.12  # how much more of the sentence a further quote must hold to be cited too
MOST_QUOTES = 3
_MARKER = re.compile(r"\s*\[\s*(\d+(?:\s*[,;–-]\s*\d+)*)\s*\]")
_SPELLED = {
    word: float(value)
    for value, word in enumerate("three four five six seven eight nine ten eleven twelve".split(), start=3)
}
_CAPITAL = re.compile(r"(?<=[^\W_] )[A-ZÀ-ÖØ-Þ][^\W\d_]+")  # after a word, so not because a sentence begins
_RARE = 0.5  # rarity from which a capitalised word counts as a name
Embed = Callable[[str], NDArray[np.float32]]
Idf = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One drafted sentence after checking."""

    claim: Claim
    supported: bool
    why: str  # in words, if it is not supported; else empty


def without_markers(sentence: str) -> tuple[str, frozenset[int]]:
    """The sentence without [n] markers, and the numbers they held."""
    hinted = frozenset(
        int(number) for match in _MARKER.finditer(sentence) for number in re.findall(r"\d+", match.group(1))
    )
    bare = re.sub(r"\s+([.,;:!?])", r"\1", _MARKER.sub("", sentence))
    return re.sub(r"\s+", " ", bare).strip(), hinted


class Verifier:
    """Judges sentences against the papers that the draft was made from. Pure but for the embedder it is given."""

    def __init__(
        self, papers: Sequence[PaperEvidence], vectors: Sequence[NDArray[np.float32]], embed: Embed, idf: Idf
    ) -> None:
        """papers: in the order in which the model saw them, from 1. vectors: of each paper's sentences, unit rows.

        embed: text → unit vector of the same model. idf: rarity of a stem in the collection, in [0, 1].
        """
        self._sentences = [
            (place, one, row) for place, paper in enumerate(papers, 1) for row, one in enumerate(paper.sentences)
        ]
        self._papers = list(papers)
        self._titles = [words(lead + paper.paper.title) for paper in papers for lead in ("", "Title: ")]
        self._sources = [_folded(paper.paper) for paper in papers]
        self._matrix = np.concatenate(list(vectors)) if vectors else np.zeros((0, 1), dtype=np.float32)
        self._embed = embed
        self._idf = idf

    def check(self, sentence: str, lead: str = "") -> Verdict:
        """Tie one drafted sentence to the quotes that carry it, and judge it."""
        text, hinted = without_markers(sentence)
        stems = frozenset(content_stems(text))
        if not stems or not self._sentences:
            return Verdict(Claim(text, (), 0.0, lead), False, "it states nothing that can be checked")
        if words(text) in self._titles:  # small models copy them
            return Verdict(Claim(text, (), 0.0, lead), False, "it is the title of a paper and states nothing")
        weight = {stem: 0.1 + self._idf(stem) for stem in stems}
        support = self._support(text, weight, hinted) * self._may_speak(text)
        chosen = self._choose(stems, weight, support)
        quotes = tuple(self._quote(index, float(support[index])) for index in chosen)
        cited = [self._sentences[index][1] for index in chosen]
        best = float(support[chosen[0]])
        held = self._held(frozenset().union(*(one.stems for one in cited)), weight)
        strength = min(1.0, max(best, 0.5 * best + 0.5 * held))
        why = self._objection(text, cited, strength)
        return Verdict(
            Claim(text, quotes, strength if not why else min(strength, SUPPORTED - 0.01), lead), not why, why
        )

    def _support(self, text: str, weight: dict[str, float], hinted: frozenset[int]) -> NDArray[np.float64]:
        """How far each single sentence carries the text, in [0, 1]."""
        cosines = np.clip(self._matrix @ self._embed(text), 0.0, 1.0)
        pairs = _bigrams(text)
        found = np.zeros(len(self._sentences))
        for index, (place, one, _) in enumerate(self._sentences):
            held = self._held(one.stems, weight)
            shared = len(pairs & _bigrams(one.text)) / len(pairs) if pairs else held
            found[index] = 0.5 * held + 0.35 * cosines[index] + 0.15 * shared
            if place in hinted:
                found[index] += HINT * held
        return np.minimum(found, 1.0)

    def _may_speak(self, text: str) -> NDArray[np.float64]:
        """1.0 for sentences of papers that a sentence can be about, going by its rarest names; 0.0 for others.

        What one paper says of its method must not be said of another one's, however many words the two share.
        """
        holders = [
            frozenset(place for place, source in enumerate(self._sources, 1) if _holds(source, name))
            for name in self._names(text)
        ]
        fewest = min((len(places) for places in holders if places), default=0)
        if not fewest or fewest > max(1, len(self._sources) // 4):  # no name, or one that is common here
            return np.ones(len(self._sentences))
        allowed = frozenset().union(*(places for places in holders if len(places) == fewest))
        return np.array([float(place in allowed) for place, _, _ in self._sentences])

    @staticmethod
    def _held(stems: frozenset[str], weight: dict[str, float]) -> float:
        return sum(value for stem, value in weight.items() if stem in stems) / sum(weight.values())

    def _choose(self, stems: frozenset[str], weight: dict[str, float], support: NDArray[np.float64]) -> list[int]:
        """The best sentence, and those that hold much of what it lacks."""
        chosen = [int(np.argmax(support))]
        while len(chosen) < MOST_QUOTES:
            have = frozenset().union(*(self._sentences[index][1].stems for index in chosen))
            gains = [
                self._held((have | one.stems) & stems, weight) - self._held(have & stems, weight)
                if support[index] >= 0.5 * support[chosen[0]] and index not in chosen
                else 0.0
                for index, (_, one, _) in enumerate(self._sentences)
            ]
            best = int(np.argmax(gains))
            if gains[best] < GAIN:
                break
            chosen.append(best)
        return chosen

    def _quote(self, index: int, score: float) -> Quote:
        place, one, _ = self._sentences[index]
        return Quote(self._papers[place - 1].paper, one.span.start, one.span.end, round(score, 4))

    def _objection(self, text: str, cited: Sequence[SentenceEvidence], strength: float) -> str:
        known = _quantities(" ".join(one.text for one in cited))
        strange = [
            number for number in _quantities(text) if not any(np.isclose(number, other, rtol=1e-6) for other in known)
        ]
        if strange:
            return f"the number {strange[0]:g} is not in what it cites"
        source = " ".join({one.paper.id: _folded(one.paper) for one in cited}.values())
        unknown = [name for name in self._names(text) if not _holds(source, name)]
        if unknown:
            return f"“{unknown[0]}” is not in what it cites"
        if strength < SUPPORTED:
            return "no abstract says it"
        return contradiction(text, [one.text for one in cited])

    def _names(self, text: str) -> list[str]:
        """Names of things, and rare words with a capital that no beginning of a sentence explains."""
        capitals = [word for word in _CAPITAL.findall(text) if self._idf(stem(word.casefold())) >= _RARE]
        return [*names(text), *capitals]


def _bigrams(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(words(text)))


def _quantities(text: str) -> list[float]:
    """Numbers in digits, and those in words from three on: "one" and "two" often count nothing."""
    return [*numbers(text), *(_SPELLED[word] for word in words(text) if word in _SPELLED)]


def _folded(paper: Paper) -> str:
    return f"{paper.title} {paper.abstract}".casefold()


def _holds(source: str, name: str) -> bool:
    """Whether a text, case folded, holds a name; "LLMs" and "LLM-based" are held by "LLM", "GPT-4" not by "GPT"."""
    parts = [part for part in re.split(r"[-/]", name) if not part.islower()]
    forms = (name.casefold(), "-".join(parts).casefold())
    return any(form.removesuffix("s") in source for form in forms)
