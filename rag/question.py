"""What a question asks for: its words with their weight, and the kind of thing that would answer it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.index.lexical import LexicalIndex
from rag.text import content_words, names, stem

_NUMBER = re.compile(
    r"\b(how (much|many|often|long|large|big|small|fast|far|high|low|few)|what (percentage|percent|"
    r"fraction|share|number|"
    r"size|score|rate|accuracy|ratio|proportion|margin|gain)|by what|which (percentage|score|size|year)|percent(age)?|"
    r"what (was|is|were|are) the (\w+ ){0,3}(improvement|gain|reduction|increase|cost|score|accuracy|size|number|rate|"
    r"ratio|percentage|margin|speed-?up)s?|what (improvement|reduction|increase|speed-?up)|number of|"
    r"size of|in numbers)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(what('s| is| are| was| were) (\w+ ){0,2}(called|named)|name of|names of|(which|what|whose) (\w+ ){0,2}"
    r"(dataset|corpus|corpora|benchmark|model|llm|language model|backbone|architecture|platform|"
    r"algorithm|metric|language|"
    r"domain|task|source|company|assistant|game|environment|simulator|tool|library|framework|testbed)s?)\b",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"\b((which|what) ([\w-]+ ){0,4}(works|papers|methods|approaches|studies|systems|articles|datasets|benchmarks|"
    r"techniques|models|abstracts|publications|frameworks|surveys|resources|projects|ones|options|ways|alternatives|corpora)|"
    r"which of (these|them|the)|(list|compare|contrast|summari[sz]e|overview|survey of)\b|who (else|all)|"
    r"(all|any|several|different|various) (the )?(works|papers|methods|approaches|studies|datasets|techniques)|"
    r"(papers|works) (that|which|on|about|using|where)|differ(s|ence|ences|ent)? (between|from)|versus|\bvs\b|"
    r"respectively|each of|who does it|has any(one|body)|what('s| is) (in here|there|here) (on|about))\b|"
    r"^\W*who (?!is|was|are|wrote|were)|^\W*(are|is) there (\w+ ){0,2}(works|papers|methods|studies|datasets)",
    re.IGNORECASE,
)
_EFFECT = re.compile(
    r"\b(improv\w*|outperform\w*|better|gain|effect\w*|result\w*|reduc\w*|win|wins|beat\w*|help\w*|worse|perform\w*|"
    r"compar\w*|impact|benefit\w*|does (it|this|that) work|how well|pay off|payoff)\b",
    re.IGNORECASE,
)


# Words of asking about research that say little about the subject, and that an answer may put otherwise.
_GENERIC = frozenset(
    stem(word)
    for word in "improve improvement reduce reduction increase decrease achieve perform performance use need require "
    "help make method approach technique system result better good well best worse gain gains try large small new "
    "different evaluate measure report effect effective way ways propose introduce present kind type number size "
    "amount percentage percent score main key important possible able exist existing happen get take turn keep "
    "change come go put work solve address people someone team instead based done goal idea".split()
)
GENERIC_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Term:
    """One content word of a question."""

    stem: str
    word: str  # as asked, case folded
    weight: float  # rarity in the collection, in [0, 1], 1 if no paper has it; lowered for words of asking
    alike: Mapping[str, float]  # stems that may stand in for it → weight in [0, 1)
    generic: bool = False  # a word of asking, which says little about the subject


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart. ``text`` is what is searched; the terms are of the words that it asks itself."""

    text: str
    vector: NDArray[np.float32]  # unit length
    terms: tuple[Term, ...]
    names: tuple[str, ...]  # words that look like names of things
    wants_number: bool
    wants_name: bool
    wants_many: bool  # several papers are asked for
    wants_effect: bool

    def coverage(self, stems: frozenset[str], *, stand_ins: bool = True) -> float:
        """Share of the question's weight that a text with these stems covers, in [0, 1]; 0.0 without terms."""
        total = sum(term.weight for term in self.terms)
        return (
            sum(term.weight * self.covers(term, stems, stand_ins=stand_ins) for term in self.terms) / total
            if total
            else 0.0
        )

    @staticmethod
    def covers(term: Term, stems: frozenset[str], *, stand_ins: bool = True) -> float:
        """How far a text with these stems holds one term: 1.0 the word itself, less for a stand-in."""
        if term.stem in stems:
            return 1.0
        if not stand_ins:
            return 0.0
        return max((weight for stem, weight in term.alike.items() if stem in stems), default=0.0)


def analyse(asked: str, searched: str, lexical: LexicalIndex, embed: Callable[[str], NDArray[np.float32]]) -> Question:
    """Take a question apart.

    asked: the words of the asker. searched: the stand-alone form, which may carry words of earlier turns.
    """
    words = dict(content_words(asked))
    alike = lexical.alike(words, embed)
    terms = tuple(
        Term(
            root,
            word,
            lexical.idf(root) * (GENERIC_WEIGHT if root in _GENERIC else 1.0),
            alike[root],
            generic=root in _GENERIC,
        )
        for root, word in words.items()
    )
    return Question(
        text=searched,
        vector=embed(searched),
        terms=terms,
        names=tuple(dict.fromkeys(names(asked))),
        wants_number=bool(_NUMBER.search(asked)),
        wants_name=bool(_NAME.search(asked)),
        wants_many=bool(_MANY.search(asked)),
        wants_effect=bool(_EFFECT.search(asked)),
    )
