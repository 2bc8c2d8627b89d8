"""What a model writes, as it may be shown: without links, pictures, HTML and its own [n], also while it is written."""

from __future__ import annotations

import re
from itertools import islice

from rag.text.markers import MARKER, without_markers

MOST_UNFINISHED = 2000  # characters of an unfinished sentence that are looked at
MOST_MARKERS = 40  # of a sentence that are looked at; each is placed by reading what stands before it
_URL = r"(?:https?|ftp|javascript|data):[^\s|<>]{1,2000}|www\.[^\s|<>]{1,2000}|mailto:[^\s|<>]{1,200}"
_ALIVE = re.compile(
    r"(?P<picture>!)?\[(?![\d\s,;–—-]{1,40}\])(?P<text>[^\[\]]{0,300})\]"
    r"(?:\([^()]{0,1000}(?:\([^()]{0,200}\)[^()]{0,200})?\)|\[[^\[\]]{0,300}\])"
    rf"|<[a-zA-Z/!?][^<>]{{0,500}}>|\b(?:{_URL})",
    re.IGNORECASE,
)
_LIVELY = re.compile(r"<(?=[a-zA-Z/!?])|!(?=\[)|\](?=[(:\[])")  # the beginning of one that is broken or nested
_STARTS = ("https:", "http:", "ftp:", "www.", "mailto:", "javascript:", "data:")
_HALF = sorted({start[:size] for start in _STARTS for size in range(1, len(start) + 1)}, key=len, reverse=True)
_UNFINISHED = re.compile(
    r"(?:!?\[[^\[\]]{0,300}(?:\](?:\([^()]{0,1000}(?:\([^()]{0,200}\)?[^()]{0,200})?|\[[^\[\]]{0,300})?)?"
    r"|<(?:[a-zA-Z/!?][^<>]{0,500})?|"
    rf"\b(?:(?:{_URL})|(?:{'|'.join(map(re.escape, _HALF))})))$",
    re.IGNORECASE,
)
_MAY_GROW = re.compile(r"(?:!| \.)$")  # into a picture, or a number like .5


def inert(text: str, *, whole: bool = True) -> str:
    """A sentence on one line, as plain Markdown without links, pictures, addresses, HTML and [n] markers.

    whole: False while more of it is to come. What may still become one of these is then held back, so that, but for odd
    heaps of signs, each result begins with the ones before it.
    """
    bare = _ALIVE.sub(_words_of, text)
    if not whole:
        bare = _MAY_GROW.sub("", bare[:MOST_UNFINISHED])
        while found := _UNFINISHED.search(bare):
            bare = bare[: found.start()]
    return _LIVELY.sub(lambda found: f"{found[0]} ", without_markers(bare)[0])


def _words_of(found: re.Match[str]) -> str:
    kept = "" if found["picture"] else found["text"] or ""
    return f"{kept} " if found.string[found.end() : found.end() + 1].isalnum() else kept


def marked_places(text: str) -> list[tuple[int, str]]:
    """Where in ``inert(text)`` the [n] markers stood, each with the marker itself, in order; the first of very many."""
    found = islice(MARKER.finditer(text), MOST_MARKERS)
    return [(len(inert(text[: one.start()], whole=False)), one[0]) for one in found]
