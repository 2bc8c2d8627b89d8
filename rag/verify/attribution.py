"""Of what, and by what measure, does a quote speak?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.text import Names, content_stems, names, stem
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import clauses_of, tokens_of

_HEADING = 6  # letters from which a word in capitals heads a section of an abstract
_TOLD = 120  # characters after a name that may be about it
_SAME_TOLD = 3  # content words of a sentence among them
_SIDE = 8
_SUBJECT = 60  # characters at the beginning of a sentence, where its subject stands
_STRONG = frozenset("; whereas while".split())  # what stands behind them is of another subject
_CAPITALS = re.compile(r"[A-Z][\w-]{1,40}(?: [A-Z][\w-]{1,40}){1,4}")
_OWN = re.compile(
    r"\b(?:we|our|this (?:paper|work|study|article|survey|framework|method|approach|model)|it|its)\b", re.I
)
_TOLD_OF = re.compile(r",? (?:which|that|is|was|are|were|can|has)\b")
_MEASURES: Mapping[str, str] = {
    "time": "fast faster quick quickly quicker rapid rapidly slow slower slowly speed latency time runtime throughput "
    "delay duration hour minute second day instant efficient efficiency",
    "cost": "cheap cheaper cheaply cost costly expensive price budget affordable inexpensive money resource efficient "
    "efficiency economic",
    "memory": "memory storage footprint disk ram lightweight size small compact resource efficient",
    "accuracy": "accurate accuracy precise precision recall correct correctness exact error f1 auc",
    "energy": "energy power electricity carbon watt",
    "safety": "safe safety safer harmful harmless harmlessness toxic toxicity danger",
    "fairness": "fair fairness fairer bias unbiased discrimination",
}
_MEASURE_OF = {
    stem(word): frozenset(name for name, words in _MEASURES.items() if word in words.split())
    for words in _MEASURES.values()
    for word in words.split()
}
_SETS = {name: frozenset(map(stem, words.split())) for name, words in _MEASURES.items()}
_VAGUE = frozenset(
    map(
        stem,
        "efficient efficiency resource small size error correct correctness recall second minute hour day power energy "
        "storage exact".split(),
    )
)


def subject(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """What the best quote says of one thing must not be said of another that it does not name."""
    here = Names(quotes[0])
    own = names(sentence)
    if not own or any(here.holds(name) for name in own):
        return ""
    itself = bool(_OWN.search(quotes[0])) and any(name in paper.own for paper in papers for name in own)
    said = frozenset(content_stems(sentence)) - frozenset(one for name in own for one in content_stems(name))
    place = 0
    for name in names(quotes[0]):
        place = quotes[0].find(name, place) + len(name)
        heading = name.isalpha() and name.isupper() and len(name) >= _HEADING  # "OBJECTIVE"
        if heading or any(_akin(name.casefold(), other.casefold()) for other in own):
            continue
        told = frozenset(content_stems(quotes[0][place : place + _TOLD])[:_SIDE])
        if itself and not _TOLD_OF.match(quotes[0], place):  # "our method" may be it
            continue
        if len(told & said) >= min(_SAME_TOLD, len(said)) > 0:
            return f"what it cites says it of {name}"
    return ""


def _akin(one: str, other: str) -> bool:
    """Whether one name may be a form of the other: "FOXO3" and "FOXO3A"."""
    return one in other or other in one or one[:4] == other[:4]


def elsewhere(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """What a list or a contrast says of one thing must not be said of another of its members."""
    leading = [name for name in names(sentence) if sentence.find(name) < _SUBJECT]
    own = frozenset().union(*(paper.own for paper in papers))
    around = f"{' '.join(quotes)} {before(quotes[0], papers)}"
    near, there = Names(around), [name.casefold() for name in names(around)]
    if (
        leading
        and papers
        and not any(
            near.holds(name)
            or name in own
            or any(name.casefold() in paper.title for paper in papers)
            or any(_akin(name.casefold(), other) for other in there)
            for name in leading
        )
    ):
        return f"what it cites does not say it of {leading[0]}"
    parts = [frozenset(_stems(clause)) for clause in clauses_of(tokens_of(quotes[0]), _STRONG)]
    if len(parts) < 2:
        return ""
    for name in (*_CAPITALS.findall(sentence[:_SUBJECT]), *names(sentence[:_SUBJECT])):
        own = frozenset(content_stems(name))
        holding = [part for part in parts if own <= part]
        rest = frozenset(content_stems(sentence)) - own
        if own and len(holding) == 1 and not holding[0] & rest:
            most = max(len(part & rest) for part in parts)
            if most >= _SAME_TOLD:
                return f"what it cites does not say it of {name}"
    return ""


def before(quote: str, papers: Sequence[Anatomy]) -> str:
    """The sentence before a quote, which may name what "it" is."""
    for paper in papers:
        texts = [one.text for one in paper.readings]
        if quote in texts and texts.index(quote):
            return texts[texts.index(quote) - 1]
    return ""


def measure(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:  # noqa: ARG001
    """What is cheaper need not be faster: the papers must speak of the same measure."""
    if not papers:
        return ""
    there = frozenset().union(*(paper.stems for paper in papers))
    for one in content_stems(sentence):
        of = _MEASURE_OF.get(one, frozenset())
        if of and one not in _VAGUE and all(_SETS[name].isdisjoint(there) for name in of):
            return f"what it cites does not speak of {min(of)}"
    return ""


def _stems(tokens: Sequence[str]) -> list[str]:
    return [one for token in tokens for one in content_stems(token)]
