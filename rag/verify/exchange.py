"""Do two numbers of a quote change places in a sentence?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.text import content_stems, numbers

_TOKEN = re.compile(r"\d{1,20}+(?:[.,]\d{1,20}+){0,4}|[^\W_]{1,40}+(?:[-'’.][^\W_]{1,40}+){0,6}|[^\w\s]")
_BREAKS = frozenset(", ; : ( ) . ! ? and but while whereas versus vs against compared".split())
_REACH = 10  # words that a number may belong to, on each side
_BESIDE = 4  # content words among them


def exchanged(sentence: str, quotes: Sequence[str]) -> str:
    """Two numbers of one quote must not change places."""
    if "respectively" in f"{sentence} {quotes[0]}".casefold():
        return _respectively(sentence, quotes[0])
    said, there = _counted(sentence), _counted(quotes[0])
    shared = [number for number in said if number in there]
    for place, one in enumerate(shared):
        for other in shared[place + 1 :]:
            mine, yours = _apart(said[one], said[other]), _apart(there[one], there[other])
            straight = len(mine[0] & yours[0]) + len(mine[1] & yours[1])
            crossed = len(mine[0] & yours[1]), len(mine[1] & yours[0])
            if sum(crossed) > straight and (min(crossed) > 0 or not straight):
                return f"what it cites has {one:g} and {other:g} the other way round"
    return ""


def _apart(one: frozenset[str], other: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """What tells the surroundings of two numbers apart."""
    return one - other, other - one


def _respectively(sentence: str, quote: str) -> str:
    """Where both list the same things in the same order, their numbers must stand in the same order."""
    said, there = numbers(sentence), numbers(quote)
    shared = [number for number in said if there.count(number) == said.count(number) == 1]
    if len(shared) < 2 or sorted(shared, key=there.index) == shared:
        return ""
    order, order_there = content_stems(sentence), content_stems(quote)
    things = [one for one in dict.fromkeys(order) if order_there.count(one) == 1 and not one[0].isdigit()]
    if things and sorted(things, key=order_there.index) == things:
        return f"what it cites has {shared[0]:g} and {shared[1]:g} the other way round"
    return ""


def _counted(text: str) -> Mapping[float, frozenset[str]]:
    """Number → the stems around it, for numbers that stand there once."""
    tokens = [token.casefold() for token in _TOKEN.findall(text)]
    found: dict[float, frozenset[str]] = {}
    repeated = set()
    for place, token in enumerate(tokens):
        glued = place > 0 and tokens[place - 1] in ("@", "#", "±")
        value = numbers(" ".join(tokens[place : place + 2])) if token[0].isdigit() and not glued else []
        if value:
            repeated |= {value[0]} & found.keys()
            found[value[0]] = _beside(tokens[place + 1 :]) | _beside(tokens[:place][::-1])
    return {number: near for number, near in found.items() if number not in repeated}


def _beside(tokens: Sequence[str]) -> frozenset[str]:
    """Stems of the content words up to the next number or the end of the clause."""
    found: list[str] = []
    for token in tokens[:_REACH]:
        if token[0].isdigit() or token in _BREAKS:
            break
        found += content_stems(token)
    return frozenset(found[:_BESIDE])
