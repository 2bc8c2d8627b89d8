"""Does a quote say the opposite of a sentence that uses its words? Overlap and cosine cannot tell; these checks can.

Each looks for one way in which models, and people, turn a statement round: a denial added or lost, "more" for "less",
the loser of a comparison named as its winner, two numbers exchanged, an "only" or "always" that nobody said. They see
only words near each other, and are silent when in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from rag.text import Names, content_stems, names, stem, words
from rag.verify.exchange import exchanged
from rag.verify.opposites import graded, opposite, same_way, way

_TOKEN = re.compile(r"\d{1,20}+(?:[.,]\d{1,20}+){0,4}|[^\W_]{1,40}+(?:[-'’.][^\W_]{1,40}+){0,6}|[^\w\s]")
_BREAKS = frozenset(", ; : ( ) — – . ! ? and but while whereas although though or despite yet which".split())
_DENIALS = frozenset(
    "not no never neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't couldn't "
    "hardly fail fails failed unable lack lacks lacking lacked".split()
)
_CONTRAST = frozenset("contrast unlike instead rather contrary".split())  # what is denied is of something else
_EMPHASIS = frozenset("only just merely simply solely necessarily".split())  # "not only" denies nothing
_BE = frozenset("is are was were be been being".split())
_WON = stem("outperform")
_CLAUSE_END = re.compile(r"[,;:(](?=\s)|\b(?:while|whereas|although|because)\b")
_ONLY = frozenset("only solely exclusively".split())
_RESTRICTED = _ONLY | frozenset("just limited alone sole exclusive except".split())
_ABSOLUTE = frozenset(
    "completely entirely always guarantees guarantee perfectly impossible eliminates never proves".split()
)
_WINS = re.compile(r"\b(?:outperform|surpass|exceed|beat|outscor|overtak|outdo)[a-z]{0,4}\b", re.IGNORECASE)
_THAN = re.compile(r"\bthan\b(?!\W{0,3}\d)|\b(?:superior|inferior)\s{1,3}to\b", re.IGNORECASE)
_VERY_NEAR = 3  # shared words
_WIDE = 8  # words on each side of a word
_PREPOSITIONS = frozenset("of in on for with to from as at than that or into between through via under over".split())
_ROLE_REACH = 5
_HEADING = 6  # letters from which a word in capitals heads a section of an abstract
_TOLD = 120  # characters after a name that may be about it
_SAME_TOLD = 3  # content words of a sentence among them
_ROLE = 2  # content words on each side of a verb
_LONGEST = 1500  # characters of a sentence that are looked at
_MOST_TOKENS = 300
_MOST_COMPARISONS = 20
_NEAR = 3  # content words that belong to a word
_SIDE = 8  # content words on each side of a comparison
OPPOSITE = "what it cites says the opposite or less"
TURNED = "what it cites says it the other way round"
SWAPPED = "what it cites has them in each other's place"
CROSSED = "what it cites compares them the other way round"


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with the stems of the content words that it goes with."""

    stem: str
    near: frozenset[str]
    head: frozenset[str]  # those that it describes
    denied: bool
    compared: bool  # "faster than": _comparison looks at these


def objections(sentence: str, quotes: Sequence[str]) -> dict[str, str]:
    """Name of a check → why the quotes do not say this, in words; nothing speaks against it if empty.

    quotes: the best one first. Of very long texts the beginning is looked at.
    """
    looked_at = [quote[:_LONGEST] for quote in quotes]
    found = {name: check(sentence[:_LONGEST], looked_at) for name, check in CHECKS.items()}
    return {name: why for name, why in found.items() if why}


def _denial(sentence: str, quotes: Sequence[str]) -> str:
    """What one of the two denies, the other must not affirm."""
    said, denied = frozenset(content_stems(sentence)), _denied(sentence)
    quoted = " ".join(quotes)
    there, denied_there = frozenset(content_stems(quoted)), _denied(quoted)
    everything_denied = frozenset().union(*map(frozenset, denied))
    all_denied_there = frozenset().union(*map(frozenset, denied_there))
    if not _CONTRAST.isdisjoint(words(quoted)):
        return ""
    for scope in denied:
        turned = any(opposite(one, other) for one in scope[:1] for other in there)  # "did not differ", "similar"
        if scope[0] in there and not all_denied_there & frozenset(scope) and not turned:
            return OPPOSITE
    for scope in _denied(quotes[0]):
        affirmed = said & frozenset(scope)
        turned = any(opposite(one, other) for one in scope[:1] for other in said)
        if (
            scope[0] in said
            and 2 * len(affirmed) > len(scope)
            and not everything_denied & frozenset(scope)
            and not turned
        ):
            return OPPOSITE
    return ""


def _denied(text: str) -> list[tuple[str, ...]]:
    """For each denial, the stems that it denies, the nearest first."""
    tokens = [token.casefold().replace("’", "'") for token in _TOKEN.findall(text)]
    found = []
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token not in _DENIALS or following in _EMPHASIS or (token == "lack" and following == "of"):
            continue
        scope = _collect(tokens[place + 1 : place + 12], _NEAR)
        if len(scope) > 1 and tokens[place + 2 : place + 3] == ["to"]:  # "does not learn to predict"
            scope = scope[1:]
        if place and tokens[place - 1] in _BE:  # "GPUs are not present"
            scope += _collect(tokens[max(0, place - 13) : place - 1][::-1], 1)
        if scope:
            found.append(scope)
    return found


def _direction(sentence: str, quotes: Sequence[str]) -> str:
    """“More” of something is not “less” of it, nor “stable” “unstable”."""
    said, there = _words_of(sentence), [word for quote in quotes for word in _words_of(quote)]
    held = frozenset(word.stem for word in there)
    for one in said:
        if one.stem in held:
            continue
        related = [word for word in there if word.denied == one.denied and _same_matter(one.near, word.near)]
        against = [word for word in related if opposite(one.stem, word.stem)]
        against = [word for word in against if not (word.compared and one.compared) and _about_one(one, word)]
        if against and not any(same_way(one.stem, word.stem) and one.head & word.head for word in related):
            return TURNED
    return ""


def _words_of(text: str) -> list[_Word]:
    tokens = [token.casefold() for token in _TOKEN.findall(text)][:_MOST_TOKENS]
    found = []
    for place, token in enumerate(tokens):
        if not token[0].isalpha():
            continue
        just_before = tokens[max(0, place - 2) : place]
        near = _around(tokens, place)
        head = _following(tokens, place)
        if not head or not _BE.isdisjoint(just_before):  # "the gains are consistent across models"
            head |= _preceding(tokens, place, _NEAR)
        denied = not _DENIALS.isdisjoint(just_before)
        compared = "than" in tokens[place + 1 : place + 5]
        found += [_Word(stem(part), near, head, denied, compared) for part in token.split("-") if part]
    return found


def _around(tokens: list[str], place: int) -> frozenset[str]:
    """Stems of the content words within _WIDE words of this one."""
    before = [token for token in tokens[max(0, place - 2 * _WIDE) : place] if token[0].isalpha()][-_WIDE:]
    after = [token for token in tokens[place + 1 : place + 1 + 2 * _WIDE] if token[0].isalpha()][:_WIDE]
    return frozenset(found for token in before + after for found in content_stems(token))


def _about_one(one: _Word, other: _Word) -> bool:
    """Whether two words describe the same thing, or stand among very much the same words."""
    return bool(one.head & other.head) or len(one.near & other.near) >= _VERY_NEAR


def _same_matter(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two words stand among enough of the same words to be about the same thing."""
    return len(one & other) >= min(2, len(one), len(other)) > 0


def _following(tokens: Sequence[str], place: int, most: int = _NEAR) -> frozenset[str]:
    return frozenset(_collect(tokens[place + 1 : place + 12], most))


def _preceding(tokens: Sequence[str], place: int, most: int) -> frozenset[str]:
    return frozenset(_collect(tokens[max(0, place - 12) : place][::-1], most))


def _collect(tokens: Sequence[str], most: int) -> tuple[str, ...]:
    """Stems of the first content words up to a break of the clause."""
    found: list[str] = []
    for token in tokens:
        if token in _BREAKS or len(found) >= most:
            break
        found += [] if token[0].isdigit() else content_stems(token)
    return tuple(found)


def _comparison(sentence: str, quotes: Sequence[str]) -> str:
    """Who wins a comparison in the quote must win it in the sentence."""
    there = [found for quote in quotes for found in islice(_compared(quote), _MOST_COMPARISONS)]
    for quality, more, less in islice(_compared(sentence), _MOST_COMPARISONS):
        fits = [
            (len(more & winner) + len(less & loser), len(more & loser) + len(less & winner))
            if way == 1
            else (len(more & loser) + len(less & winner), len(more & winner) + len(less & loser))
            for other, winner, loser in there
            if (way := _same_way(quality, other)) and winner and loser and more and less
        ]
        straight, crossed = max(fits, key=max, default=(0, 0))
        if crossed > straight:
            return CROSSED
    return ""


def _same_way(one: str, other: str) -> int:
    """1 if two qualities point the same way, -1 if they are opposites, 0 if they have nothing to do with each other."""
    ways = [way(quality) for quality in (one, other)]
    if all(ways):
        return ways[0] * ways[1]
    if one == other or _WON in (one, other):  # who outperforms another is faster, cheaper or whatever is good
        return 1
    return -1 if opposite(one, other) else 0


def _compared(text: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """(stem of a quality, what has more of it, what has less) of every comparison; the two as stems."""
    for match in _WINS.finditer(text):
        before, after = text[max(0, match.start() - 300) : match.start()], text[match.end() : match.end() + 300]
        passive = words(after)[:1] == ["by"] and not _BE.isdisjoint(words(before)[-3:])
        yield (_WON, *_sides(before, after, turned=passive))
    for match in _THAN.finditer(text):
        before, after = text[max(0, match.start() - 300) : match.start()], text[match.end() : match.end() + 300]
        near = re.findall(r"[^\W_]{1,40}", before if match[0].casefold() == "than" else match[0])[-8:]
        for word in reversed(near):
            found = stem(word.casefold())
            if way(found) or graded(found):
                cut = before.rfind(word)
                yield (found, *_sides(before[:cut] if cut >= 0 else before, after, turned=False))
                break


def _sides(before: str, after: str, *, turned: bool) -> tuple[frozenset[str], frozenset[str]]:
    left = frozenset(content_stems(_CLAUSE_END.split(before)[-1])[-_SIDE:])
    right = frozenset(content_stems(_CLAUSE_END.split(after)[0])[:_SIDE])
    return (right, left) if turned else (left, right)


def _overstated(sentence: str, quotes: Sequence[str]) -> str:
    said = words(sentence)
    there = {word for quote in quotes for word in words(quote)}
    only = next((word for word in said if word in _ONLY), None)
    negated = any(before in _DENIALS for before, word in pairwise(said) if word in _ONLY)  # "not only"
    if only and not negated and _RESTRICTED.isdisjoint(there):
        return f"what it cites does not say “{only}”"
    absolute = next((word for word in said if word in _ABSOLUTE), None)
    if absolute and not _ABSOLUTE & there and stem(absolute) not in {stem(word) for word in there}:
        return f"what it cites does not say “{absolute}”"
    return ""


def _roles(sentence: str, quotes: Sequence[str]) -> str:
    """What does something in the quote must not have it done to it in the sentence: "A activates B"."""
    there: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {}
    for quote in quotes:
        for verb, before, after in _acting(quote):
            there.setdefault(verb, []).append((before, after))
    for verb, before, after in _acting(sentence):
        pairs = there.get(verb, [])
        crossed = any(before & right and after & left for left, right in pairs)
        straight = any(before & left or after & right for left, right in pairs)
        if crossed and not straight:
            return SWAPPED
    return ""


def _acting(text: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """(stem, nearest content words before it, and after it) of every content word with both; turned in the passive."""
    tokens = [token.casefold() for token in _TOKEN.findall(text)][:_MOST_TOKENS]
    for place, token in enumerate(tokens):
        found = content_stems(token)
        if len(found) != 1 or not token[0].isalpha():
            continue
        before, after = _beside_verb(tokens[:place][::-1]), _beside_verb(tokens[place + 1 :])
        if before and after:
            passive = "by" in tokens[place + 1 : place + 3]
            yield (found[0], after, before) if passive else (found[0], before, after)


def _beside_verb(tokens: Sequence[str]) -> frozenset[str]:
    """Stems of the nearest content words, up to what separates them from the verb."""
    found: list[str] = []
    for token in tokens[:_ROLE_REACH]:
        if token in _BREAKS or token in _PREPOSITIONS or len(found) >= _ROLE:
            break
        found += content_stems(token)
    return frozenset(found)


def _subject(sentence: str, quotes: Sequence[str]) -> str:
    """What the best quote says of one thing must not be said of another that it does not name."""
    here = Names(quotes[0])
    own = names(sentence)
    if not own or any(here.holds(name) for name in own):
        return ""
    said = frozenset(content_stems(sentence)) - frozenset(one for name in own for one in content_stems(name))
    place = 0
    for name in names(quotes[0]):
        place = quotes[0].find(name, place) + len(name)
        heading = name.isalpha() and name.isupper() and len(name) >= _HEADING  # "OBJECTIVE"
        if heading or any(_akin(name.casefold(), other.casefold()) for other in own):
            continue
        told = frozenset(content_stems(quotes[0][place : place + _TOLD])[:_SIDE])
        if len(told & said) >= min(_SAME_TOLD, len(said)) > 0:
            return f"what it cites says it of {name}"
    return ""


def _akin(one: str, other: str) -> bool:
    """Whether one name may be a form of the other: "FOXO3" and "FOXO3A"."""
    return one in other or other in one or one[:4] == other[:4]


CHECKS: Mapping[str, Callable[[str, Sequence[str]], str]] = {
    "denial": _denial,
    "direction": _direction,
    "comparison": _comparison,
    "exchanged": exchanged,
    "overstated": _overstated,
    "roles": _roles,
    "subject": _subject,
}
