"""The text of an answer as HTML: what a model wrote is Markdown, what was quoted is not; [n] lead to the evidence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from rag.answer.answerer import MARK
from rag.answer.extractive import ALSO, MORE, SOURCE
from rag.types import Answer, Sentence
from ui.page.render import visible

_MARKER = re.compile(r" ?\[(\d{1,3})\]")
# a sentence begins behind the signs of its list, heading, quote or table row: they are Markdown's, not its own
_SIGNS = re.compile(r"[ \t]*(?:(?:[-*+>|]|#{1,6}|\d{1,9}[.)])[ \t]+)*")
OPEN, CLOSE = "⸨", "⸩"  # around a sentence while Markdown is read, to which they are punctuation that means nothing
ALSO_CLOSE = "Also close"
_NO_MARKS = {ord(OPEN): None, ord(CLOSE): None}
INERT = ("link", "image", "autolink", "html_inline", "html_block", "reference")  # the text loads and opens nothing


def marked_up(turn: int, answer: Answer) -> Markup:
    """The whole answer. One without sentences, e.g. because it was stopped, has no links to evidence."""
    if answer.mode == "extractive" and answer.sentences:
        return Markup("").join(_quoted(turn, answer))
    return _written(turn, answer.text, answer.sentences, {one.marker for one in answer.citations})


def plain_text(text: str) -> Markup:
    """Text of which only a part is there: its markers are not links yet."""
    return _written(0, text, (), ())


def marker(turn: int, number: int, known: Collection[int]) -> Markup:
    """One [n]."""
    if number not in known:
        return Markup('<span class="cite idle">[{}]</span>').format(number)
    return Markup(
        '<a class="cite" href="#quote-{0}-{1}" data-do="cite" data-turn="{0}" data-n="{1}" aria-label="Evidence {1}">'
        "[{1}]</a>"
    ).format(turn, number)


def with_markers(text: str, turn: int, known: Collection[int]) -> Markup:
    """A text with its [n] as links to the evidence; each keeps the word before it on its line."""
    pieces, place = [], 0
    for match in _MARKER.finditer(text):
        head, space, word = text[place : match.start()].rpartition(" ")
        link = marker(turn, int(match[1]), known)
        pieces += [escape(visible(head + space)), Markup('<span class="held">{}{}</span>').format(visible(word), link)]
        place = match.end()
    return Markup("").join([*pieces, escape(visible(text[place:]))])


def _quoted(turn: int, answer: Answer) -> Iterator[Markup]:
    """Each quote, and the paper that it is from above it, as in a list of notes."""
    titles = {citation.marker: citation.title for citation in answer.citations}
    if answer.caveat:
        yield Markup('<p class="caveat">{}</p>').format(visible(answer.caveat))
    shown = ""
    for sentence in answer.sentences:
        text = sentence.text.removeprefix(MORE)
        known = [one for one in sentence.citations if one in titles]
        for title in (titles[one] for one in known):
            also = ALSO.format(title=title)
            if text.startswith(also):
                yield Markup('<p class="also">{}</p>').format(ALSO_CLOSE)
            text = text.removeprefix(also).removeprefix(f"- {title}: ").removesuffix(SOURCE.format(title=title))
            if title != shown:
                shown = title
                yield Markup('<p class="source"><cite dir="auto">{}</cite></p>').format(visible(title))
        yield Markup('<p class="quoted">{}</p>').format(_said(with_markers(text, turn, known), known))


def _written(turn: int, text: str, sentences: Sequence[Sentence], known: Collection[int]) -> Markup:
    text = text.translate(_NO_MARKS)
    pieces: list[str] = []
    there: list[Sentence] = []
    place = 0
    for sentence in sentences:
        found = text.find(sentence.text, place)
        if found < 0:
            continue
        signs = _SIGNS.match(sentence.text)
        begin = found + (signs.end() if signs else 0)
        end = found + len(sentence.text.removesuffix(MARK))
        pieces += [text[place:begin], OPEN, text[begin:end], CLOSE]
        there.append(sentence)
        place = found + len(sentence.text)
    env = {"turn": turn, "known": known, "sentences": there, "at": -1, "inside": False}
    return Markup(_markdown().render("".join([*pieces, text[place:]]), env))


@cache
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table").disable(list(INERT))
    made.add_render_rule("text", _text)
    for code in ("code_inline", "code_block", "fence"):
        made.add_render_rule(code, _code)
    return made


def _text(_: Any, tokens: Sequence[Token], index: int, __: Any, env: dict[str, Any]) -> str:
    """Words, in the sentence that they belong to: a sentence that runs through bold words has several pieces."""
    pieces = []
    for piece in re.split(f"([{OPEN}{CLOSE}])", tokens[index].content):
        if piece == OPEN:
            env["inside"], env["at"] = True, env["at"] + 1
        elif piece == CLOSE:
            env["inside"] = False
            if not env["sentences"][env["at"]].supported:
                pieces.append(Markup(' <span class="flag">{}</span>').format(MARK.strip(" ()")))
        elif piece:
            words = with_markers(piece, env["turn"], env["known"])
            pieces.append(_belonging(words, env["sentences"][env["at"]], env["known"]) if env["inside"] else words)
    return "".join(pieces)


def _code(_: Any, tokens: Sequence[Token], index: int, __: Any, ___: Mapping[str, Any]) -> str:
    token = tokens[index]
    code = escape(visible(token.content.translate(_NO_MARKS)))
    return f"<code>{code}</code>" if token.type == "code_inline" else f"<pre><code>{code}</code></pre>\n"


def _belonging(words: Markup, sentence: Sentence, known: Collection[int]) -> Markup:
    return _said(words, [one for one in sentence.citations if one in known], supported=sentence.supported)


def _said(words: Markup, markers: Sequence[int], *, supported: bool = True) -> Markup:
    kind = "said" if supported else "said unsupported"
    return Markup('<span class="{}" data-leans="{}">{}</span>').format(kind, " ".join(map(str, markers)), words)
