"""Is a number or name of a quote said of something else in a sentence?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from rag.text import content_stems, names, numbers

_TOKEN = re.compile(r"\d{1,20}+(?:[.,]\d{1,20}+){0,4}|[^\W_]{1,40}+(?:[-'’.][^\W_]{1,40}+){0,6}|[^\w\s]")
_BREAKS = frozenset(", ; : ( ) . ! ? and but while whereas versus vs against compared".split())
_REACH = 10  # words that a number may belong to, on each side
_BESIDE = 4  # content words among them
Term = TypeVar("Term", float, str)


def exchanged(sentence: str, quotes: Sequence[str]) -> str:
    """Two numbers, or two names, of one quote must not change places."""
    if "respectively" in f"{sentence} {quotes[0]}".casefold():
        return _respectively(sentence, quotes[0])
    said, there = _counted(sentence), _counted(quotes[0])
    if pair := _crossed(said, there):
        return f"what it cites has {pair[0]:g} and {pair[1]:g} the other way round"
    if both := _crossed(_named(sentence), _named(quotes[0]), both_ways=True):
        return f"what it cites has {both[0]} and {both[1]} the other way round"
    return _taken(said, there)


def _crossed(
    said: Mapping[Term, frozenset[str]], there: Mapping[Term, frozenset[str]], *, both_ways: bool = False
) -> tuple[Term, Term] | None:
    shared = [one for one in said if one in there]
    for place, one in enumerate(shared):
        for other in shared[place + 1 :]:
            mine, yours = _apart(said[one], said[other]), _apart(there[one], there[other])
            straight = len(mine[0] & yours[0]) + len(mine[1] & yours[1])
            crossed = len(mine[0] & yours[1]), len(mine[1] & yours[0])
            if sum(crossed) > straight and (min(crossed) > 0 or not (straight or both_ways)):
                return one, other
    return None


def _taken(said: Mapping[float, frozenset[str]], there: Mapping[float, frozenset[str]]) -> str:
    """A number must not stand where the quote has another one that the sentence leaves out."""
    for one in said:
        for other in there:
            if one not in there or other in said:
                continue
            mine, yours = _apart(there[one], there[other])
            if said[one] & yours and not said[one] & mine:
                return f"what it cites has {other:g} there, not {one:g}"
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


def _named(text: str) -> Mapping[str, frozenset[str]]:
    """Name → the stems around it, for names that stand there once."""
    own = frozenset(names(text))
    tokens = _TOKEN.findall(text)
    found: dict[str, frozenset[str]] = {}
    for place, token in enumerate(tokens):
        if token in own and tokens.count(token) == 1:
            before = [one if one in own else one.casefold() for one in tokens[:place][::-1]]
            after = [one if one in own else one.casefold() for one in tokens[place + 1 :]]
            found[token] = _beside(after, own) | _beside(before, own)
    return found


def _beside(tokens: Sequence[str], stops: frozenset[str] = frozenset()) -> frozenset[str]:
    """Stems of the content words up to the next number or name, or the end of the clause."""
    found: list[str] = []
    for token in tokens[:_REACH]:
        if token[0].isdigit() or token in _BREAKS or token in stops:
            break
        found += content_stems(token)
    return frozenset(found[:_BESIDE])
