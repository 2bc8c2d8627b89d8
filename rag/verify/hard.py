"""Checks that need no judgement: what a sentence adds to its sources shows in numbers, names and quotations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag.text import acronyms, names, stem, words
from rag.tokens import count_tokens
from rag.verify.anatomy import Anatomy
from rag.verify.quantities import mismatches, quantities
from rag.verify.spelling import LONG_FORMS

_CAPITAL = re.compile(r"(?<![^\W_])(?<!-)[A-ZÀ-ÖØ-Þ][^\W\d_]{1,40}+(?!\w)")
_QUOTED = re.compile(r"“([^“”]{2,400}+)”|\"([^\"]{2,400}+)\"")
_SPACE = re.compile(r"\s{1,20}+")
_RARE = 0.5  # rarity from which a capitalised word counts as a name
_ODD = 3  # tokens from which a word that no language model knows whole is a made-up name
_FIELD = 5  # letters of an acronym that everybody in a field uses
_FORGIVEN = frozenset("i ok et al".split())
Idf = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that the sources do not hold."""

    why: str
    certain: bool  # False: perhaps they do, in a form that was not seen


def names_of(text: str, idf: Idf) -> list[str]:
    """Names of things, rare words with a capital, and words that nobody has heard of, in order."""
    found = names(text)
    for match in _CAPITAL.finditer(text):
        word = match[0]
        rare = idf(stem(word.casefold())) >= _RARE
        begins = not text[: match.start()].strip(" \t\"'“‘(*_-") or text[: match.start()].rstrip()[-1:] in ".!?:"
        if begins and text[match.end() : match.end() + 2] not in ("'s", "’s"):  # a capital says nothing there
            rare = rare and _odd(word)
        if rare and word.casefold() not in _FORGIVEN:
            found.append(word)
    return list(dict.fromkeys(found))


def objection(
    text: str,
    cited: Sequence[Anatomy],
    quotes: Sequence[str],
    shown: Sequence[Anatomy],
    long_forms: Mapping[str, str],
    idf: Idf,
) -> Objection | None:
    """The first thing in a sentence that none of the cited papers holds. Certain ones come first.

    quotes: from them. shown: all papers of the draft; a name that another one of them holds may be cited badly.
    """
    found = [
        *_quotations(text, cited),
        *_numbers(text, cited, quotes),
        *_names(text, cited, shown, long_forms, idf),
    ]
    return next((one for one in found if one.certain), found[0] if found else None)


def _numbers(text: str, cited: Sequence[Anatomy], quotes: Sequence[str]) -> list[Objection]:
    there = [one for paper in cited for one in paper.quantities]
    quoted = [one for quote in quotes for one in quantities(quote)]
    return [Objection(one.why, one.certain) for one in mismatches(quantities(text), there, quoted, text)]


def _names(
    text: str, cited: Sequence[Anatomy], shown: Sequence[Anatomy], long_forms: Mapping[str, str], idf: Idf
) -> list[Objection]:
    found = []
    known = {**LONG_FORMS, **long_forms, **acronyms(text)}
    for name in names_of(text, idf):
        if any(paper.holds(name, known) for paper in cited) or _in_words(name, cited):
            continue
        common = name.isupper() and len(name) <= _FIELD and idf(stem(name.casefold())) < _RARE  # "LLM", "NLP"
        ordinary = name.isalpha() and name[1:].islower() and not _odd(name)  # "France", where they say "French"
        elsewhere = any(paper.holds(name, known) for paper in shown)
        found.append(Objection(f"“{name}” is not in what it cites", not (common or ordinary or elsewhere)))
    return found


def _odd(word: str) -> bool:
    """Whether no language model knows the word as a whole: it may be made up."""
    return min(count_tokens(f" {word.casefold()}"), count_tokens(f" {word}")) >= _ODD


def _in_words(name: str, cited: Sequence[Anatomy]) -> bool:
    """Whether a capitalised word is an ordinary word of the papers: "Iranian", "Transformers"."""
    plain = name.isalpha() and name[1:].islower()
    return plain and any(stem(name.casefold()) in paper.stems for paper in cited)


def _quotations(text: str, cited: Sequence[Anatomy]) -> list[Objection]:
    """What stands between quotation marks must stand in a paper, letter for letter."""
    found = []
    for match in _QUOTED.finditer(text):
        quoted = _plain(match[1] or match[2]).strip(" .,;:!?…")
        if len(words(quoted)) >= 2 and not any(quoted in _plain(paper.text) for paper in cited):
            title = any(words(quoted) == list(paper.title) for paper in cited)
            if not title:
                found.append(Objection(f"“{quoted}” is not a quotation from what it cites", True))
    return found


def _plain(text: str) -> str:
    """With straight quotation marks and single spaces."""
    return _SPACE.sub(" ", text.translate(str.maketrans("“”‘’", "\"\"''")))
