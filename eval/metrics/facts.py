"""Does a text hold a fact? Plain string matching, so a person can predict the verdict."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),  # dashes and minus
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\\*$", None),  # invisible, LaTeX and Markdown marks
        "\u00d7": "x",
    }
)
_MARKER = re.compile(r"\s*\[\d+(?:\s*[,;]\s*\d+)*\]")  # [1] and [1, 2] cite, they do not state numbers
_PERCENT = re.compile(r"(?<=\d)\s*(?:%|per\s?cent\b)")
_TIMES = re.compile(r"(?<=\d)\s+x\b")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_WORD_HYPHEN = re.compile(r"(?<=[^\W\d_])-\s*(?=[^\W\d_])")  # not the hyphen of GPT-4 nor of 5-19%


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """One spelling for what means the same: case, white space, dashes, quotes, "7,008", "6 per cent", "black-box"."""
    plain = unicodedata.normalize("NFKC", text).translate(_CHARACTERS).casefold()
    plain = " ".join(_MARKER.sub("", plain).split())
    plain = _WORD_HYPHEN.sub(" ", _TIMES.sub("x", _PERCENT.sub("%", plain)))
    return _THOUSANDS.sub(lambda match: match.group().replace(",", ""), plain)


@lru_cache(maxsize=4096)
def _pattern(form: str) -> re.Pattern[str]:
    plain = normalise(form)
    if not plain:
        raise ValueError("an accepted form of a fact is empty")
    before = after = ""
    if plain[0].isdigit():  # neither the 14 of 2014, of 3.14 nor of GPT-14
        before = r"(?<!\w)(?<!\d[.,])(?<![^\W\d_]-)"
    elif plain[0].isalnum():
        before = r"(?<!\w)"
    if plain[-1].isdigit():  # neither the 14 of 14.5 nor of 14k
        after = r"(?!\w)(?![.,]\d)"
    elif plain[-1].isalnum():
        after = r"(?!\w)"
    return re.compile(before + re.escape(plain) + after)


def holds_fact(text: str, forms: Sequence[str]) -> bool:
    """Whether at least one accepted form of a fact stands in the text, as whole words and whole numbers.

    Case, white space, kinds of dashes and quotes, thousands separators, "%" against "percent" and hyphens between
    words do not count; "14" is not found in "2014", "14.5" or a marker "[14]", nor "6%" in "16%".
    Raises ValueError if there is no form, or an empty one.
    """
    if not forms:
        raise ValueError("a fact needs at least one accepted form")
    patterns = [_pattern(form) for form in forms]
    plain = normalise(text)
    return any(pattern.search(plain) for pattern in patterns)
