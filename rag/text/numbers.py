"""Quantities in running text."""

from __future__ import annotations

import re

from rag.text.fold import fold

_MAGNITUDE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9}
_UNIT = re.compile(r"\s?(k|m|b|thousand|million|billion)\b", re.IGNORECASE)
_VALUE = r"(?:\d{1,3}+(?:,\d{3}(?!\d))+(?:\.\d++)?|\d++(?:\.\d++)?|\.\d++)(?:[eE][-+\u2212]?\d{1,3}(?!\w))?"
_VERSION = r"\d++(?:\.\d++){2,}"  # "1.2.3" is a version or a section, not a quantity
_START = re.compile(rf"(?<![\w.])(?<!\w-)(?:{_VERSION}|({_VALUE}))")  # not the 4 of "GPT-4"
_RANGE_END = re.compile(rf"-({_VALUE})")


def numbers(text: str) -> list[float]:
    """Quantities in order, without signs and units.

    "1,109" is 1109.0, ".93" is 0.93, "1e-4" is 0.0001, "1.5k" and "1.5 thousand" are 1500.0, "3-5" is 3.0 and 5.0. A
    comma groups digits by threes or separates: "10,20" is 10.0 and 20.0, never a decimal comma.
    """
    text = fold(text)
    found: list[float] = []
    place = 0
    while match := _START.search(text, place):
        place = match.end()
        if match[1] is None:
            continue
        place = _read(text, match[1], place, found)
        while match := _RANGE_END.match(text, place):
            place = _read(text, match[1], match.end(), found)
    return found


def _read(text: str, digits: str, end: int, found: list[float]) -> int:
    """Append the value of digits that end there, times its magnitude; where reading goes on."""
    value = float(digits.replace(",", "").replace("\u2212", "-"))
    unit = _UNIT.match(text, end)
    found.append(value * _MAGNITUDE[unit[1].casefold()] if unit else value)
    return unit.end() if unit else end
