"""What kind of thing a question asks for, and whether a sentence holds one.

An abstract that speaks of four benchmarks and names none looks as if it answered "Which four benchmarks?". The rules
are general English; none is about a subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.query.wants import wants_number
from rag.text import content_stems, names, stem, words

Kind = Literal["count", "number", "name", "names", "person", "place", "time"]

_NUMERALS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty fifty hundred "
    "thousand million billion dozen half third quarter twice double triple"
)
QUANTITIES = frozenset(
    stem(word)
    for word in "size parameter count number score ratio rate accuracy precision recall cost price budget latency "
    "runtime time length duration percentage percent share proportion fraction gain improvement increase "
    "reduction drop speedup speed margin hour minute second day week year dollar euro token point "
    "threshold temperature rank depth width epoch step round iteration batch memory gpu overlap dimension "
    "hyperparameter wage salary age mortality prevalence incidence dose dosage f1 auc bleu rouge mrr ndcg "
    "map".split()
)
NAMED = frozenset(
    stem(word)
    for word in "model llm llms dataset benchmark corpus corpora language encoder backbone baseline algorithm "
    "optimizer optimiser metric framework library tool platform company university institution lab "
    "website site game games simulator environment domain task country city journal conference venue "
    "licence license database species strain drug gene protein hospital team author retriever generator "
    "teacher".split()
)
_ASKS = re.compile(
    r"(?:^\W{0,9}(?:(?:and|but|so|ok|hi|hello|please)\W{1,9})?|[,;:.!?]\s{0,9}(?:(?:and|but|so)\s{1,9})?)"
    r"(?:(?:in|on|at|for|with|by|under|from|to|of|over|against)\s{1,9})?"
    r"(which|wich|what|whose|who|whom|when|where)\b|\b(?:in|on|at|by|under|from|and) (which|what|who)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\b(?:how many|number of|count of|amount of)\s{1,9}((?:[\w-]{1,64}\s{0,9}){1,4})", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow (?:many|much)\s{1,9}((?:[\w-]{1,64}\s{0,9}){1,4})", re.IGNORECASE)
_TIME = re.compile(r"\b(?:what|which) (?:year|date|month|century|day)\b", re.IGNORECASE)
_CONDITION = re.compile(r"[,?]\s{0,9}(?:can|what|how|which|do|does|is|are)\b", re.IGNORECASE)  # "when x, how y?"
_TO_BE = re.compile(r"^\s{0,9}(?:'s|’s|s|is|are|was|were)\s{1,9}(?:(?:the|a|an)\s{1,9})?", re.IGNORECASE)
_SEVERAL = re.compile(rf"^\s{{0,9}}(?:the\s{{1,9}})?(?:{'|'.join(_NUMERALS.split())}|\d{{1,9}})\b", re.IGNORECASE)
_END = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|for|of|in|on|to|that|when|with|by|from|"
    r"and|or|at)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"\b(?:how|why|what|which|who|does|do|is|are|can)\b", re.IGNORECASE)
_PHRASE_END = re.compile(rf"{_END.pattern}|\b(?:the|an?|their|per|take|took|\w{{1,30}}ed)\b", re.IGNORECASE)
_NOUN = re.compile(
    r"(?:\S{1,64}\s{1,9}){0,3}?(?:\S{0,64}[^\W_s]s(?!\S)|people|\S{1,64}$)"
)  # up to a plural, or the end
KEYWORDS = 9  # content words that a question typed as keywords has at most
_DIGITS = re.compile(r"(?<![\w.])\d[\d.,]{0,30}(?:\s?%|\s?(?:k|m|b|bn)\b|x\b)?", re.IGNORECASE)
_NUMERAL = re.compile(rf"\b(?:one|{'|'.join(_NUMERALS.split())})\b", re.IGNORECASE)
_YEAR = re.compile(r"1\d{3}|20\d\d")
_CAPITAL = re.compile(r"\b[^\W_]{0,64}[A-Z][\w+.-]{0,64}")
BEFORE, BEHIND = 80, 60  # characters around a number in which its unit stands


@dataclass(frozen=True, slots=True)
class Asked:
    """The kind of thing that is asked for, and the stems that say which: "datasets" of "which datasets"."""

    kind: Kind
    units: tuple[str, ...] = ()  # any of them will do, because grammar is not looked at

    @property
    def quantity(self) -> bool:
        """Whether a number answers."""
        return self.kind in {"count", "number", "time"}


@lru_cache(maxsize=1024)
def asked_for(question: str) -> Asked | None:
    """None where neither a quantity nor a name is asked for, as in "How does it work?"."""
    if match := _COUNT.search(question):
        counted = _END.split(match[1])[0]
        of_names = {found for name in names(counted) for found in content_stems(name)}
        return Asked("count", tuple(one for one in content_stems(counted) if one not in of_names))
    if _TIME.search(question):
        return Asked("time")
    for match in _ASKS.finditer(question):
        if found := _by_word((match[1] or match[2]).lower(), question[match.end() :]):
            return found
    if wants_number(question):
        return Asked("number")
    stems = content_stems(question)
    if stems and stems[-1] in QUANTITIES and len(stems) <= KEYWORDS and not _QUESTION.search(question):
        return Asked("number", (stems[-1],))  # "FinGPT Sharpe ratio"
    return None


def phrase(question: str) -> str | None:
    """The words for the quantity or the thing that is asked for: "how many GPUs", "licence"; None if there are none."""
    if asked_for(question) is None:
        return None
    if match := _HOW_MANY.search(question):
        found = _thing(match[1])
        return f"how {match[0].split()[1]} {found}" if found else None
    for match in _ASKS.finditer(question):
        if (match[1] or match[2]).lower() in {"which", "wich", "what"}:
            return _thing(_TO_BE.sub("", question[match.end() :]))
    return None


def _thing(text: str) -> str | None:
    """The noun and what stands before it, where a text begins with one."""
    found = _NOUN.match(_PHRASE_END.split(text)[0].strip(" ?.,!;:"))
    return found[0] if found else None


def _by_word(word: str, rest: str) -> Asked | None:
    if word == "when":
        return None if _CONDITION.search(rest) else Asked("time")
    if word in {"who", "whom", "whose"}:
        return Asked("person")
    if word == "where":
        return Asked("place")
    rest = _TO_BE.sub("", rest)
    several = bool(_SEVERAL.match(rest))
    head = content_stems(_END.split(rest)[0])[:4]
    if unit := next((one for one in head if one in QUANTITIES), None):
        return Asked("number", (unit,))
    if unit := next((one for one in reversed(head) if one in NAMED), None):
        return Asked("names" if several else "name", (unit,))
    return Asked("names", (head[-1],)) if several and head else None


@lru_cache(maxsize=8192)
def held(asked: Asked, sentence: str, title: str, question: str) -> tuple[bool, bool]:
    """(whether a sentence holds such a thing that the question does not, whether it does with the unit beside it).

    title: of the sentence's paper. The name in it is no answer: everything there is said of it.
    """
    if asked.quantity:
        return _quantity(asked, sentence, question)
    several = 2 if asked.kind == "names" else 1
    known, own = frozenset(words(question)), frozenset(words(title))
    found = 0
    for match in _CAPITAL.finditer(sentence):
        word = match.group().strip(".-")
        inner = any(char.isupper() or char.isdigit() for char in word[1:])
        if len(word) < 2 or (match.start() == 0 and not inner) or word.casefold() in known:
            continue
        found += not (inner and word.casefold() in own)
    holds = found >= several
    return holds, holds and (not asked.units or not set(asked.units).isdisjoint(content_stems(sentence)))


def _quantity(asked: Asked, sentence: str, question: str) -> tuple[bool, bool]:
    known = {match.group() for match in _DIGITS.finditer(question)}
    found = [match for match in _DIGITS.finditer(sentence) if match.group() not in known]
    if asked.kind == "count":
        found += _NUMERAL.finditer(sentence)
    elif asked.kind == "time":
        found = [match for match in found if _YEAR.fullmatch(match.group().strip(".,"))] or found
    if not found or not asked.units:
        return bool(found), bool(found)
    return True, any(not set(asked.units).isdisjoint(_around(asked, sentence, match)) for match in found)


def _around(asked: Asked, sentence: str, match: re.Match[str]) -> list[str]:
    """Stems of the words in which the unit of a number would stand."""
    if asked.kind == "count":
        return content_stems(sentence[match.end() : match.end() + BEHIND])[:4]
    return content_stems(sentence[max(0, match.start() - BEFORE) : match.end() + BEHIND])
