"""What was learned from feedback, and what of it a question brings to mind.

A ``Need`` is one thing that people wanted to know, in the words they used, with what their feedback taught about it.
``Recollection.recall`` matches a new question to the needs and says what to change for this question alone; a question
that matches none changes nothing.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rag.text import content_stems

TEXT_CHARS = 1_000  # of a question that are compared with what is remembered
CERTAIN = 0.9  # probability of being the same need from which a paper moves further
SHORTLIST = 32  # needs that are looked at closely; the rest lie further away than all of these
FEWEST_WORDS = 2  # content words; one names a subject, about which there are many questions
FEWEST_NEEDS = 30  # that words are weighed by as if so many were known
EDIT_CHARS = 4_000
LIKE_THE_EDIT = 0.5  # share of a sentence's words that stand in an edited answer that says it
NO_SCORES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that people wanted to know, and what their feedback taught about it."""

    id: str
    texts: tuple[str, ...]  # how it was asked, the most typical first
    vectors: str  # base64 of float16 [len(texts), dimension], rows of unit length
    rewrite: str | None = None  # another wording that ends in success more often
    rewrite_confidence: float = 0.0  # probability that it does, in [0, 1]
    relevance: Mapping[str, float] = field(default_factory=dict)  # paper id -> [-1, 1]
    quotes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # paper id -> sentence -> [-1, 1]
    answerable: float = 0.0  # 1: answers to it were accepted; -1: none was
    example: str | None = None  # an answer that was approved or edited
    people: int = 0  # how many different people taught this
    since: str = ""  # the day of the first and of the last feedback behind it, ISO
    until: str = ""
    why: str = ""  # in plain words


Weights = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Match:
    """Two logistic models of (coverage, margin, gap), fitted on paraphrases of development questions.

    coverage: share of the weight of the question's words, one more unknown word among them, that stands in some wording
    of the need. margin: how much closer the question is to the need's centre than to that of the next need, one that
    other papers answer, or than ``floor``; in standard deviations of unrelated questions. gap: how far the need's paper
    is below the best, in the ranking without memory. The intercept comes first.
    """

    paper: Weights = (-0.41, 7.61, 0.62, -9.71)  # the need's paper answers this question too
    same: Weights = (-1.63, 2.14, 0.98, -7.41)  # it is the same need
    floor: float = 3.0  # as close as the next need is at least, however few needs are known
    paper_threshold: float = 0.3  # below these probabilities nothing is applied
    same_threshold: float = 0.6
    rewrite_threshold: float = 0.9  # of being the same need
    reach: float = 0.5  # the largest addition to a paper's score; twice that where it is certain to be the same need
    order: float = 0.02  # share of what an addition puts a paper's score above the best one that is kept
    share: float = 0.6  # the largest share of a rewrite: the question as asked is always searched for too


@dataclass(frozen=True, slots=True)
class Memory:
    """All that was learned about needs. Empty: nothing was."""

    items: tuple[Need, ...] = ()
    match: Match = Match()
    background: tuple[float, float] = (0.17, 0.11)  # mean and deviation of the cosine of unrelated questions


@dataclass(frozen=True, slots=True)
class Used:
    """One need that had a say, for the trace."""

    id: str
    weight: float  # probability that it is the need asked about
    why: str
    people: int
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """What memory changes for one question. False where it changes nothing."""

    rewrites: tuple[tuple[str, float], ...] = ()  # wording to search beside the own one, and its share of the score
    papers: Mapping[str, float] = field(default_factory=dict)  # paper id -> addition to its score in [0, 1]
    sentences: Mapping[tuple[str, str], float] = field(default_factory=dict)  # (paper id, sentence) -> [-1, 1]
    support: float = 0.0  # for or against the collection holding the answer, in [-1, 1]
    examples: tuple[str, ...] = ()
    used: tuple[Used, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.used)

    def beside(self, nearer: Recalled) -> Recalled:
        """Both together; where they speak of the same, the other one counts, which is nearer to the question."""
        return Recalled(
            self.rewrites or nearer.rewrites,
            {**self.papers, **nearer.papers},
            {**self.sentences, **nearer.sentences},
            nearer.support or self.support,
            (*nearer.examples, *self.examples),
            (*nearer.used, *self.used),
        )


NOTHING = Recalled()


class Recollection:
    """A memory made ready for questions: vectors decoded, words weighed. Safe to share between threads."""

    def __init__(self, memory: Memory) -> None:
        """Raises ValueError if the vectors of a need do not fit its texts."""
        self._memory = memory
        blocks = [decode(need.vectors, len(need.texts)) for need in memory.items]
        if len({block.shape[1] for block in blocks}) > 1:
            raise ValueError("the vectors of the needs differ in length")
        self._centres = np.stack([_centre([block]) for block in blocks]) if blocks else np.zeros((0, 0), np.float32)
        self._wordings = [
            tuple(frozenset(content_stems(text[:TEXT_CHARS])) for text in need.texts) for need in memory.items
        ]
        self._words = [frozenset[str]().union(*wordings) for wordings in self._wordings]
        postings: dict[str, list[int]] = {}
        answered: dict[str, list[int]] = {}
        for number, need in enumerate(memory.items):
            for stem in self._words[number]:
                postings.setdefault(stem, []).append(number)
            for paper, value in need.relevance.items():
                if value > 0:
                    answered.setdefault(paper, []).append(number)
        self._postings = {stem: np.array(rows) for stem, rows in postings.items()}
        self._idf = {stem: _idf(len(blocks), len(rows)) for stem, rows in postings.items()}
        self._liked = [
            frozenset(paper for paper, value in need.relevance.items() if value > 0) for need in memory.items
        ]
        self._papers = {
            paper: (_centre([blocks[n] for n in needs]), frozenset[str]().union(*(self._words[n] for n in needs)))
            for paper, needs in answered.items()
        }

    def __bool__(self) -> bool:
        return bool(self._memory.items)

    def recall(self, vector: NDArray[np.float32], text: str, scores: Mapping[str, float] = NO_SCORES) -> Recalled:
        """What is remembered for this question.

        vector: the question's, of unit length. scores: of the papers found without memory, in [0, 1]; a paper is
        recalled more readily if the question by itself finds it nearly as good as the best.
        """
        if not self._memory.items or vector.shape[0] != self._centres.shape[1]:
            return NOTHING
        stems = frozenset(content_stems(text[:TEXT_CHARS]))
        if len(stems) < FEWEST_WORDS:
            return NOTHING
        match = self._memory.match
        unknown = _idf(len(self._words), 0)
        mass = unknown + sum(self._idf.get(stem, unknown) for stem in stems)
        coverage, nearness = self._covered(stems) / mass, self._near(self._centres @ vector)
        closeness = match.same[1] * coverage + match.same[2] * nearness
        near = np.argpartition(-closeness, min(SHORTLIST, len(closeness)) - 1)[:SHORTLIST]
        near = near[np.argsort(-nearness[near], kind="stable")]
        best = max(scores.values(), default=0.0)
        told: set[str] = set()
        seen = []
        for number in map(int, near):
            need, liked = self._memory.items[number], self._liked[number]
            gap = {paper: best - scores.get(paper, 0.0) for paper in need.relevance}
            margin = nearness[number] - max(self._rival(liked, near, nearness), match.floor)
            found = float(coverage[number]), float(margin)
            odds = {paper: _odds(match.paper, *found, one) for paper, one in gap.items()}
            for paper in sorted(liked - told):  # its nearest need speaks for all that it answered
                centre, words = self._papers[paper]
                closest = max(float(nearness[number]), float(self._near(np.asarray(centre @ vector))))
                apart = closest - max(self._rival(frozenset({paper}), near, nearness), match.floor)
                covered = sum(self._idf[stem] for stem in stems & words) / mass
                odds[paper] = _odds(match.paper, covered, apart, gap[paper])
            told |= liked
            same = _odds(match.same, *found, min((gap[paper] for paper in liked), default=0.0))
            seen.append((need, 1.0 if stems in self._wordings[number] else same / (1 + same), odds))
        return _combined(seen, match)

    def _near(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosines in standard deviations above those of unrelated questions."""
        mean, deviation = self._memory.background
        return np.asarray((cosines - mean) / deviation, dtype=np.float32)

    def _rival(self, liked: frozenset[str], near: NDArray[np.intp], nearness: NDArray[np.float32]) -> float:
        """How near the nearest need is that other papers answer. near: needs, nearest first."""
        others = (number for number in near if self._liked[number] and not liked & self._liked[number])
        return float(next((nearness[number] for number in others), 0.0))

    def _covered(self, stems: frozenset[str]) -> NDArray[np.float64]:
        """The weight of these words that stands in the wordings of each need."""
        common = np.zeros(len(self._words))
        for stem in stems & self._postings.keys():
            common[self._postings[stem]] += self._idf[stem]
        return common


def _combined(seen: Sequence[tuple[Need, float, Mapping[str, float]]], match: Match) -> Recalled:
    """seen: needs with the probability of being the one asked about, and the odds of each of their papers."""
    rewrites: list[tuple[float, str]] = []
    additions: dict[str, tuple[float, float]] = {}  # the largest for and against each paper
    sentences: dict[tuple[str, str], float] = {}
    supports, examples, used = [0.0], [], []
    best: dict[str, float] = {}
    for need, _, odds in seen:
        for paper, one in odds.items():
            if need.relevance[paper] > 0:
                best[paper] = max(one, best.get(paper, 0.0))
    rivals = 1.0 + sum(best.values())  # either none of the papers answers, or one of them does
    for need, same, odds in seen:
        weight = same if same >= match.same_threshold else 0.0
        for paper, relevance in need.relevance.items():
            # a paper that was wrong for one need may well be right for another about the same subject
            p, least = (odds[paper] / rivals, match.paper_threshold) if relevance > 0 else (same, match.same_threshold)
            if p < least:
                continue
            weight = max(weight, p)
            certain = max(0.0, same - CERTAIN) / (1.0 - CERTAIN)  # all but the same words: what was said of it decides
            change = match.reach * (1.0 + certain) * relevance * math.sqrt((p - least) / (1.0 - least))
            up, down = additions.get(paper, (0.0, 0.0))
            additions[paper] = max(up, change), min(down, change)
            for sentence, liking in need.quotes.get(paper, {}).items():
                sentences[paper, sentence] = max(p * liking, sentences.get((paper, sentence), 0.0), key=abs)
        if same >= match.same_threshold:
            supports.append(same * need.answerable)
            if need.rewrite is not None and same >= match.rewrite_threshold:
                rewrites.append((same * need.rewrite_confidence, need.rewrite))
            if need.example is not None:
                examples.append((same, need.example))
        if weight:
            used.append(Used(need.id, round(weight, 4), need.why, need.people, need.since, need.until))
    if not used:
        return NOTHING
    share, rewrite = max(rewrites, default=(0.0, ""))
    return Recalled(
        rewrites=((rewrite, min(share, match.share)),) if share > 0 else (),
        papers={paper: up + down for paper, (up, down) in additions.items()},
        sentences=sentences,
        support=max(supports) + min(supports),
        examples=tuple(text for _, text in sorted(examples, reverse=True)),
        used=tuple(sorted(used, key=lambda one: (-one.weight, one.id))),
    )


def _odds(model: Weights, coverage: float, margin: float, gap: float) -> float:
    intercept, by_coverage, by_margin, by_gap = model
    logit = intercept + by_coverage * coverage + by_margin * margin + by_gap * gap
    return math.exp(min(logit, 50.0))


def _centre(blocks: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean = np.concatenate(blocks).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def _idf(texts: int, holding: int) -> float:
    return float(np.log((max(texts, FEWEST_NEEDS) + 1.0) / (holding + 0.5)))


def said_in(text: str, sentences: Sequence[str]) -> list[str]:
    """Those of the sentences that an edited answer says: most of their words stand in it."""
    stems = set(content_stems(text[:EDIT_CHARS]))
    found = []
    for sentence in sentences:
        own = set(content_stems(sentence))
        if own and len(own & stems) >= LIKE_THE_EDIT * len(own):
            found.append(sentence)
    return found


def encode(vectors: NDArray[np.float32]) -> str:
    """Unit vectors [n, dimension] as text: base64 of float16, little endian."""
    return base64.b64encode(np.ascontiguousarray(vectors, dtype="<f2").tobytes()).decode("ascii")


def decode(text: str, count: int) -> NDArray[np.float32]:
    """The vectors again. Raises ValueError if they are not so many."""
    flat = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f2").astype(np.float32)
    if not count or flat.size % count:
        raise ValueError(f"{flat.size} numbers are not {count} vectors")
    return flat.reshape(count, -1)
