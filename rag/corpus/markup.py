"""HTML, JATS and MathML leftovers inside prose: entities are decoded, known tags go, everything else stays.

``5 < 10 and a > b`` and ``the token <s>`` are text, so a tag must have a known name, well-formed attributes and, for
inline tags, a partner.
"""

from __future__ import annotations

import html
import re

_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_REPEATED_AMP = re.compile(r"&(?:amp;)+")
_ATTRIBUTES = r"""(?:\s+[\w:-]{1,40}\s*=\s*(?:"[^"<>]{0,500}"|'[^'<>]{0,500}'|[^\s"'<>=]{1,200}))*"""
_INLINE = "i|b|em|strong|sub|sup|u|tt|sc|span|font|a|small|big|italic|bold|inf|title|code|mark|cite|abbr|section"
_BLOCK = "p|br|hr|div|ul|ol|li|h[1-6]|table|tr|td|th|tbody|thead|blockquote|sec|list|list-item"
_TAG = re.compile(rf"<(/?)((?:jats|mml|m):[\w-]{{1,40}}|{_INLINE}|{_BLOCK}){_ATTRIBUTES}\s*(/?)>", re.IGNORECASE)
_BLOCK_NAME = re.compile(rf"(?:(?:jats|mml|m):)?(?:{_BLOCK})", re.IGNORECASE)
_COMMENT = re.compile(r"<!--[^<>]{0,2000}-->|<!\[CDATA\[([^<>\[\]]{0,100000})\]\]>")


def plain(text: str) -> str:
    """Replace HTML in text by what a reader would see. Total: any string is accepted."""
    if "&" in text:
        text = _ENTITY.sub(_decoded, text)
    if "<" in text:
        text = _COMMENT.sub(lambda match: match[1] or " ", text)
        text = _without_tags(text)
    return text


def _decoded(match: re.Match[str]) -> str:
    # html.unescape alone would also decode "&copy=2" in an address; &amp;amp;lt; is decoded to its end at once
    # so that a chain of them costs one pass.
    decoded = html.unescape(f"&{match[1]};")
    return _REPEATED_AMP.sub("&", match[0]) if decoded == f"&{match[1]};" else decoded


def _without_tags(text: str) -> str:
    tags = list(_TAG.finditer(text))
    partner: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for number, tag in enumerate(tags):
        name = tag[2].lower()
        if tag[1]:
            if opened.get(name):
                start = opened[name].pop()
                partner[start], partner[number] = number, start
        elif not tag[3]:
            opened.setdefault(name, []).append(number)
    out: list[str] = []
    position = 0
    for number, tag in enumerate(tags):
        name = tag[2].lower()
        block = _BLOCK_NAME.fullmatch(name) is not None
        if not block and ":" not in name and number not in partner:
            continue  # "the token <b>": nothing closes it, so it is text
        out.append(text[position : tag.start()])
        position = tag.end()
        if block:
            out.append(" ")
        elif name.endswith("sup") and not tag[1] and re.match(r"[\w+\u2212-]", text[position : position + 1]):
            out.append("^")
    return "".join(out) + text[position:]
