"""Of whose work does a quote speak: of the paper's own, of what others did before, or of some other thing by name?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import content_stems, names, words
from rag.verify.anatomy import Anatomy
from rag.verify.attribution import before

_WE = re.compile(
    r"\b(?:we|our|ours|here|this (?:paper|work|study|article|survey|research|approach|method|framework))\b",
    re.IGNORECASE,
)
_TITLE_CASE = re.compile(r"[A-Z][\w-]{1,40}(?: (?:of|the|in|from) [A-Z][\w-]{1,40}| [A-Z][\w-]{1,40}){1,5}")
_OTHERS = frozenset(
    "existing earlier prior previous previously traditional traditionally conventional current currently past former "
    "older predecessor predecessors established classical".split()
)
_ALSO_OTHERS = _OTHERS | frozenset(
    "recent recently baseline baselines typically usually often most many unlike such common others elsewhere".split()
)
_HEAD = 6  # words in which a sentence names what it is about
_LIKELY = 0.7  # share of the best quote's words from which another one may be meant
_SHORTEST = 3  # letters of a part of a name that may stand for it
_SUBJECT = 60  # characters, likewise


def misattributed(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """What a paper says of others' work, or before it speaks of its own, is not said of its own; nor the reverse."""
    head = sentence[:_SUBJECT]
    named = [name for name in names(sentence) if name in head]
    told = frozenset(content_stems(sentence)) - frozenset(content_stems(" ".join(named)))
    shares = [len(told & frozenset(content_stems(quote))) for quote in quotes]
    likely = [quote for quote, share in zip(quotes, shares, strict=True) if share >= _LIKELY * max(shares)]
    if others := _OTHERS & frozenset(words(sentence)[:_HEAD]):
        near = frozenset(words(" ".join((*likely, *(before(quote, papers) for quote in likely)))))
        return "" if _ALSO_OTHERS & near else f"what it cites does not speak of {min(others)} work"
    own = [name for name in (*named, *_TITLE_CASE.findall(head)) if any(_owns(paper, name) for paper in papers)]
    if own and not any(_is_own(quote, own, papers) for quote in likely):
        return f"what it cites does not say it of {own[0]}"
    best = quotes[shares.index(max(shares))]
    around = f"{best} {quotes[0]} {before(best, papers)}".casefold()
    for name in [name for name in named[:1] if name not in own]:
        parts = [part for part in (name, *name.replace("/", "-").split("-")) if len(part) >= _SHORTEST]
        if not any(part.casefold() in around for part in parts):
            return f"what it cites does not say it of {name}"
    return ""


def _owns(paper: Anatomy, name: str) -> bool:
    return name in paper.own or (" " in name and name in paper.text)


def _is_own(quote: str, own: Sequence[str], papers: Sequence[Anatomy]) -> bool:
    """Whether a sentence may speak of its paper's own work: it says so, or stands behind one that does."""
    if _WE.search(quote) or any(name in quote for name in own):
        return True
    if _OTHERS & frozenset(words(quote)[:_HEAD]):
        return False
    for paper in papers:
        texts = [one.text for one in paper.readings]
        if quote in texts:
            begins = (
                at for at, text in enumerate(texts) if _WE.search(text) or any(name in text for name in paper.own)
            )
            return texts.index(quote) >= next(begins, 0)
    return True
