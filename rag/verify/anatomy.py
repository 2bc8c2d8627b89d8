"""What the verifier reads of one paper, once: sentences as stems, numbers, names, and what its acronyms stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

from rag.text import Names, Span, acronyms, content_stems, content_words, names, stem, words
from rag.types import Paper
from rag.verify.kinds import is_order
from rag.verify.quantities import Quantity, quantities
from rag.verify.spelling import plain, ungreek

_LETTERS = re.compile(r"[^\W\d_]{1,64}+")
_PROPOSED = re.compile(
    r"\b(?:propos|introduc|present|develop|releas|construct|build|call|nam|dub|term|design)(?:e|es|ed|ing|s|bed)?\b[^.;]{0,160}",
    re.IGNORECASE,
)
_MOST_ACRONYMS = 30  # of one paper
_LONGEST = 6  # letters of an acronym made of initials
Bigrams = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence of a source."""

    place: int  # of its source, from 1
    span: Span
    text: str  # in plain spelling
    stems: frozenset[str]
    words: tuple[str, ...]  # content words, case folded
    bigrams: Bigrams
    order: bool  # speaks to the reader or a model, and carries no claim


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One paper."""

    readings: tuple[Reading, ...]
    stems: frozenset[str]  # of title and abstract, but for orders
    text: str  # of title and abstract, as they stand
    title: tuple[str, ...]  # words
    quantities: tuple[Quantity, ...]  # of title and abstract, and the year
    names: Names
    own: frozenset[str]  # names of what it is about: in its title, or proposed in its abstract
    initials: frozenset[str]  # of every run of two to six words
    acronyms: Mapping[str, str]

    def _holds_parts(self, name: str) -> bool:
        """Whether a compound is made of what the paper has: "RAS-driven", "Follow-Up"."""
        parts = name.split("-")
        return len(parts) > 1 and all(
            stem(part.casefold()) in self.stems if part[1:].islower() else self.names.holds(ungreek(part))
            for part in parts
        )

    def holds(self, name: str, long_forms: Mapping[str, str]) -> bool:
        """Whether the paper has a name, spelled so or as the acronym stands for. long_forms: of all sources."""
        if self.names.holds(ungreek(name)) or self._holds_parts(name):
            return True
        singular = name.removesuffix("s")
        long = long_forms.get(name) or long_forms.get(singular)
        if long and frozenset(content_stems(plain(long))) <= self.stems:
            return True
        return singular.isalpha() and singular.isupper() and singular.casefold() in self.initials


def bigrams_of(text: str) -> Bigrams:
    """Neighbouring words, case folded."""
    return frozenset(pairwise(words(text)))


@lru_cache(maxsize=2048)
def anatomy(paper: Paper, spans: tuple[Span, ...], place: int) -> Anatomy:
    """Read a paper. place: of the source, from 1."""
    whole = f"{paper.title}. {paper.abstract}"
    short = acronyms(whole)
    readings = tuple(_reading(place, span, span.of(paper.abstract), short) for span in spans)
    by = " ".join((*paper.authors, str(paper.year or "")))
    year = quantities(str(paper.year)) if paper.year else []
    return Anatomy(
        readings,
        frozenset(content_stems(plain(paper.title))).union(*(one.stems for one in readings if not one.order)),
        whole,
        tuple(words(paper.title)),
        (*_all_quantities([span.of(paper.abstract) for span in spans]), *quantities(paper.title), *year),
        Names(ungreek(f"{whole} {by}")),
        frozenset(names(paper.title)).union(*(names(match[0]) for match in _PROPOSED.finditer(paper.abstract))),
        _initials(whole),
        short,
    )


def _reading(place: int, span: Span, text: str, short: Mapping[str, str]) -> Reading:
    folded = plain(text)
    pairs = content_words(folded)
    return Reading(
        place,
        span,
        folded,
        _either(frozenset(one for one, _ in pairs), short),
        tuple(word for _, word in pairs),
        bigrams_of(folded),
        is_order(text),
    )


def _either(stems: frozenset[str], short: Mapping[str, str]) -> frozenset[str]:
    """With the long form of each acronym among them, and the acronym of each long form."""
    for one, long in islice(short.items(), _MOST_ACRONYMS):
        acronym, full = frozenset(content_stems(one)), frozenset(content_stems(plain(long)))
        if full and (acronym <= stems or full <= stems):
            stems |= acronym | full
    return stems


def _all_quantities(texts: Sequence[str]) -> list[Quantity]:
    return [one for text in texts for one in quantities(text)]


def _initials(text: str) -> frozenset[str]:
    letters = [match[0][0].casefold() for match in _LETTERS.finditer(text)]
    return frozenset(
        "".join(letters[at : at + size]) for size in range(2, _LONGEST + 1) for at in range(len(letters) - size + 1)
    )
