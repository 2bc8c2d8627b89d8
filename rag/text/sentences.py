"""Cutting text into sentences that know where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

MAX_SENTENCE_CHARS = 4000  # the longest in 5,000 biomedical abstracts has about 2,000
_CACHED_CHARS = 20_000  # longer texts are not kept, so that the cache stays small

# An end mark, closing brackets or quotes, white space, then something that can begin a sentence. A run of marks is
# entered at its first one only and never given back, which keeps the search linear.
_BOUNDARY = re.compile(r"""(?<![.!?…])[.!?…]++["”’')\]]*+\s++(?=["“‘'(\[]*+[A-Z0-9À-ÖØ-Þ$\\])""")
# Words whose full stop does not end a sentence. Lower case, without the last stop.
_ABBREVIATIONS = frozenset(
    "e.g i.e eg ie cf vs viz al etc approx resp fig figs eq eqs sec secs tab no nos vol pp ref refs dr prof mr mrs ms "
    "st jr sr dept univ inc ltd corp ca est u.s u.k ph.d incl i.i.d w.r.t a.k.a aka c.f et".split()
)
# These may also end a sentence, so they hold it together only before a lower-case word or a digit.
_MAY_END = frozenset({"etc", "al", "i.i.d", "inc", "u.s", "u.k", "ph.d"})


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence: ``text[start:end]`` of the text it was found in."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The sentence itself."""
        return text[self.start : self.end]


def sentences(text: str) -> tuple[Span, ...]:
    """The sentences of a text in order, without surrounding white space; together they hold all its words.

    What goes on for more than MAX_SENTENCE_CHARS is cut into pieces no longer than that, between words
    where it has any.
    """
    return _remembered(text) if len(text) <= _CACHED_CHARS else _sentences(text)


def _sentences(text: str) -> tuple[Span, ...]:
    cuts = [0]
    for match in _BOUNDARY.finditer(text):
        if _ends_sentence(text, match.start(), match.end()):
            cuts.append(match.end())
    cuts.append(len(text))
    return tuple(span for start, end in pairwise(cuts) for span in _pieces(text, start, end))


_remembered = lru_cache(maxsize=4096)(_sentences)


def _ends_sentence(text: str, mark: int, after: int) -> bool:
    if text[mark] != ".":
        return True
    before = text[max(0, mark - 20) : mark].rsplit(None, 1)
    word = before[-1].lstrip("([\"'“‘").casefold() if before else ""
    if word in _ABBREVIATIONS:
        return word in _MAY_END and text[after : after + 1].isalpha()
    # an initial, as in "J. Smith"; "I", "A" and digits may well end a sentence
    return not (len(word) == 1 and word.isalpha() and word not in "ia" and before[-1][-1:].isupper())


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentence without white space around it, in bounded pieces; nothing if it is only white space."""
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    end = start + len(inner.strip())
    while end - start > MAX_SENTENCE_CHARS:
        head = text[start : start + MAX_SENTENCE_CHARS]
        whole_words = head.rstrip() if text[start + MAX_SENTENCE_CHARS].isspace() else (head.rsplit(None, 1) or [""])[0]
        cut = start + len(whole_words)
        yield Span(start, cut)
        rest = text[cut:end]
        start = end - len(rest.lstrip())
    if start < end:
        yield Span(start, end)
