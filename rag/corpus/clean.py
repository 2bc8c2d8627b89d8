"""Titles and abstracts as people and search engines should see them: one line of plain Unicode.

Cleaning is idempotent, so a paper that went through it keeps its text (and every quote its offsets) when it is read
again, and it never eats text: what is not surely markup stays as it is.
"""

from __future__ import annotations

import re
import unicodedata

from rag.corpus import latex, markup
from rag.text.fold import compose

_MAX_PASSES = 30  # one pass may uncover markup inside markup (&amp;lt;i&gt;); real text is stable after two
_PLAIN = re.compile(r"[A-Za-z0-9 .,;:!?()/+*=@#%'\"|-]*")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# Zero-width joiners spell words in Persian and Indic scripts and build emoji; next to ASCII they are debris.
_STRAY_JOINER = re.compile("(?:(?<=[\x00-\x7f])|^)[\u200c\u200d]+|(?<![\u200c\u200d])[\u200c\u200d]++(?=[\x00-\x7f]|$)")
_URL = re.compile(r"(?:https?|ftp)://[^\s<>\"{}|\\^]+", re.IGNORECASE)
_DOUBLE_QUOTES = re.compile(r"``([^`]{1,2000}?)(?:''|\"|”)")
_SINGLE_QUOTES = re.compile(r"(?<![\w`])`([^`']{1,200})'(?![\w'])")
_EM_DASH = re.compile(r"(?<![-<!])(?:(?<=\S)---(?=[^\s>-])|(?<=\s)---(?=\s)|(?<=\w)---(?=\s))")
_EN_DASH = re.compile(r"(?<=[\w)\]\"'”\u2019.,%])--(?=[\w(\[\"'“\u2018$])|(?<=\s)--(?=\s)")
# LaTeX ties: "models~(LMs)", "5~GB", "et~al."; not "~5x", "10~20", "x~N(0, 1)" or an address's "/~user".
_TIE = re.compile(
    r"(?:(?<=[^\W\d_]{2})|(?<=[.,;:)\]}%]))~+(?=[\w(\[\\$“`])|(?<=\d)~(?=[^\W\d_])|(?<=\b[aAI])~(?=[^\W\d_]{2})"
)


def clean(text: str, *, latex_source: bool = False) -> str:
    """One line of readable Unicode (NFC): LaTeX, HTML, invisible characters and runs of white space are resolved.

    ``clean(clean(x)) == clean(x)``. Accepts any string, never raises; text that holds nothing visible becomes "".
    latex_source: the text is LaTeX for certain (a BibTeX field), so every brace group is markup.
    """
    text = _characters(text)
    if latex_source:
        text = _characters(latex.plain(text, braces=True))
    if _PLAIN.fullmatch(text) and "--" not in text:
        return text
    for _ in range(_MAX_PASSES):
        before = text
        text = _characters(_typography(latex.plain(markup.plain(text))))
        if text == before:
            break
    return text


def _characters(text: str) -> str:
    """Invisible and control characters go, white space becomes single spaces, the rest is composed."""
    if not text.isascii():
        text = _STRAY_JOINER.sub("", _INVISIBLE.sub("", text.translate(_LIGATURES)))
    text = " ".join(text.split())
    if not text.isprintable():
        # Cc: control characters; Cs: halves of surrogate pairs, which no file can hold.
        text = "".join(char for char in text if char == " " or unicodedata.category(char) not in ("Cc", "Cs"))
        text = " ".join(text.split())
    return compose(text)


def _typography(text: str) -> str:
    """TeX's quotes, dashes and ties, outside of web addresses."""
    if "``" in text:
        text = _DOUBLE_QUOTES.sub(r"“\1”", text)
    if "`" in text:
        text = _SINGLE_QUOTES.sub("\u2018\\1\u2019", text)
    if "--" not in text and "~" not in text:
        return text
    out: list[str] = []
    position = 0
    for url in _URL.finditer(text):
        out += (_dashes_and_ties(text[position : url.start()]), url[0])
        position = url.end()
    return "".join(out) + _dashes_and_ties(text[position:])


def _dashes_and_ties(text: str) -> str:
    return _TIE.sub(" ", _EN_DASH.sub("\u2013", _EM_DASH.sub("—", text)))
