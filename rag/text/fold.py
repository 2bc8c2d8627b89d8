"""One spelling for characters that look alike or cannot be seen, before words, names and numbers are read."""

from __future__ import annotations

import re
import unicodedata

_MAX_MARKS = 30  # on one letter, as in Unicode's stream-safe text (UAX 15); composing takes the square of their number
_MAY_BE_MARKS = re.compile(rf"[^\w\x00-\x7f]{{{_MAX_MARKS + 1},}}+")
_INVISIBLE = "\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_SPELLINGS = str.maketrans(
    {**dict.fromkeys(_INVISIBLE), "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-"}
)


def fold(text: str) -> str:
    """Without soft hyphens and zero-width characters; apostrophes and hyphens as ASCII has them."""
    return text if text.isascii() else text.translate(_SPELLINGS)


def compose(text: str) -> str:
    """NFC, in linear time: of the marks on one letter the first thirty are kept."""
    return text if text.isascii() else unicodedata.normalize("NFC", _MAY_BE_MARKS.sub(_without_excess, text))


def _without_excess(match: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in match[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)
