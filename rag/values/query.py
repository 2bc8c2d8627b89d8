"""Query: a question understood once. Every stage takes it; none parses a string again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.types import Intent

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Term:
    """One content word of a question."""

    stem: str
    word: str  # as asked, case folded
    weight: float  # rarity in the collection, in [0, 1], 1 if no paper has it; lowered for generic and carried words
    expansions: Mapping[str, float]  # stems that expand it → weight in [0, 1)
    generic: bool = False  # a word of asking, which says little about the subject
    carried: bool = False  # of an earlier question of the conversation

    def covered(self, stems: frozenset[str], *, expanded: bool = True) -> float:
        """How far a text with these stems holds the word: 1.0 itself, less for an expansion, 0.0 not at all."""
        if self.stem in stems:
            return 1.0
        if not expanded:
            return 0.0
        return max((worth for stem, worth in self.expansions.items() if stem in stems), default=0.0)


@dataclass(frozen=True, slots=True)
class Search:
    """One text to look for: the question itself, its conversation, a sub-question, or a learned rewording."""

    text: str
    vector: Vector  # unit length
    words: Mapping[str, int]  # stem → how often it stands in the text
    expansions: Mapping[str, Mapping[str, float]]  # of each stem
    weight: float  # share in the fused ranking; the weights of a query's searches add up to 1


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. ``searches`` is never empty; the terms are of the words that it asks itself, carried ones last."""

    asked: str  # as typed, tidied
    standalone: str  # understandable without the conversation
    searches: tuple[Search, ...]
    vector: Vector  # unit length: the searches' weighted mean
    terms: tuple[Term, ...]
    names: tuple[str, ...]  # words that look like names of things
    wants_many: bool  # several papers are asked for
    wants_effect: bool
    intent: Intent = "question"
    sides: tuple[str, ...] = ()  # two things that are compared; wants_many holds too
    planned: bool = False  # its searches are parts of it, each after papers of its own
    earlier: str = ""  # the answer that is to be reworked, of the papers in ``prior``
    wish: str = ""  # what to tell a writer beyond the question: a form or a language
    prior: Mapping[str, float] = field(default_factory=dict)  # paper id → addition to its fused score

    @property
    def wording(self) -> str:
        """The question as it is read beside a paper: without what introduces it, with what it carries."""
        carries = not self.planned and any(term.carried for term in self.terms)
        return self.searches[-1 if carries else 0].text if self.searches else self.standalone

    def coverage(self, stems: frozenset[str], *, expanded: bool = True) -> float:
        """Share of the question's weight that a text with these stems covers, in [0, 1]; 0.0 without terms."""
        total = sum(term.weight for term in self.terms)
        if not total:
            return 0.0
        return sum(term.weight * term.covered(stems, expanded=expanded) for term in self.terms) / total

    def described(self) -> dict[str, Any]:
        """For the trace: what was understood."""
        wants = [name for name in ("many", "effect") if getattr(self, f"wants_{name}")]
        return {
            "intent": self.intent,
            "standalone": self.standalone,
            "searches": [{"text": one.text, "weight": round(one.weight, 3)} for one in self.searches],
            "terms": {term.word: round(term.weight, 3) for term in self.terms},
            "wants": wants,
            **({"sides": list(self.sides)} if self.sides else {}),
        }
