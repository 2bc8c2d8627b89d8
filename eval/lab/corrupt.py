"""Rule-made errors: a true sentence, changed in one place so that its source no longer says it.

Training and measuring data in the manner of Tang et al. 2024, "MiniCheck: Efficient Fact-Checking of LLMs on Grounding
Documents", but by rules: numbers, units, names, denials, opposites, exchanged parts, foreign words and added clauses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from random import Random

from rag.text import STOP_WORDS, names

_NUMBER = re.compile(r"(?<![\w.-])\d+(?:[.,]\d+)*(?![\w-])")
_DENIAL = re.compile(r"\b(?:not|no|without|never) ", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|was|were|can|could|may|does|did|has|have|will)\b")
_WORD = re.compile(r"\b[a-z]{5,}\b")
_UNITS = (
    "%",
    " percent",
    " seconds",
    " minutes",
    " hours",
    " days",
    " weeks",
    " months",
    " years",
    " points",
    " mg",
    " ms",
    "-fold",
)
_UNIT = re.compile(r"(?<=\d)(?: ?%| (?:percent|seconds|minutes|hours|days|weeks|months|years|points|mg|ms)\b|-fold\b)")
_CHANGES = tuple(
    (
        "increases decreases,increase decrease,increased decreased,increasing decreasing,higher lower,improves worsens,"
        "improved worsened,improve worsen,enhances impairs,enhanced impaired,more less,reduces raises,reduced raised,"
        "reduce raise,promotes inhibits,promoted inhibited,promote inhibit,larger smaller,greater smaller,better worse,"
        "faster slower,activates inhibits,activation inhibition,prevents causes,prevented caused,prevent cause,"
        "high low,longer shorter,positive negative"
    ).split(",")
)


@dataclass(frozen=True, slots=True)
class Field:
    """What errors are made of: other texts of the same kind."""

    names: Sequence[str]
    words: Sequence[str]  # content words in small letters
    clauses: Sequence[str]  # short sentences without their full stop, in small letters at the start

    @classmethod
    def of(cls, texts: Sequence[str]) -> Field:
        """Collected from sentences."""
        clauses = [one[0].lower() + one.rstrip(" .")[1:] for one in texts if 30 < len(one) < 110 and one[:2].istitle()]
        return cls(
            [name for one in texts for name in names(one)],
            [word for one in texts for word in _WORD.findall(one) if word not in STOP_WORDS],
            clauses,
        )


def _number(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    return _replaced(_NUMBER, text, rng, lambda shown: _other_number(shown, rng))


def _other_number(shown: str, rng: Random) -> str:
    digits = list(shown)
    places = [at for at, char in enumerate(digits) if char.isdigit()]
    at = rng.choice(places[:2])
    digits[at] = rng.choice([char for char in "123456789" if char != digits[at]])
    return "".join(digits)


def _unit(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    return _replaced(
        _UNIT, text, rng, lambda shown: rng.choice([unit for unit in _UNITS if unit.strip() != shown.strip()])
    )


def _name(text: str, field: Field, rng: Random) -> str | None:
    found = [name for name in names(text) if text.count(name) == 1]
    if not found or not field.names:
        return None
    old, new = rng.choice(found), rng.choice(field.names)
    return text.replace(old, new) if old.casefold() != new.casefold() else None


def _negation(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    if match := _DENIAL.search(text):
        return text[: match.start()] + {"without ": "with "}.get(match[0].casefold(), "") + text[match.end() :]
    verbs = list(_VERB.finditer(text))
    if not verbs:
        return None
    verb = rng.choice(verbs)
    return f"{text[: verb.end()]} not{text[verb.end() :]}"


def _opposites() -> Mapping[str, str]:
    lines = files("rag.verify").joinpath("antonyms.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.replace(" | ", " ").split() for line in lines if not line.startswith("#")]
    pairs = [pair for pair in (*pairs, *(change.split() for change in _CHANGES)) if len(pair) == 2]
    return {one: other for a, b in pairs for one, other in ((b, a), (a, b))}


def _antonym(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    opposites = _opposites()
    places = [match for match in re.finditer(r"\b[a-z]+\b", text) if match[0] in opposites]
    if not places:
        return None
    match = rng.choice(places)
    return text[: match.start()] + opposites[match[0]] + text[match.end() :]


def _swap(pattern: re.Pattern[str], text: str, rng: Random) -> str | None:
    found = [match for match in pattern.finditer(text) if match[0].casefold() not in STOP_WORDS]
    pairs = [(a, b) for at, a in enumerate(found) for b in found[at + 1 :] if a[0].casefold() != b[0].casefold()]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return text[: a.start()] + b[0] + text[a.end() : b.start()] + a[0] + text[b.end() :]


def _swapped_numbers(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    return _swap(_NUMBER, text, rng)


def _swapped_names(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    found = dict.fromkeys(names(text))
    return (
        _swap(re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in found)), text, rng)
        if len(found) > 1
        else None
    )


def _comparison(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    match = re.search(r"\b(?:than|outperform\w*|compared (?:to|with))\b", text)
    if not match:
        return None
    before, after = list(_WORD.finditer(text[: match.start()])), list(_WORD.finditer(text[match.end() :]))
    if not before or not after:
        return None
    a, b = before[0], after[0]
    shift = match.end()
    return text[: a.start()] + b[0] + text[a.end() : shift + b.start()] + a[0] + text[shift + b.end() :]


def _added(text: str, field: Field, rng: Random) -> str | None:
    if not field.clauses:
        return None
    clause = rng.choice(field.clauses)
    return (
        f"{text.rstrip(' .')}{rng.choice((', and ', ', while ', '; ', ', because ', ', which means that '))}{clause}."
    )


def _word(text: str, field: Field, rng: Random) -> str | None:
    return _replaced(_WORD, text, rng, lambda shown: _like(shown, field.words, rng))


def _like(shown: str, words: Sequence[str], rng: Random) -> str:
    """Another word with the same ending, where one is soon found."""
    drawn = [rng.choice(words) for _ in range(60)]
    return next((word for word in drawn if word[-3:] == shown[-3:] and word[:4] != shown[:4]), drawn[0])


def _overstated(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    verbs = list(_VERB.finditer(text))
    if not verbs:
        return None
    verb = rng.choice(verbs)
    return f"{text[: verb.end()]} {rng.choice(('only', 'always', 'completely', 'never'))}{text[verb.end() :]}"


def _date(text: str, field: Field, rng: Random) -> str | None:  # noqa: ARG001
    year = rng.randint(1985, 2025)
    return f"In {year}, {text[0].lower()}{text[1:]}" if rng.random() < 0.5 else f"{text.rstrip(' .')} since {year}."


def _replaced(pattern: re.Pattern[str], text: str, rng: Random, other: Callable[[str], str]) -> str | None:
    found = [match for match in pattern.finditer(text) if match[0] not in STOP_WORDS]
    if not found:
        return None
    match = rng.choice(found)
    return text[: match.start()] + other(match[0]) + text[match.end() :]


CORRUPTIONS: Mapping[str, Callable[[str, Field, Random], str | None]] = {
    "number": _number,
    "unit": _unit,
    "name": _name,
    "negation": _negation,
    "antonym": _antonym,
    "comparison": _comparison,
    "swapped_numbers": _swapped_numbers,
    "swapped_names": _swapped_names,
    "added": _added,
    "word": _word,
    "overstated": _overstated,
    "date": _date,
}


def corrupted(text: str, field: Field, rng: Random, count: int) -> list[tuple[str, str]]:
    """At most `count` (kind, changed sentence), of distinct kinds, in random order."""
    found = []
    for kind in rng.sample(list(CORRUPTIONS), len(CORRUPTIONS)):
        changed = CORRUPTIONS[kind](text, field, rng)
        if changed and changed != text:
            found.append((kind, changed))
        if len(found) == count:
            break
    return found
