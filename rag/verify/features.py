"""What speaks for and against a sentence, as numbers: how much of it the quotes hold, and how much stays strange."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.text import content_stems, content_words
from rag.verify.anatomy import Anatomy, Reading, bigrams_of
from rag.verify.checks import CHECKS
from rag.verify.opposites import opposite
from rag.verify.quantities import quantities

FEATURES = (
    "coverage",  # share of the sentence's weight that the quotes hold
    "coverage_best",  # ... that the best of them holds
    "coverage_paper",  # ... that the cited abstracts hold
    "coverage_soft",  # ... where a word of like meaning counts by its likeness
    "bigrams",  # share of its neighbouring words that neighbour in the quotes
    "cosine",  # of sentence and best quote
    "cosine_quotes",  # of sentence and all quotes together
    "weakest_clause",  # coverage, by the cited abstracts, of the clause that they hold least
    "weakest_clause_cosine",  # best cosine with a sentence of theirs of the clause that is least like any
    "weakest_clause_soft",  # coverage of the clause that they hold least, where likeness counts
    "foreign",  # words of the clause that shares nothing with the papers, in [0, 1]
    "rarest_strange",  # rarity of the rarest word that the cited abstracts lack
    "strangest",  # how unlike all words of the quotes the least alike word is
    "strange_words",  # log(1 + number) of words that the cited abstracts lack
    "number_context",  # share of its numbers that keep some word around them
    "number_or_name",  # a number or name may be missing
    *CHECKS,
    "antonym",  # a strange word is the opposite of a word of the quotes
    "long",  # log(1 + content words)
)
_CLAUSE = re.compile(
    r"[,;:()—–]|\b(?:and|but|that|while|whereas|which|who|because|although|though|so|after|before|since|if|when|unless|until|"
    r"then|thereby|leading|making|causing|suggesting)\b"
)
_MIN_CLAUSE = 2  # content words
_MOST_CLAUSES = 8
_MOST_STRANGE = 8  # words whose likeness is looked up
_MOST_WORDS = 120  # of the quotes, that they are compared with
Embed = Callable[[str], NDArray[np.float32]]
Idf = Callable[[str], float]


def weights_of(stems: Sequence[str], idf: Idf) -> dict[str, float]:
    """Stem → how much it counts."""
    return {one: 0.1 + idf(one) for one in stems}


def held(stems: frozenset[str], weight: Mapping[str, float]) -> float:
    """Share of the weight that a text with these stems holds, in [0, 1]."""
    total = sum(weight.values())
    return sum(value for one, value in weight.items() if one in stems) / total if total else 0.0


def features(
    text: str,
    vector: NDArray[np.float32],
    quotes: Sequence[Reading],
    quote_vectors: NDArray[np.float32],
    cited: Sequence[Anatomy],
    cited_vectors: NDArray[np.float32],
    embed: Embed,
    idf: Idf,
    *,
    doubt: bool,
    against: Collection[str],
) -> list[float]:
    """One row, in the order of FEATURES.

    vector: of the text. quotes: best first. quote_vectors: their rows. cited: the quotes' papers. cited_vectors: of all
    sentences of those. doubt: a number or name may be missing. against: names of the checks that object.
    """
    pairs = content_words(text)
    weight = weights_of([one for one, _ in pairs], idf)
    here = frozenset().union(*(one.stems for one in quotes))
    paper = frozenset().union(*(one.stems for one in cited))
    strange = {one: word for one, word in pairs if one not in here and not one[0].isdigit()}
    likeness = _likeness(strange, weight, [word for one in quotes for word in one.words], embed)
    soft = held(here, weight) + sum(weight[one] * similarity for one, similarity in likeness.items()) / max(
        sum(weight.values()), 1e-9
    )
    own = bigrams_of(text)
    theirs = frozenset().union(*(one.bigrams for one in quotes))
    cosines = quote_vectors @ vector
    together = quote_vectors.sum(axis=0)
    clauses, likest, softest, foreign = _clauses(text, paper, likeness, cited_vectors, embed, idf)
    lacking = {one for one, _ in pairs if one not in paper and not one[0].isdigit()}
    return [
        held(here, weight),
        held(quotes[0].stems, weight),
        held(paper, weight),
        soft,
        len(own & theirs) / len(own) if own else 0.0,
        float(cosines[0]),
        float(together @ vector / max(float(np.linalg.norm(together)), 1e-9)),
        clauses,
        likest,
        softest,
        foreign,
        max((idf(one) for one in lacking), default=0.0),
        1.0 - min(likeness.values(), default=1.0),
        float(np.log1p(len(lacking))),
        _number_context(text, quotes),
        float(doubt),
        *(float(name in against) for name in CHECKS),
        float(any(opposite(one, other) for one in strange for other in here)),
        float(np.log1p(len(pairs))),
    ]


def _likeness(
    strange: Mapping[str, str], weight: Mapping[str, float], words: Sequence[str], embed: Embed
) -> dict[str, float]:
    """Of each strange stem: how alike the most alike word of the quotes is, in [0, 1]."""
    rarest = sorted(strange, key=lambda one: -weight[one])[:_MOST_STRANGE]
    distinct = list(dict.fromkeys(words))[:_MOST_WORDS]
    if not rarest or not distinct:
        return dict.fromkeys(rarest, 0.0)
    theirs = np.stack([embed(word) for word in distinct])
    return {one: float(np.clip((theirs @ embed(strange[one])).max(), 0.0, 1.0)) for one in rarest}


def _clauses(
    text: str,
    paper: frozenset[str],
    likeness: Mapping[str, float],
    vectors: NDArray[np.float32],
    embed: Embed,
    idf: Idf,
) -> tuple[float, float, float, float]:
    """Coverage and likeness of the clauses that the papers hold least, and how much one says that they lack."""
    covered, likest, softest, foreign = 1.0, 1.0, 1.0, 0.0
    parts = [part for part in _CLAUSE.split(text) if len(content_stems(part)) >= _MIN_CLAUSE][:_MOST_CLAUSES]
    for part in parts or [text]:
        stems = content_stems(part)
        covered = min(covered, held(paper, weights_of(stems, idf)))
        soft = [1.0 if one in paper else likeness.get(one, 0.0) for one in stems]
        softest = min(softest, sum(soft) / len(soft) if soft else 1.0)
        likest = min(likest, float((vectors @ embed(part.strip())).max()))
    for part in _CLAUSE.split(text):
        stems = content_stems(part)
        if stems and paper.isdisjoint(stems):
            strange = sum(idf(one) * (1.0 - likeness.get(one, 0.0)) for one in stems if not one[0].isdigit())
            foreign = max(foreign, min(1.0, strange))
    return covered, likest, softest, foreign


def _number_context(text: str, quotes: Sequence[Reading]) -> float:
    said = _near_numbers(text)
    there: dict[float, frozenset[str]] = {}
    for one in quotes:
        for value, near in _near_numbers(one.text).items():
            there[value] = there.get(value, frozenset()) | near
    shared = [value for value in said if value in there]
    kept = [value for value in shared if said[value] & there[value] or not said[value]]
    return len(kept) / len(shared) if shared else 1.0


@lru_cache(maxsize=4096)
def _near_numbers(text: str) -> Mapping[float, frozenset[str]]:
    """Number → content stems within some sixty characters of it."""
    found: dict[float, frozenset[str]] = {}
    place = 0
    for one in quantities(text):
        at = text.find(one.shown, place)
        if at < 0:
            continue
        place = at + len(one.shown)
        near = content_stems(text[max(0, at - 60) : at]) + content_stems(text[place : place + 60])
        stems = frozenset(stem for stem in near if not stem[0].isdigit())
        found[one.value] = found.get(one.value, frozenset()) | stems
    return found
