"""In what order does a sentence have the steps, names and words of its quote?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from rag.text import content_stems, names, words
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import BE, BREAKS, tokens_of

_EARLIER = frozenset(
    "before then afterwards subsequently later finally followed".split()
)  # what stands left comes first
_LATER = frozenset("after following".split())
_FIRST = frozenset("first initially".split())
_ORDERED = _EARLIER | _LATER | _FIRST | {"next"}
_BECOMES = frozenset(("into",))
_JOINS = frozenset("and or than from while whereas as including like unlike in on of".split())
_FRONTED = frozenset("at in on for with by before after from during across under among unlike without when if".split())
_CHOSEN = 3  # quotes whose order counts
_MOST_SHARED = 24  # words
_SHARED = 0.5  # share of a sentence's words that the quote must have before their order counts
_PAIRS = 3  # of shared words, at least
_MOSTLY = 0.6  # share of them from which an order is turned
TURNED = "what it cites has these words the other way round"
_REACH = 14  # words on each side
Sides = tuple[frozenset[str], frozenset[str]]


def reordered(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:  # noqa: ARG001
    """Two steps that the quote has in one order must not be in the other; nor what turns into what."""
    there = [pair for quote in quotes for pair in _steps(quote)]
    for early, late in _steps(sentence):
        straight = max((len(early & one) * len(late & other) for one, other in there), default=0)
        turned = max((len(early & other) * len(late & one) for one, other in there), default=0)
        if turned > straight:
            return "what it cites has them in another order"
    return ""


def turned(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:  # noqa: ARG001
    """Names, and words, that stand the other way round may have changed their roles, unless the grammar says why."""
    said = words(sentence)
    if (said[:1] and said[0] in _FRONTED) or "by" in said or _is_passive(said):
        return ""
    for quote in quotes[:_CHOSEN]:
        if pair := _names_turned(sentence, quote):
            return f"what it cites has {pair[0]} and {pair[1]} the other way round"
    there, here = _once(quotes[0]), _once(sentence)
    shared = [one for one in here if one in there]
    if len(shared) < _SHARED * len(here):
        return ""
    pairs = list(combinations(shared[:_MOST_SHARED], 2))
    crossing = sum(there[one] > there[other] for one, other in pairs)
    return TURNED if len(pairs) >= _PAIRS and crossing > _MOSTLY * len(pairs) else ""


def _is_passive(said: Sequence[str]) -> bool:
    return any(one in BE and other.endswith(("ed", "en", "wn")) for one, other in pairwise(said))


def _names_turned(sentence: str, quote: str) -> tuple[str, str] | None:
    """Neighbouring names, between which stands no conjunction, that stand there in the other order."""
    own = [name for name in dict.fromkeys(names(sentence)) if sentence.count(name) == quote.count(name) == 1]
    for one, other in pairwise(own):
        between = sentence[sentence.find(one) + len(one) : sentence.find(other)]
        joined = "," in between or not _JOINS.isdisjoint(words(between))
        if quote.find(one) > quote.find(other) and not joined:
            return one, other
    return None


def _once(text: str) -> dict[str, int]:
    """Content stems that stand there once, with their places, in order."""
    stems = content_stems(text)
    return {one: place for place, one in enumerate(stems) if stems.count(one) == 1}


def _steps(text: str) -> Iterator[Sides]:
    """(stems of what is or comes first, stems of what it becomes or what comes later)."""
    tokens = tokens_of(text)
    for place, token in enumerate(tokens):
        before: Sequence[str] = tokens[max(0, place - _REACH) : place]
        after: Sequence[str] = tokens[place + 1 : place + 1 + _REACH]
        if token in ("before", "after", "following", "into"):
            before, after = _clause(before[::-1]), _clause(after)
        left, right = _stems(before), _stems(after)
        if token in _EARLIER | _BECOMES and left and right:
            yield left - right, right - left
        elif token in _LATER and left and right:
            yield right - left, left - right
        elif token in _FIRST and tokens[place - 1 : place] not in (["a"], ["the"], ["an"], ["its"]):  # "a first output"
            cut = next(
                (at for at in range(place + 2, len(tokens)) if tokens[at] in BREAKS or tokens[at] in _ORDERED), 0
            )
            if cut:
                head, tail = _stems(tokens[:cut]), _stems(tokens[cut : cut + 2 * _REACH])
                yield head - tail, tail - head


def _clause(tokens: Sequence[str]) -> Sequence[str]:
    end = next((at for at, token in enumerate(tokens) if token in BREAKS), len(tokens))
    return tokens[:end]


def _stems(tokens: Sequence[str]) -> frozenset[str]:
    return frozenset(one for token in tokens for one in content_stems(token))
