"""Does a quote say the opposite of a sentence that uses its words? Overlap and cosine cannot tell; these checks can.

Each looks for one way in which models, and people, turn a statement round: a denial added or lost, "more" for "less",
an "only" or "always" that nobody said. They see only words near each other, and are silent when in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.text import content_stems, stem, words
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import BE, DENIALS, collect, tokens_of
from rag.verify.opposites import graded, opposite, same_way, way

_CONTRAST = frozenset("contrast unlike instead rather contrary".split())  # what is denied is of something else
_EMPHASIS = frozenset(
    "but else more less only just merely simply solely necessarily".split()
)  # "not only" denies nothing
_TWICE = frozenset("miss misses fail fails failed lack lacks without unable".split())  # "does not miss"
_LIGHT = frozenset(stem(word) for word in "need help use aid require support".split())  # "without the need for labels"
_LIKE_DONE = frozenset(stem(word) for word in "require need catch detect use employ show find".split())  # or synonyms
_ONLY = frozenset("only solely exclusively".split())
_RESTRICTED = _ONLY | frozenset("just limited alone sole exclusive except".split())
_ABSOLUTE = frozenset(
    "completely entirely always guarantees guarantee perfectly impossible eliminates never proves".split()
)
_LACK = frozenset("lack lacks lacking lacked without absence".split())
_ADJECTIVES = frozenset("more less large small high low long short big great few hard easi fast slow".split())  # stems
_DEFICIENT = frozenset(
    "deficient deficiency knockout knockdown null loss absence absent without depleted depletion impaired".split()
)
_CONTRASTS = frozenset("contrast unlike whereas contrary".split())
_LESS = frozenset(
    stem(word)
    for word in "limited lack less few only fail free instead avoid prevent eliminate remove fixed frozen independent "
    "agnostic regardless difficult hard unseen absent suppress resist reduce lower despite neglect ignore poor "
    "deficient loss restrict decline minimal insufficient".split()
)  # that may deny in other words
_STUDIED = frozenset(map(stem, "test measure study evaluate examine assess investigate report analyze".split()))
_EFFECTS = frozenset(map(stem, "effect difference change association improvement benefit influence impact".split()))
_CHOSEN = 3  # quotes whose denials count
_VERY_NEAR = 3  # shared words
_WIDE = 8  # words on each side of a word
_NEAR = 3  # content words that belong to a word
_DENIED = 4  # words before a word among which its denial stands
OPPOSITE = "what it cites says the opposite or less"
TURNED = "what it cites says it the other way round"


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with the stems of the content words that it goes with."""

    stem: str
    near: frozenset[str]
    head: frozenset[str]  # those that it describes
    denied: bool
    compared: bool  # "faster than": rag.verify.comparisons looks at these


def denial(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy] = ()) -> str:
    """What one of the two denies, the other must not affirm."""
    said, denied = frozenset(content_stems(sentence)), _denied(sentence)
    quoted = " ".join(quotes)
    there, denied_there = frozenset(content_stems(quoted)), _denied(quoted)
    everything_denied = frozenset().union(*map(frozenset, denied))
    all_denied_there = frozenset().union(*map(frozenset, denied_there))
    further = [frozenset(scope) for paper in papers for one in paper.readings for scope in _denied(one.text)]
    if not _CONTRAST.isdisjoint(words(quoted)):
        return ""
    if _LACK & frozenset(words(sentence)) - frozenset(words(quoted)) and not _DEFICIENT.isdisjoint(words(quoted)):
        return ""
    for scope in denied:
        turned = any(
            opposite(one, other) for one in scope[:1] for other in there - frozenset(scope)
        )  # "did not differ"
        also = any(scope[0] in one and len(one.intersection(scope)) > 1 for one in further)
        if scope[0] in there and not all_denied_there & frozenset(scope) and not turned and not also:
            return OPPOSITE
    for best, scope in [(quote is quotes[0], scope) for quote in quotes for scope in _denied(quote)]:
        affirmed = said & frozenset(scope)
        if not best and len(affirmed) < len(scope):
            continue
        turned = any(opposite(one, other) for one in scope[:1] for other in said)
        if (
            scope[0] in _LIKE_DONE | said
            and 2 * len(affirmed) > len(scope) > 1
            and not everything_denied & frozenset(scope)
            and not turned
        ):
            return OPPOSITE
    return ""


def affirmed(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy] = ()) -> str:  # noqa: ARG001
    """What a quote denies, did not look at, or says of one in contrast to others must not be said of it, or of them."""
    said, stems = frozenset(words(sentence)), frozenset(content_stems(sentence))
    contrasted = any(not _CONTRASTS.isdisjoint(words(quote)) for quote in quotes[:_CHOSEN])
    if "other" in said and contrasted and _CONTRASTS.isdisjoint(said):
        return OPPOSITE
    scopes = [scope for quote in quotes[:_CHOSEN] for scope in _denied(quote)]
    for scope in scopes:
        if scope[0] in _STUDIED - stems and not stems.isdisjoint(scope):
            return "what it cites did not look at this"
    if not (DENIALS | {"none"}).isdisjoint(said) or not _LESS.isdisjoint(stems):
        return ""
    for scope in scopes:
        turned = any(opposite(one, other) for one in scope for other in stems - frozenset(scope))
        if len(stems.intersection(scope[:_NEAR])) > 1 and not turned:
            return OPPOSITE
    if any(way(one) for one in stems) and any(not _EFFECTS.isdisjoint(scope) for scope in _denied(quotes[0])):
        return OPPOSITE
    return ""


@lru_cache(maxsize=2048)
def _denied(text: str) -> tuple[tuple[str, ...], ...]:
    """For each denial, the stems that it denies, the nearest first."""
    tokens = tokens_of(text)
    found = []
    twice = False
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token == "yet" and following == "to":  # "have yet to master"
            found.append(collect(tokens[place + 2 : place + 12], _NEAR))
        if token not in DENIALS or following in _EMPHASIS:
            continue
        if twice:  # "fail" of "does not fail"
            twice = False
            continue
        if following in _TWICE:
            twice = following in DENIALS
            continue
        scope = collect(tokens[place + 1 : place + 12], _NEAR + 1)
        while len(scope) > 1 and scope[0] in _LIGHT:
            scope = scope[1:]
        scope = scope[:_NEAR]
        if len(scope) > 1 and tokens[place + 2 : place + 3] == ["to"]:  # "does not learn to predict"
            scope = scope[1:]
        if place and tokens[place - 1] in BE:  # "GPUs are not present"
            scope += collect(tokens[max(0, place - 13) : place - 1][::-1], 1)
        if scope:
            found.append(scope)
    return tuple(found)


def direction(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy] = ()) -> str:
    """“More” of something is not “less” of it, nor “stable” “unstable”."""
    said, there = _words_of(sentence), [word for quote in quotes for word in _words_of(quote)]
    further = [word for paper in papers for one in paper.readings for word in _words_of(one.text)]
    held = frozenset(word.stem for word in there)
    for one in said:
        if one.stem in held:
            continue
        related = [word for word in there if word.denied == one.denied and _same_matter(one.near, word.near)]
        against = [word for word in related if opposite(one.stem, word.stem)]
        against = [word for word in against if not (word.compared and one.compared) and _about_one(one, word)]
        if (
            against
            and not any(same_way(one.stem, word.stem) and one.head & word.head for word in related)
            and not any(one.stem == word.stem and one.head & word.head for word in further)
        ):
            return TURNED
    return ""


@lru_cache(maxsize=2048)
def _words_of(text: str) -> tuple[_Word, ...]:
    tokens = tokens_of(text)
    found = []
    for place, token in enumerate(tokens):
        if not token[0].isalpha():
            continue
        just_before = tokens[max(0, place - _DENIED) : place]
        near = _around(tokens, place)
        head = frozenset(collect(tokens[place + 1 : place + 12], _NEAR))
        if not head or not BE.isdisjoint(just_before):  # "the gains are consistent across models"
            head |= frozenset(collect(tokens[max(0, place - 12) : place][::-1], _NEAR))
        denied = not DENIALS.isdisjoint(just_before)
        compared = "than" in tokens[place + 1 : place + 5]
        found += [_Word(stem(part), near, head, denied, compared) for part in token.split("-") if part]
    return tuple(found)


def _around(tokens: Sequence[str], place: int) -> frozenset[str]:
    """Stems of the content words within _WIDE words of this one."""
    before = [token for token in tokens[max(0, place - 2 * _WIDE) : place] if token[0].isalpha()][-_WIDE:]
    after = [token for token in tokens[place + 1 : place + 1 + 2 * _WIDE] if token[0].isalpha()][:_WIDE]
    return frozenset(found for token in before + after for found in content_stems(token))


def _about_one(one: _Word, other: _Word) -> bool:
    """Whether two words describe the same thing, or stand among very much the same words."""
    if one.head & other.head:
        return True
    describes = any(word.stem in _ADJECTIVES or graded(word.stem) for word in (one, other))
    return not describes and len(one.near & other.near) >= _VERY_NEAR


def _same_matter(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two words stand among enough of the same words to be about the same thing."""
    return len(one & other) >= min(2, len(one), len(other)) > 0


def overstated(sentence: str, quotes: Sequence[str]) -> str:
    """An "only" or "always" that the quotes do not have."""
    said = words(sentence)
    there = {
        part for quote in quotes for word in words(quote.replace("not only", "")) for part in (word, *word.split("-"))
    }
    only = next((word for word in said if word in _ONLY), None)
    negated = any(before in DENIALS for before, word in pairwise(said) if word in _ONLY)  # "not only"
    if only and not negated and _RESTRICTED.isdisjoint(there):
        return f"what it cites does not say “{only}”"
    absolute = next((word for word in said if word in _ABSOLUTE), None)
    if absolute and not _ABSOLUTE & there and stem(absolute) not in {stem(word) for word in there}:
        return f"what it cites does not say “{absolute}”"
    return ""
