"""Who wins a comparison?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.text import content_stems, stem, words
from rag.verify.clauses import BE
from rag.verify.opposites import graded, opposite, way

CROSSED = "what it cites compares them the other way round"
_WON = stem("outperform")
_WINS = re.compile(
    r"\b(?:outperform|surpass|exceed|beat|outscor|overtak|outdo|underperform|trail|lag)[a-z]{0,4}\b(?: behind\b)?",
    re.IGNORECASE,
)
_THAN = re.compile(r"\bthan\b(?!\W{0,3}\d[\d.,]{0,12}(?:%|\s?\w))|\b(?:superior|inferior)\s{1,3}to\b", re.IGNORECASE)
_AGAINST = re.compile(
    r"\b(?:compared (?:with|to)|in comparison (?:with|to)|relative to|versus|vs\.?|over|against|unlike|"
    r"in contrast to)\s",
    re.IGNORECASE,
)
_OVER = frozenset(("over", "against"))  # which often compare nothing
_END = re.compile(r"[,;:(](?=\s)|\b(?:while|whereas|although|because)\b")
_INCLUDING = re.compile(r",(?= (?:including|such as|like|e\.g\.|namely)\b)")
_ONE = re.compile(r"(?<!the )(?<!this )(?<!which )(?<!that )\bone\b(?! of\b)", re.IGNORECASE)
_REACH = 300  # characters on each side
_SIDE = 8  # content words on each side
_NEAR = 8  # words before "than" among which the quality stands
_FAR = 14  # words before "compared with"
_MOST = 20  # comparisons of one text
_ADVERBS = 2  # content words between a comma and "outperforming"


@dataclass(frozen=True, slots=True)
class _Compared:
    quality: str  # stem: what there is more or less of
    more: frozenset[str]  # stems of what has more of it
    less: frozenset[str]  # of what has less; empty where it is left out


def crossed(sentence: str, quotes: Sequence[str]) -> str:
    """Who wins a comparison in the quote must win it in the sentence."""
    there = [found for quote in quotes for found in islice((*_compared(quote), *_implied(quote)), _MOST)]
    for one in islice(_compared(sentence), _MOST):
        fits = [fit for other in there if (fit := _fit(one, other)) is not None]
        straight, turned = max(fits, key=max, default=(0, 0))
        if turned > straight:
            return CROSSED
    return ""


def _fit(one: _Compared, other: _Compared) -> tuple[int, int] | None:
    """How many words stand on the same sides of two comparisons, and how many on the opposite ones."""
    alike = _alike(one.quality, other.quality)
    common = one.more & one.less
    more, less = one.more - common, one.less - common
    winner, loser = other.more - other.less, other.less - other.more
    if not alike or not (more and less and winner):
        return None
    same = len(more & winner) + len(less & loser)
    turned = len(more & loser) + len(less & winner)
    return (same, turned) if alike == 1 else (turned, same)


def _alike(one: str, other: str) -> int:
    """1 if two qualities point the same way, -1 if they are opposites, 0 if they have nothing to do with each other."""
    ways = [way(quality) for quality in (one, other)]
    if all(ways):
        return ways[0] * ways[1]
    if one == other or _WON in (one, other):  # who outperforms another is faster, cheaper or whatever is good
        return 1
    return -1 if opposite(one, other) else 0


def _compared(text: str) -> Iterator[_Compared]:
    for match in _WINS.finditer(text):
        before, after = _around(text, match)
        passive = words(after)[:1] == ["by"] and not BE.isdisjoint(words(before)[-3:])
        left, right = _left(before, match[0].casefold().endswith("ing")), _right(after)
        lost = match[0].casefold().startswith(("underperform", "trail", "lag"))
        yield _Compared(_WON, right, left) if passive != lost else _Compared(_WON, left, right)
    for match in _THAN.finditer(text):
        before, after = _around(text, match)
        near = re.findall(r"[^\W_]{1,40}", before if match[0].casefold() == "than" else match[0])[-_NEAR:]
        if quality := _quality(near):
            cut = before.rfind(quality)
            left, right = _left(before[:cut] if cut >= 0 else before), _right(after)
            if words(after)[:1] in (["those"], ["that"]):  # "infants from towns … than those from rural areas"
                right |= frozenset(_stems(before)[:1])
            yield _Compared(stem(quality.casefold()), left, right)
    for match in _AGAINST.finditer(text):
        before, after = _around(text, match)
        if not before.strip(" \"'(") or before.rstrip()[-1:] in ".;:":  # "Compared with B, A is faster"
            apart = after.split(", ", 1)
            near = re.findall(r"[^\W_]{1,40}", apart[-1])[:_FAR]
            if len(apart) == 2 and (quality := _quality(near[::-1])):
                yield _Compared(stem(quality.casefold()), _left(apart[1][: apart[1].find(quality)]), _right(apart[0]))
            continue
        near = re.findall(r"[^\W_]{1,40}", _END.split(before.rstrip(" ,"))[-1])[-_FAR:]
        if quality := _quality(near, verbs=match[0].strip().casefold() not in _OVER):
            cut = before.rfind(quality)
            yield _Compared(stem(quality.casefold()), _left(before[:cut], quality.endswith("ing")), _right(after))


def _implied(text: str) -> Iterator[_Compared]:
    """ "Infants of rural residence had a higher mortality": what it is compared with is left out."""
    if _THAN.search(text):
        return
    for match in re.finditer(r"\b(?:higher|lower|more|less|greater|fewer|better|worse|larger|smaller)\b", text):
        before, _ = _around(text, match)
        yield _Compared(stem(match[0]), _left(before), frozenset())


def _quality(near: Sequence[str], *, verbs: bool = True) -> str:
    """The last word that is on a scale or in the comparative."""
    for word in reversed(near):
        found = stem(word.casefold())
        if (way(found) and (verbs or word.endswith(("s", "ed", "er", "ing")))) or graded(found):
            return word
    return ""


def _around(text: str, match: re.Match[str]) -> tuple[str, str]:
    return text[max(0, match.start() - _REACH) : match.start()], text[match.end() : match.end() + _REACH]


def _left(before: str, participle: bool = False) -> frozenset[str]:
    """The subject. participle: it may stand in the clause before, as in "A wins, outperforming B"."""
    parts = _END.split(before)
    if participle and len(parts) > 1 and len(content_stems(parts[-1])) <= _ADVERBS:
        return frozenset(_stems(parts[-2]))
    return frozenset(_stems(parts[-1])[-_SIDE:])


def _right(after: str) -> frozenset[str]:
    """What stands behind a comparison."""
    return frozenset(_stems(_END.split(_INCLUDING.sub(" ", after))[0])[:_SIDE])


def _stems(text: str) -> list[str]:
    return content_stems(_ONE.sub("1", text))
