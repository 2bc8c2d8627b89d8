"""One spelling for characters that look alike or cannot be seen, before words, names and numbers are read."""

from __future__ import annotations

_INVISIBLE = "\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_SPELLINGS = str.maketrans(
    {**dict.fromkeys(_INVISIBLE), "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-"}
)


def fold(text: str) -> str:
    """Without soft hyphens and zero-width characters; apostrophes and hyphens as ASCII has them."""
    return text if text.isascii() else text.translate(_SPELLINGS)
