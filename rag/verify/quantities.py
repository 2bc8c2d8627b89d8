"""Numbers with their units, and which of a sentence's numbers its sources account for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rag.text import stem

_VALUE = r"\d{1,3}+(?:,\d{3}(?!\d))+(?:\.\d++)?|\d++(?:\.\d++)?|\.\d++"
_NUMBER = re.compile(
    rf"(?<![\w.@#])(?<![^\W\d][-+])(?:\d++(?:\.\d++){{2,}}+|({_VALUE}))"
)  # no version ("1.2.3"), no "GPT-4"
_MAGNITUDE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}
_SPELLED = {
    word: float(value)
    for value, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        start=2,
    )
} | {"thirty": 30.0, "forty": 40.0, "fifty": 50.0, "hundred": 100.0, "dozen": 12.0, "half": 0.5, "double": 2.0}
_SPELLED |= {
    "dual": 2.0,
    "tri": 3.0,
    "twice": 2.0,
    "doubles": 2.0,
    "doubled": 2.0,
    "triple": 3.0,
    "third": 3.0,
    "quarter": 0.25,
}
_WORD = re.compile(r"(?<!')[A-Za-z]{1,40}+|[%×$€£]")  # no "s" of "6.1B's"
_UNITS = {  # what a number can be of; numbers of different units are never the same
    "%": "% percent percentage pct",
    "x": "x × times fold",
    "ms": "ms millisecond milliseconds",
    "s": "s sec secs second seconds",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years yr yrs",
    "byte": "kb mb gb tb kilobytes megabytes gigabytes terabytes",
    "mass": "mg kg g ug microgram micrograms milligram milligrams gram grams kilogram kilograms",
    "length": "nm mm cm km micrometers millimeters centimeters meters kilometers",
    "money": "$ € £ usd eur dollar dollars euro euros",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_PLAIN_UNITS = frozenset(("%", "ms", "s", "min", "h"))  # nobody leaves these out
_POINTS = frozenset(("points", "point"))
_TWO_WORDS = {("per", "cent"): "%", ("percentage", "points"): "points", ("percentage", "point"): "points"}
_LINKS = frozenset("to and or versus vs".split())  # "3 to 7 minutes": the unit is of both
_ABOUT = frozenset("about around roughly approximately nearly almost circa some close".split())
_OVER = frozenset("over above exceeding beyond than least".split())
_UNDER = frozenset("under below most up nearly almost".split())
_DERIVED = frozenset(
    "total totals together altogether combined sum difference gap margin points remaining rest fewer times "
    "ratio".split()
)
_TOLERANCE = 0.08  # of "about"
_MOST = 60  # numbers that are looked at in one text


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a text."""

    value: float
    unit: str  # a key of _UNITS, "points", or "" for anything else that is counted
    counted: str  # stem of the word after it: what is counted; "" if none follows
    shown: str  # as it stands
    before: tuple[str, ...]  # the two words before it, case folded
    decimals: int

    @property
    def small(self) -> bool:
        """Whether it may count what a text lists without saying how many."""
        return self.unit == "" and self.value <= 12 and self.value == int(self.value)


def quantities(text: str) -> list[Quantity]:
    """The numbers of a text in order, in digits or spelled from two on; at most 60."""
    tokens = [(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]
    found: list[tuple[int, Quantity]] = []
    place = 0
    for match in _NUMBER.finditer(text):
        glued = _WORD.match(text, match.end())
        if match[1] is None or (glued and glued[0].casefold() not in _UNIT_OF | _MAGNITUDE):
            continue  # a version, or the 3 of "3f"
        while place < len(tokens) and tokens[place][2] <= match.start():
            place += 1
        found.append((match.start(), _digits(match[1], match.end(), tokens, place)))
        if len(found) >= _MOST:
            break
    for at, (word, start, _) in enumerate(tokens):
        value = _SPELLED.get(word.casefold())
        if value is not None and len(found) < 2 * _MOST:
            found.append((start, _counted(value, word, 0, tokens, at + 1, at)))
    found.sort(key=lambda one: one[0])
    return _shared_units([one for _, one in found], text, [start for start, _ in found])


def _digits(shown: str, end: int, tokens: Sequence[tuple[str, int, int]], following: int) -> Quantity:
    value = float(shown.replace(",", ""))
    at = following
    if at < len(tokens) and tokens[at][1] - end <= 1 and tokens[at][0].casefold() in _MAGNITUDE:
        glued, word = tokens[at][1] == end, tokens[at][0].casefold()
        if len(word) > 1 or glued:  # "5 M" is as likely five molar
            value *= _MAGNITUDE[word]
            at += 1
    decimals = len(shown.partition(".")[2])
    return _counted(value, shown, decimals, tokens, at, following)


def _counted(
    value: float, shown: str, decimals: int, tokens: Sequence[tuple[str, int, int]], at: int, here: int
) -> Quantity:
    """The number with its unit: the word at this place. here: the first word that is not before the number."""
    words = [token.casefold() for token, _, _ in tokens[at : at + 2]]
    before = tuple(token.casefold() for token, _, _ in tokens[max(0, here - 2) : here])
    if tuple(words) in _TWO_WORDS:
        unit = _TWO_WORDS[(words[0], words[1])]
    elif words and words[0] in _POINTS and shown[0].isdigit():
        unit = "points"
    elif words and words[0] in _UNIT_OF:
        unit = _UNIT_OF[words[0]]
        unit = "points" if unit == "%" and words[1:] in (["points"], ["point"]) else unit
    elif before and before[-1] in ("$", "€", "£"):
        unit = "money"
    else:
        unit = ""
    counted = stem(words[0]) if words and not unit and len(words[0]) > 2 else ""
    return Quantity(value, unit, counted, shown, before, decimals)


def _shared_units(found: list[Quantity], text: str, starts: list[int]) -> list[Quantity]:
    """ "3 to 7 minutes", "40 and 29%", "1.5 to 7 billion": the first has the unit and the magnitude of the second."""
    shared = list(found)
    for at in range(len(found) - 2, -1, -1):
        one, following = shared[at], shared[at + 1]
        between = text[starts[at] + len(one.shown) : starts[at + 1]]
        linked = len(between) <= 12 and not set(between.casefold().split()) - _LINKS - {",", "-", "–", ",and", "±"}
        if not linked:
            continue
        if not one.unit and following.unit:
            one = shared[at] = replace(one, unit=following.unit, counted="")
        plain = _plain_value(following)
        if plain and following.value > plain and _plain_value(one) == one.value:  # "1.5 to 7 billion"
            shared[at] = replace(one, value=one.value * following.value / plain)
    return shared


def _plain_value(one: Quantity) -> float:
    """What its digits alone say; 0.0 for a number in words."""
    return float(one.shown.replace(",", "")) if one.shown[0] in "0123456789." else 0.0


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A number that its sources do not account for."""

    quantity: Quantity
    why: str
    certain: bool  # False: it may still be a count or a rounding that the sources leave to the reader


def mismatches(
    said: Sequence[Quantity], sources: Sequence[Quantity], quoted: Sequence[Quantity], text: str
) -> list[Mismatch]:
    """The numbers of a sentence that are not in the sources, in this or an equal form.

    Equal are "3" and "three", "3,000" and "3k", "0.85" and "85%", a half and 50%; "about" allows rounding; sums and
    differences of two numbers are allowed where the sentence speaks of a total, a difference or a change.
    quoted: those of the sources that stand in the quotes, from which sums and differences are made. text: the sentence.
    """
    spoken = frozenset(match[0].casefold() for match in _WORD.finditer(text))
    return [wrong for one in said if (wrong := _mismatch(one, sources, quoted, spoken)) is not None]


def _mismatch(
    one: Quantity, sources: Sequence[Quantity], quoted: Sequence[Quantity], spoken: frozenset[str]
) -> Mismatch | None:
    same = [other for other in sources if _equal(one, other)]
    if same:
        return _unit_mismatch(one, same)
    if _near(one, sources) or (spoken & _DERIVED and _derived(one, quoted)):
        return None
    rounded = next((other for other in sources if other.value and round(other.value, one.decimals) == one.value), None)
    if rounded:
        return Mismatch(one, f"what it cites has {rounded.shown}, not {one.shown}", False)
    missing = f"the number {one.shown} is not in what it cites"
    if one.shown[0].isdigit() or one.shown[0] == "." or one.unit == "%":
        return Mismatch(one, missing, True)
    rival = next((other for other in sources if one.counted and other.counted == one.counted), None)
    if one.small and rival:
        return Mismatch(one, f"what it cites has {rival.shown}, not {one.shown}", True)
    counts = one.value >= 3 and one.value == int(one.value) and one.shown.casefold() != "third"
    return Mismatch(one, missing, not one.small) if counts else None  # "two" and "half" often count nothing


def _unit_mismatch(one: Quantity, same: Sequence[Quantity]) -> Mismatch | None:
    units = {other.unit for other in same}
    if one.unit in units or _convertible(one, same):
        return None
    if one.unit and ("" not in units or one.unit in _PLAIN_UNITS):
        return Mismatch(one, f"what it cites does not have {one.shown} in this unit", True)
    if one.unit and all(other.counted for other in same):  # "7 billion dollars", where there are parameters
        return Mismatch(one, f"what it cites does not have {one.shown} in this unit", False)
    if not one.unit and one.counted and units <= _PLAIN_UNITS:
        return Mismatch(one, f"what it cites has {one.shown} in another unit", True)
    return None


def same_value(one: float, other: float) -> bool:
    """Whether two numbers are equal, but for what computing leaves."""
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other), 1e-9)


def _equal(one: Quantity, other: Quantity) -> bool:
    if same_value(one.value, other.value):
        return True
    if "%" in (one.unit, other.unit) and one.unit != other.unit:  # 0.85 and 85%
        return same_value(one.value, 100 * other.value) or same_value(100 * one.value, other.value)
    return False


def _convertible(one: Quantity, same: Sequence[Quantity]) -> bool:
    """Whether a share or a factor may stand for another: "0.85" for "85%", "half" for "50%", "2x" for "doubled"."""
    for other in same:
        if not same_value(one.value, other.value) or {one.unit, other.unit} <= {"%", "points"}:
            return True
        if one.unit == "x" and other.shown.casefold() in _SPELLED:
            return True
    return False


def _near(one: Quantity, sources: Sequence[Quantity]) -> bool:
    before = frozenset(one.before)
    for other in sources:
        if one.unit and other.unit and one.unit != other.unit:
            continue
        apart = (other.value - one.value) / max(abs(one.value), 1e-9)
        if before & _ABOUT and abs(apart) <= _TOLERANCE:
            return True
        if before & _OVER and 0 <= apart <= 2 * _TOLERANCE:
            return True
        if before & _UNDER and -_TOLERANCE <= apart <= 0:
            return True
    return False


def _derived(one: Quantity, sources: Sequence[Quantity]) -> bool:
    values = sorted({other.value for other in sources if other.shown[0] in "0123456789."})[:40]
    for low, high in combinations(values, 2):
        made = [high + low, high - low]
        if one.unit in ("x", "%"):
            made += [high / low, 100 * (high - low) / low, 100 * (high - low) / high] if low else []
        if any(round(value, one.decimals) == one.value for value in made):
            return True
    if "total" in one.before or not values:
        return same_value(one.value, sum(values))
    return False
