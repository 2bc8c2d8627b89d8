"""Does a sentence claim more than its quotes: of more things, more surely, or as a cause?

A quote that says "may", "in mice" or "associated with" does not carry "proves", "in patients" or "causes". The checks
know only the words by which English grades a claim, and are silent where the quotes grade theirs as high.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from rag.text import content_stems, stem, words
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import DENIALS


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


_ALL = frozenset(
    "all every any everything everyone everybody anybody everywhere always entire entirely whole invariably "
    "universally".split()
)
_BROAD = _ALL | frozenset(
    "each both universal consistently consistent across regardless whatever agnostic arbitrary full fully complete "
    "completely throughout".split()
)
_KINDS = frozenset("kind kinds type types sort sorts form forms".split())  # "all kinds of" says that they are many
_ALIKE = 4  # letters in which "data" and "dataset" agree
_NEAR = 6  # words of a quote on each side of "all" among which stands what it is said of
_MOST_GRADES = 8  # of one sentence
_MOST = frozenset("best worst highest lowest largest smallest most least fastest strongest leading foremost".split())
_TOP = _MOST | frozenset(
    "state-of-the-art sota state-of-art superior outperform outperforms outperforming outperformed surpass surpasses "
    "surpassed maximal maximum maximize maximizes minimum optimal majority main mainly predominantly primarily largely "
    "mostly dominant primary better first major superlative".split()
)
_SURE = (  # what nobody may say, unless a quote says it or what stands behind it
    (
        _stems("prove proves proven proof guarantee certainly definitely undoubtedly unquestionably"),
        _stems("always ensure"),
    ),
    (_stems("cure cures cured eradicate eliminate solve solves"), _stems("remove avoid prevent")),
    (_stems("perfect perfectly flawless"), _stems("100")),
    (_stems("completely totally entirely fully"), _stems("complete full whole all")),
    (_stems("impossible"), _stems("cannot unable infeasible")),
    (
        _stems("unnecessary superfluous obsolete needless replace replaces"),
        _stems("eliminate without substitute instead"),
    ),
    (_stems("adopted deployed"), _stems("production online deployment adoption")),
)
_SURE_STEMS = frozenset().union(*(group for group, _ in _SURE))
_LOOSENS = DENIALS | {"at"}
_LINKED = _stems(
    "associate associated association correlate correlated correlation link linked inverse predict predictor"
)
_CAUSES = _stems(
    "cause causes caused lead leads led because due trigger induce protect protects prevent prevents raise raises "
    "reduce reduces increase increases lower lowers make makes produce drive drives"
)
_PEOPLE = _stems(
    "human humans patient patients people person men women man woman child children adult adults infant infants "
    "volunteer volunteers participant participants clinical clinically"
)
_ANIMALS = _stems(
    "mouse mice murine rat rats rodent rodents monkey monkeys primate macaque macaques animal animals zebrafish "
    "drosophila elegans yeast cell cells vitro pig pigs dog dogs rabbit rabbits vivo xenograft culture cultured "
    "embryo embryos"
)


def overreaching(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """What is said of all or most, for sure, as a cause, or of people must be so in a quote."""
    said, there = words(sentence), frozenset(_parts(quotes))
    stems_there = frozenset(map(stem, there))
    for place, word in islice(_grades(said), _MOST_GRADES):
        unsaid = (
            (word in _ALL and not _covers(said[place + 1 : place + 1 + _NEAR], quotes, papers))
            or (word in _MOST and not _TOP & there and not any(one.endswith("est") for one in there))
            or any(stem(word) in group and not (group | same) & stems_there for group, same in _SURE)
        )
        if unsaid:
            return f"what it cites does not say “{word}”"
    if any(f"of {word}" in quote for word in _all_numbers(said) for quote in quotes):
        return "what it cites does not say it of all"
    own = frozenset(map(stem, said))
    if own & _CAUSES and not own & _LINKED and stems_there & _LINKED and not stems_there & _CAUSES:
        return "what it cites speaks of a link, not of a cause"
    if own & _PEOPLE and not stems_there & _PEOPLE and stems_there & _ANIMALS:
        return "what it cites does not speak of people"
    return ""


def _all_numbers(said: Sequence[str]) -> list[str]:
    """The 22 of "all 22"."""
    return [word for before, word in pairwise(said) if before == "all" and word.isdigit()]


def _grades(said: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The words that grade a claim, with their places; not of "not all", nor of "at most"."""
    for place, word in enumerate(said):
        if (word in _ALL or word in _MOST or stem(word) in _SURE_STEMS) and said[max(0, place - 1)] not in _LOOSENS:
            yield place, word


def _covers(following: Sequence[str], quotes: Sequence[str], papers: Sequence[Anatomy]) -> bool:
    """Whether a text says of all of something what a sentence says of all of it."""
    matter = content_stems(" ".join(following))[:2]
    if matter and following[0] in _KINDS:
        return True
    for text in (*quotes, *(one.text for paper in papers for one in paper.readings)):
        tokens = words(text)
        for place, token in enumerate(tokens):
            if token in _BROAD:
                near = content_stems(" ".join(tokens[max(0, place - _NEAR) : place + _NEAR + 1]))
                if any(one[:_ALIKE] == other[:_ALIKE] for one in matter for other in near):
                    return True
    return False


def _parts(quotes: Sequence[str]) -> Iterator[str]:
    for quote in quotes:
        for word in words(quote):
            yield word
            yield from word.split("-")
