"""Reading text: sentences with offsets, content words, numbers and names. Pure, and the same for all stages."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

# An end mark, closing brackets or quotes, white space, then something that can begin a sentence.
_BOUNDARY = re.compile(r"""[.!?…]+["”’')\]]*\s+(?=["“‘'(\[]*[A-Z0-9À-ÖØ-Þ$\\])""")
# Words whose full stop does not end a sentence. Lower case, without the last stop.
_ABBREVIATIONS = frozenset(
    "e.g i.e eg ie cf vs viz al etc approx resp fig figs eq eqs sec secs tab no nos vol pp ref refs dr prof mr mrs ms "
    "st jr sr dept univ inc ltd corp ca est u.s u.k ph.d incl i.i.d w.r.t a.k.a aka c.f et".split()
)
# These may also end a sentence, so they hold it together only before a lower-case word or a digit.
_MAY_END = frozenset({"etc", "al", "i.i.d", "inc", "u.s", "u.k", "ph.d"})
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*", re.UNICODE)
_NUMBER = re.compile(r"(?<![\w.])(?<!\w-)\d+(?:[.,]\d+)*")  # not the 4 of "GPT-4"
_MAGNITUDE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9}
_NUMBER_UNIT = re.compile(r"\s?(k|m|b|thousand|million|billion)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence: ``text[start:end]`` of the text it was found in."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The sentence itself."""
        return text[self.start : self.end]


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[Span, ...]:
    """The sentences of a text in order, without surrounding white space; together they hold all its words."""
    cuts = [0]
    for match in _BOUNDARY.finditer(text):
        if _ends_sentence(text, match.start(), match.end()):
            cuts.append(match.end())
    cuts.append(len(text))
    spans = (_strip(text, start, end) for start, end in pairwise(cuts))
    return tuple(span for span in spans if span.start < span.end)


def _ends_sentence(text: str, mark: int, after: int) -> bool:
    if text[mark] != ".":
        return True
    before = text[max(0, mark - 20) : mark].rsplit(None, 1)
    word = before[-1].lstrip("([\"'“‘").casefold() if before else ""
    if word in _ABBREVIATIONS:
        return word in _MAY_END and text[after : after + 1].isalpha()
    # an initial, as in "J. Smith"; "I", "A" and digits may well end a sentence
    return not (len(word) == 1 and word.isalpha() and word not in "ia" and before[-1][-1:].isupper())


def _strip(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


# Words that carry no subject matter: English function words, and the words of asking.
STOP_WORDS = frozenset(
    """
    a about above after again against all also am among an and another any are aren't as at be because been before being
    below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't done down during
    each either else etc ever every few for from further had hadn't has hasn't have haven't having he her here hers him
    his how however i i'd i'll i'm i've if in instead into is isn't it it's its itself just let let's like many may me
    might mine more most much must my myself neither no nor not now of off often on once one only onto or other others
    our ours out over own per perhaps please quite rather really same shall she should shouldn't since so some somehow
    something such than that that's the their theirs them then there there's these they they're this those though
    through thus to too under until up upon us very via was wasn't we we're well were weren't what what's when where
    whether which while who whom whose why will with within without won't would wouldn't yes yet you you're your
    anybody anyone anything somebody someone everyone everything nobody nothing
    tell explain describe give show know find look looking want wonder wondering say says said mean means call called
    paper papers work works study studies article articles abstract abstracts author authors collection literature
    research researchers question answer exactly actually specifically briefly list compare
    """.split()
)

_local = threading.local()


def stem(word: str) -> str:
    """The Snowball English stem of one lower-case word."""
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:  # a PyStemmer object may not be shared between threads
        import Stemmer

        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(word))


@lru_cache(maxsize=65536)
def _stems_of(word: str) -> tuple[tuple[str, str], ...]:
    parts = [part for part in re.split(r"[-'’.]", word) if part]
    return tuple((stem(part), part) for part in parts if part not in STOP_WORDS)


def words(text: str) -> list[str]:
    """All words in order, case folded; "self-learning" and "3.5" are one word each."""
    return [match.group().casefold() for match in _WORD.finditer(text)]


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry subject matter, in order; the parts of a hyphenated word count one by one."""
    return [found for found, _ in content_words(text)]


def content_words(text: str) -> list[tuple[str, str]]:
    """(stem, word as it stands, case folded) of the words that carry subject matter, in order."""
    return [pair for word in words(text) if word not in STOP_WORDS for pair in _stems_of(word)]


@cache
def _plain_number(digits: str) -> float | None:
    try:
        return float(digits.replace(",", ""))
    except ValueError:
        return None  # "1.2.3": a version or a section, not a quantity


def numbers(text: str) -> list[float]:
    """Quantities in order: "1,109" is 1109.0, "1.5k" and "1.5 thousand" are 1500.0; signs and units do not count."""
    found = []
    for match in _NUMBER.finditer(text):
        value = _plain_number(match.group())
        if value is None:
            continue
        unit = _NUMBER_UNIT.match(text, match.end())
        found.append(value)
        if unit:
            found[-1] = value * _MAGNITUDE[unit.group(1).casefold()]
    return found


_NAME = re.compile(r"[^\W_]+(?:[-.+/][^\W_]+)*\+*")


def names(text: str) -> list[str]:
    """Words that look like names of things: an inner capital, a digit beside letters, or all capitals.

    A capital at the start alone does not make a name, because sentences begin with one.
    """
    found = []
    for match in _NAME.finditer(text):
        word = match.group()
        letters = [char for char in word if char.isalpha()]
        if len(letters) < 2:
            continue
        inner_capital = any(char.isupper() for char in word[1:])
        digit = any(char.isdigit() for char in word)
        if inner_capital or (digit and any(char.isupper() for char in letters)):
            found.append(word)
    return found
