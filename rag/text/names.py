"""Names of things: finding them in a text, and telling whether a text holds one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from rag.text.fold import fold
from rag.text.words import STOP_WORDS

# Groups are repeated without "+": before Python 3.11.5 (gh-106052) a possessive group keeps what its last try ate.
_NAME = re.compile(r"[^\W_]{1,64}+(?:[-.+/][^\W_]{1,64}+){0,8}\+{0,2}+")
# The parts a name is made of: letters (with the signs of "C++" and "C#"), or a number with what is glued to it.
_PART = re.compile(r"[^\W\d_]{1,64}+[+#]{0,2}+|\d{1,64}+(?:[.,]\d{1,64}+){0,8}[^\W\d_]{0,64}+")
_JOINS = frozenset(("", " ", "-", "\u2013", ".", "'", "_", "/", "&"))  # between two parts of one name
_BREAKS = frozenset((" ", "/"))  # ... that also end a name
_SIZES = frozenset("base chat instruct large lite medium mini nano plus preview pro small tiny turbo xl xxl".split())
_MAX_PARTS = 12  # of a name
_ACRONYM_LETTERS = 4  # so short a name in capitals is not held by a word in small letters: "RAG" by "rag"
_FAMILY_LETTERS = 3  # "Llama2" is a Llama, but "CO2" is no CO


def names(text: str) -> list[str]:
    """Words that look like names of things: an inner capital, a digit beside letters, or all capitals.

    A capital at the start alone does not make a name, because sentences begin with one.
    """
    found = []
    for match in _NAME.finditer(fold(text)):
        word = match.group()
        letters = [char for char in word if char.isalpha()]
        if len(letters) < 2:
            continue
        inner_capital = any(char.isupper() for char in word[1:])
        digit = any(char.isdigit() for char in word)
        if inner_capital or (digit and any(char.isupper() for char in letters)):
            found.append(word)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    text: str  # as it stands
    key: str  # case folded, without the ending of a plural
    gap: str  # what stands between the part before and this one; "\n" for anything that separates


class Names:
    """One text, read once, to be asked whether it holds a name."""

    def __init__(self, text: str) -> None:
        """text: where names are looked for, such as a title and an abstract."""
        self._parts = _parts(text)
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, part in enumerate(self._parts):
            self._places[part.key].append(place)

    def holds(self, name: str) -> bool:
        """Whether the name stands in the text as a name of its own, not as a piece of another one.

        "BERT" is held by "BERT", "BERTs", "BERT-based" and "BERT-large", not by "RoBERTa"; "LLM-based" by "LLM";
        "COVID-19" by "COVID 19" and "COVID19"; "COVID" by "COVID-19", but "GPT-3" not by "GPT-3.5" or "GPT", "CO" not
        by "CO2" and "RAG" not by "rag". Else case does not matter. A name without a letter or digit is never held.
        """
        wanted = _parts(name)[:_MAX_PARTS]
        return bool(wanted) and (self._stands(wanted) or self._stands(_head(wanted)))

    def _stands(self, wanted: list[_Part]) -> bool:
        return any(
            self._begins(place, wanted) and self._ends(place + len(wanted), wanted[-1])
            for place in self._places.get(wanted[0].key, ())
        )

    def _begins(self, place: int, wanted: list[_Part]) -> bool:
        """Whether all parts of a name stand at this place, and the first of them begins a name."""
        here = self._parts[place : place + len(wanted)]
        if len(here) < len(wanted) or not all(map(_equal, here, wanted)):
            return False
        if not all(part.gap in _JOINS for part in here[1:]):
            return False
        gap = here[0].gap
        # "multi-LLM" is about an LLM, "R-CNN" has its own name
        return gap not in _JOINS or gap in _BREAKS or (gap == "-" and self._parts[place - 1].text.islower())

    def _ends(self, after: int, last: _Part) -> bool:
        """Whether the name is over where its last part ends."""
        following = self._parts[after] if after < len(self._parts) else None
        if following is None or following.gap:
            return True
        return len(last.key) >= _FAMILY_LETTERS


def holds_name(text: str, name: str) -> bool:
    """Whether a text holds a name, as `Names.holds` has it; for many names of one text, keep its `Names`."""
    return Names(text).holds(name)


def _parts(text: str) -> list[_Part]:
    text = fold(text)
    found: list[_Part] = []
    end = 0
    for match in _PART.finditer(text):
        between = text[end : match.start()] if found and match.start() - end <= 1 else "\n"
        found.append(_Part(match[0], _singular(match[0]).casefold(), between))
        end = match.end()
    return [part for part in found if not (part.text in ("s", "S") and part.gap == "'")]  # of "BERT's"


def _singular(word: str) -> str:
    """The word without the s of a plural: "LLMs", "Transformers"; not "AIS", "loss" or "BUS"."""
    stem = word[:-1]
    if not word.endswith("s") or stem.endswith("s"):
        return word
    return stem if len(stem) >= 3 or (len(stem) == 2 and stem.isupper()) else word


def _equal(here: _Part, wanted: _Part) -> bool:
    if here.key != wanted.key:
        return False
    if not wanted.text.isupper() or not here.text.islower() or not here.text.isalpha():
        return True
    return len(wanted.key) > _ACRONYM_LETTERS and wanted.key not in STOP_WORDS


def _head(wanted: list[_Part]) -> list[_Part]:
    """A name without the plain words hyphenated to it: "LLM" of "LLM-based"; but "mT5-small" is one name."""
    plain = [
        part.text.isalpha() and part.text.islower() and len(part.text) >= 3 and part.key not in _SIZES
        for part in wanted
    ]
    kept = [part for part, is_plain in zip(wanted, plain, strict=True) if not is_plain]
    return kept if any(not part.text.islower() and part.text.isalpha() for part in kept) else wanted


# A pair of brackets with nothing but a short text between them; the bound keeps the search linear.
_BRACKETS = re.compile(r"\(([^()]{2,80})\)")
_SHORT_FORM = re.compile(r"[^\W_][^\s()]{1,9}")
_MAX_SHORT_CHARS = 10


def acronyms(text: str) -> Mapping[str, str]:
    """Short form → long form of what a text abbreviates, as in "retrieval-augmented generation (RAG)".

    Schwartz and Hearst 2003, "A Simple Algorithm for Identifying Abbreviation Definitions in Biomedical Text": letters
    of the short form are found in the words before it, from the right, the first one at the beginning of a word.
    """
    text = fold(text)
    found: dict[str, str] = {}
    for match in _BRACKETS.finditer(text):
        inner = re.split(r"[,;]", match[1])[0].strip()
        before = text[max(0, match.start() - 400) : match.start()]
        if _is_short_form(inner):
            short, near = inner, _words_before(before, inner)
        else:  # the other way round: "RAG (retrieval-augmented generation)"
            short = (before.split() or [""])[-1].strip("\"'“”,;:")
            if not _is_short_form(short):
                continue
            near = inner
        long = _long_form(short, near)
        if long is not None:
            found.setdefault(short, long)
    return found


def _is_short_form(text: str) -> bool:
    return _SHORT_FORM.fullmatch(text) is not None and any(char.isupper() for char in text)


def _words_before(before: str, short: str) -> str:
    """The words of the same sentence in which the long form may lie: min(n + 5, 2n) for n letters."""
    tail = re.split(r"[.!?;:()]\s", before)[-1].split()
    return " ".join(tail[-min(len(short) + 5, 2 * len(short)) :])


def _long_form(short: str, near: str) -> str | None:
    letters = [char.casefold() for char in short.removesuffix("s") if char.isalnum()]
    folded = near.casefold()
    if len(folded) != len(near) or not letters:  # "ß" or "İ": places would not agree
        return None
    place = len(folded)
    for left, letter in zip(range(len(letters) - 1, -1, -1), reversed(letters), strict=True):
        place = folded.rfind(letter, 0, place)
        while left == 0 and place > 0 and folded[place - 1].isalnum():
            place = folded.rfind(letter, 0, place)
        if place < 0:
            return None
    long = near[place:].strip(" -,")
    return long if len(long) > len(short) and short not in long.split() else None
