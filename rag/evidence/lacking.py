"""What a question asks for that its best paper does not hold, in the words in which it was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.evidence.answerability import COMMON
from rag.evidence.asked import asked_for, held, phrase
from rag.policy import Evidence
from rag.text import content_stems
from rag.values.evidence import PaperEvidence
from rag.values.query import Query

MOST = 2  # things that are said to be lacking; more would be read as a list of the question's words
_WORD = re.compile(r"\S{1,200}")
_NAME = re.compile(r"[A-Z]|(?=.{0,200}[^\W\d_])\d")  # a capital letter, or a digit beside a letter
_NOUN = re.compile(  # by its ending; to leave a noun out costs little, to say that a verb is not covered reads badly
    r"(?:(?:tion|sion|ment|ness|ance|ence|ism|ship)s?|ics|(?:it|anc|enc|ac|log|graph)(?:y|ies))$", re.IGNORECASE
)
_EDGES = "\"'“”‘’`.,;:!?()[]{}…"


def lacking(query: Query, evidence: Sequence[PaperEvidence], policy: Evidence, *, off_topic: bool) -> list[str]:
    """Names first, and the thing that is asked for; without these, other nouns, weightiest first.

    evidence: best paper first. off_topic: the collection is not about such things, so that any word of it tells why.
    Empty where the best paper holds everything, or nothing can be said well.
    """
    close = frozenset[str]().union(*(one.stems for one in evidence))
    words = [
        (word, weight)
        for word, weight in _missing(query, evidence[0].stems if evidence else frozenset(), policy)
        if not (_is_name(query, word) and close.issuperset(content_stems(word)))  # another close paper has it
    ]
    found = [word for word, _ in words if _is_name(query, word)]
    wanted = None if off_topic else phrase(query.asked)
    if wanted and (not evidence or not _holds(query, evidence[0]) or any(word in wanted for word, _ in words)):
        return [*(name for name in found if name not in wanted), wanted][:MOST]
    others = [word for word, _ in sorted(words, key=lambda one: -one[1]) if off_topic or _NOUN.search(word)]
    return (found or others)[:MOST]


def _missing(query: Query, stems: frozenset[str], policy: Evidence) -> list[tuple[str, float]]:
    """(words beside each other that the paper lacks, weight of the weightiest), in the order of the question."""
    weights = {
        term.stem: term.weight
        for term in query.terms
        if not (term.generic or term.carried) and term.covered(stems) < policy.covered
    }
    runs: list[tuple[str, float]] = []
    last = -1
    for place, match in enumerate(_WORD.finditer(query.asked)):
        word = match.group().strip(_EDGES).removesuffix("'s").removesuffix("’s")
        weight = max((weights[stem] for stem in content_stems(word) if stem in weights), default=0.0)
        if not weight:
            continue
        if runs and last == place - 1 and _is_name(query, word) == _is_name(query, runs[-1][0]):
            runs[-1] = (f"{runs[-1][0]} {word}", max(runs[-1][1], weight))
        else:
            runs.append((word, weight))
        last = place
    return runs


def _is_name(query: Query, word: str) -> bool:
    first = query.asked.startswith(word)  # its capital may be that of the sentence
    return word not in COMMON and bool(_NAME.search(word[1:] if first else word))


def _holds(query: Query, paper: PaperEvidence) -> bool:
    """Whether a sentence holds such a thing as is asked for."""
    asked = asked_for(query.asked)
    return asked is None or any(held(asked, one.text, paper.paper.title, query.asked)[1] for one in paper.sentences)
