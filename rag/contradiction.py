"""Does a quote say the opposite of a sentence that uses its words? Overlap and cosine cannot tell; these checks can.

Each looks for one way in which small models, and people, turn a statement round: a denial added or lost, "more" for
"less", the loser of a comparison named as its winner, two numbers exchanged, an "only" or "always" that nobody said.
They see only words near each other, and are silent when in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.text import content_stems, numbers, stem, words

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:[-'’.][^\W_]+)*|[^\w\s]")
_BREAKS = frozenset(", ; : ( ) — – . ! ? and but while whereas although though or despite yet which".split())
_DENIALS = frozenset(
    "not no never neither nor without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't hardly fail "
    "fails failed unable lack lacks lacking lacked".split()
)
_EMPHASIS = frozenset("only just merely simply solely".split())  # "not only" denies nothing
_BE = frozenset("is are was were be been being".split())
_SCALES = tuple(  # one thing, in two directions
    (frozenset(stem(word) for word in up.split()), frozenset(stem(word) for word in down.split()))
    for up, down in (
        (
            "increase rise raise more larger higher greater grow grows growing gain boost bigger amplify expand "
            "multiply longer high large",
            "decrease drop lower less fewer smaller reduce shrink decline fall cut diminish lessen shorter low small "
            "minimal",
        ),
        (
            "improve better enhance outperform superior strengthen benefit help boost surpass best",
            "worsen worse degrade harm hurt deteriorate underperform inferior weaken impair worst damage",
        ),
        ("fast faster quick quicker rapid accelerate speed", "slow slower delay sluggish"),
        ("cheap cheaper inexpensive affordable economical", "costly costlier expensive"),
        ("easy easier simple simpler", "difficult hard harder complex"),
        ("strong stronger robust", "weak weaker brittle fragile"),
        ("stable", "unstable volatile"),
        ("accurate", "inaccurate wrong"),
        ("bilingual multilingual", "monolingual"),
        ("mitigate alleviate", "aggravate exacerbate compound"),
        ("online", "offline"),
    )
)
_NEGATING = ("un", "in", "im", "ir", "il", "dis", "non")  # consistent, inconsistent
_ONLY = frozenset("only solely exclusively".split())
_RESTRICTED = _ONLY | frozenset("just single limited alone sole exclusive specific particular except".split())
_ABSOLUTE = frozenset(stem(word) for word in "completely entirely always guarantees perfectly impossible".split())
_WINS = re.compile(r"\b(?:outperform|surpass|exceed|beat|outscor|overtak|outdo)\w*", re.IGNORECASE)
_THAN = re.compile(r"((?:\w+\W+){1,4})than\b(?!\W*\d)|\b((?:superior|inferior)\W+)to\b", re.IGNORECASE)
_QUALITY = 1  # the place in _SCALES of what "outperforms" is about
_NEAR = 3  # content words that belong to a word
_SIDE = 8  # content words on each side of a comparison


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with the stems of the content words that it goes with."""

    stem: str
    near: frozenset[str]
    denied: bool
    compared: bool  # "faster than": _comparison looks at these


def contradiction(sentence: str, quotes: Sequence[str]) -> str:
    """Why the quotes do not say this, in words; empty if nothing speaks against it. quotes: the best one first."""
    checks = (_denial, _direction, _comparison, _exchanged, _overstated)
    return next((why for check in checks if (why := check(sentence, quotes))), "")


def _denial(sentence: str, quotes: Sequence[str]) -> str:
    """What one of the two denies, the other must not affirm."""
    said, denied = frozenset(content_stems(sentence)), _denied(sentence)
    quoted = " ".join(quotes)
    there, denied_there = frozenset(content_stems(quoted)), _denied(quoted)
    everything_denied = frozenset().union(*denied)
    for scope in denied:
        if scope & there and not scope & frozenset().union(*denied_there):
            return "what it cites says the opposite or less"
    for scope in _denied(quotes[0]):
        affirmed = scope & said
        if 2 * len(affirmed) > len(scope) and not scope & everything_denied:
            return "what it cites says the opposite or less"
    return ""


def _denied(text: str) -> list[frozenset[str]]:
    """For each denial, the stems that it denies."""
    tokens = [token.casefold().replace("’", "'") for token in _TOKEN.findall(text)]
    found = []
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token not in _DENIALS or following in _EMPHASIS:
            continue
        scope = _following(tokens, place)
        if place and tokens[place - 1] in _BE:  # "GPUs are not present"
            scope |= _preceding(tokens, place - 1, 1)
        if scope:
            found.append(scope)
    return found


def _direction(sentence: str, quotes: Sequence[str]) -> str:
    """“More” of something is not “less” of it, nor “stable” “unstable”."""
    said, there = _words_of(sentence), [word for quote in quotes for word in _words_of(quote)]
    for one in said:
        related = [word for word in there if word.near & one.near and word.denied == one.denied]
        against = [word for word in related if _opposite(one.stem, word.stem)]
        against = [word for word in against if not (word.compared and one.compared)]
        if against and not any(_same_way(one.stem, word.stem) for word in related):
            return "what it cites says it the other way round"
    return ""


def _words_of(text: str) -> list[_Word]:
    tokens = [token.casefold() for token in _TOKEN.findall(text)]
    found = []
    for place, token in enumerate(tokens):
        if not token[0].isalpha():
            continue
        just_before = tokens[max(0, place - 2) : place]
        near = _following(tokens, place)
        if not near or not _BE.isdisjoint(just_before):  # "the gains are consistent across models"
            near |= _preceding(tokens, place, _NEAR)
        denied = not _DENIALS.isdisjoint(just_before)
        found.append(_Word(stem(token), near, denied, "than" in tokens[place + 1 : place + 5]))
    return found


def _following(tokens: Sequence[str], place: int) -> frozenset[str]:
    return _collect(tokens[place + 1 :], _NEAR)


def _preceding(tokens: Sequence[str], place: int, most: int) -> frozenset[str]:
    return _collect(tokens[:place][::-1], most)


def _collect(tokens: Sequence[str], most: int) -> frozenset[str]:
    """Stems of the first content words up to a break of the clause."""
    found: list[str] = []
    for token in tokens:
        if token in _BREAKS or len(found) >= most:
            break
        found += [] if token[0].isdigit() else content_stems(token)
    return frozenset(found)


def _opposite(one: str, other: str) -> bool:
    if any((one in up and other in down) or (one in down and other in up) for up, down in _SCALES):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= 5 and any(long == prefix + short for prefix in _NEGATING)


def _same_way(one: str, other: str) -> bool:
    return one == other or any((one in up and other in up) or (one in down and other in down) for up, down in _SCALES)


def _comparison(sentence: str, quotes: Sequence[str]) -> str:
    """Who wins a comparison in the quote must win it in the sentence."""
    there = [found for quote in quotes for found in _compared(quote)]
    for scale, more, less in _compared(sentence):
        fits = [
            (len(more & winner) + len(less & loser), len(more & loser) + len(less & winner))
            for other, winner, loser in there
            if other == scale and winner and loser and more and less  # "outperforms them" does not say whom
        ]
        straight, crossed = max(fits, key=max, default=(0, 0))
        if crossed > straight:
            return "what it cites compares them the other way round"
    return ""


def _compared(text: str) -> Iterator[tuple[int, frozenset[str], frozenset[str]]]:
    """(scale, what has more of it, what has less) of every comparison; the two as stems."""
    for match in _WINS.finditer(text):
        before, after = words(text[: match.start()]), words(text[match.end() :])
        passive = after[:1] == ["by"] and not _BE.isdisjoint(before[-3:])
        yield (_QUALITY, *_sides(text[: match.start()], text[match.end() :], turned=passive))
    for match in _THAN.finditer(text):
        near = match.group(1) or match.group(2)
        for place, scale, up in _on_scales(near):
            yield (scale, *_sides(text[: match.start()] + near[:place], text[match.end() :], turned=not up))


def _on_scales(text: str) -> Iterator[tuple[int, int, bool]]:
    """(place in the text, scale, whether it points up) of the last word that is on a scale; nothing without one."""
    for match in reversed(list(re.finditer(r"\w+", text))):
        found = stem(match.group().casefold())
        places = [(scale, found in up) for scale, (up, down) in enumerate(_SCALES) if found in up or found in down]
        if places:
            yield from ((match.start(), scale, points_up) for scale, points_up in places)
            return


def _sides(before: str, after: str, *, turned: bool) -> tuple[frozenset[str], frozenset[str]]:
    left, right = frozenset(content_stems(before)[-_SIDE:]), frozenset(content_stems(after)[:_SIDE])
    return (right, left) if turned else (left, right)


def _exchanged(sentence: str, quotes: Sequence[str]) -> str:
    """Two numbers of one quote must not change places."""
    if "respectively" in f"{sentence} {quotes[0]}".casefold():
        return ""
    said, there = _counted(sentence), _counted(quotes[0])
    shared = [number for number in said if number in there]
    for place, one in enumerate(shared):
        for other in shared[place + 1 :]:
            straight = len(said[one] & there[one]), len(said[other] & there[other])
            crossed = len(said[one] & there[other]), len(said[other] & there[one])
            if min(crossed) > 0 and sum(crossed) > sum(straight):
                return f"what it cites has {one:g} and {other:g} the other way round"
    return ""


def _counted(text: str) -> Mapping[float, frozenset[str]]:
    """Number → the stems around it, for numbers that stand there once."""
    tokens = [token.casefold() for token in _TOKEN.findall(text)]
    found: dict[float, frozenset[str]] = {}
    repeated = set()
    for place, token in enumerate(tokens):
        value = numbers(" ".join(tokens[place : place + 2])) if token[0].isdigit() else []
        if value:
            repeated |= {value[0]} & found.keys()
            found[value[0]] = _following(tokens, place) | _preceding(tokens, place, _NEAR)
    return {number: near for number, near in found.items() if number not in repeated}


def _overstated(sentence: str, quotes: Sequence[str]) -> str:
    said = words(sentence)
    there = {word for quote in quotes for word in words(quote)}
    only = next((word for word in said if word in _ONLY), None)
    negated = any(before in _DENIALS for before, word in pairwise(said) if word in _ONLY)  # "not only"
    if only and not negated and _RESTRICTED.isdisjoint(there):
        return f"what it cites does not say “{only}”"
    absolute = next((word for word in said if stem(word) in _ABSOLUTE), None)
    if absolute and _ABSOLUTE.isdisjoint(stem(word) for word in there):
        return f"what it cites does not say “{absolute}”"
    return ""
