"""Words and their stems."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

from rag.text.fold import fold

# Bounded, so that no cache of words can be filled with megabytes; what is longer counts as several words.
_WORD = re.compile(r"[^\W_]{1,64}+(?:[-'.][^\W_]{1,64}+){0,8}")
_PARTS = re.compile(r"[-.]")
_ENDING = re.compile(r"'(?:s|t|d|m|ll|re|ve)$")  # of "model's", "it'll"

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
    if word in STOP_WORDS or word.endswith("n't"):
        return ()
    parts = [apart for part in _PARTS.split(word) for apart in _ENDING.sub("", part).split("'")]
    return tuple((stem(part), part) for part in parts if part and part not in STOP_WORDS)


def words(text: str) -> list[str]:
    """All words in order, case folded; "self-learning" and "3.5" are one word each."""
    return [match.group().casefold() for match in _WORD.finditer(fold(text))]


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry subject matter, in order; the parts of a hyphenated word count one by one."""
    return [found for found, _ in content_words(text)]


def content_words(text: str) -> list[tuple[str, str]]:
    """(stem, word as it stands, case folded) of the words that carry subject matter, in order."""
    return [pair for word in words(text) for pair in _stems_of(word)]
