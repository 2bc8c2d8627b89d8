"""The text of an answer as HTML: what a model wrote is Markdown, what was quoted is not; [n] lead to the evidence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from rag.answer.extractive import ALSO, MORE, SOURCE
from rag.answer.written import MARK
from rag.query.intent import SEARCHED
from rag.told import Told
from rag.types import Answer, Emphasis, Sentence, State, located
from ui.render import visible

_MARKER = re.compile(r" ?\[(\d{1,3})\]")
# a sentence begins behind the signs of its list, heading, quote or table row: they are Markdown's, not its own
_SIGNS = re.compile(r"[ \t]*(?:(?:[-*+>|]|#{1,6}|\d{1,9}[.)])[ \t]+)*")
OPEN, CLOSE = "⸨", "⸩"  # around a sentence while Markdown is read, to which they are punctuation that means nothing
ALSO_CLOSE = "Also close"
STRONG, WEAK = "⦗", "⦘"  # around what was asked for, likewise
_NO_MARKS = dict.fromkeys(map(ord, (OPEN, CLOSE, STRONG, WEAK)))
FLAGS = {  # class, explanation and words
    "unchecked": ("pale", "The abstracts neither say this nor speak against it.", "not checked"),
    "contradicted": ("bad", "No abstract supports this, or one speaks against it.", MARK.strip(" ()")),
}
LISTED = 5  # papers of a list that are shown at once
Span = tuple[int, int]
INERT = ("link", "image", "autolink", "html_inline", "html_block", "reference")  # the text loads and opens nothing


def marked_up(turn: int, answer: Answer) -> Markup:
    """The whole answer. One without sentences, e.g. because it was stopped, has no links to evidence."""
    if answer.mode == "extractive" and answer.sentences and answer.intent in SEARCHED:
        return Markup("").join(_quoted(turn, answer))
    said = [_Piece(one.text, at, state_of(one), answer.places_of(one)) for one, at in answer.located()]
    known = {one.marker for one in answer.citations}
    return _written(answer.text, said, emphasis=answer.emphasis, turn=turn, known=known)


def growing(told: Told) -> Markup:
    """As much as there is of an answer: what was judged is as it will be, but for links, and the rest is pale."""
    judged = [_Piece(one.text, at, state_of(one)) for one, at in located(told.text, told.sentences)]
    words = told.pale.strip()
    begin = len(told.text) + len(told.pale) - len(told.pale.lstrip())
    pale = [_Piece(words, begin, "drafted")] if words else []
    return _written(told.text + told.pale, [*judged, *pale])


def marker(turn: int, number: int, known: Collection[int]) -> Markup:
    """One [n]."""
    if number not in known:
        return Markup('<span class="cite idle">[{}]</span>').format(number)
    return Markup(
        '<a class="cite" href="#quote-{0}-{1}" data-do="cite" data-turn="{0}" data-n="{1}" aria-label="Evidence {1}">'
        "[{1}]</a>"
    ).format(turn, number)


def with_markers(text: str, turn: int, known: Collection[int], strong: Sequence[Span] = ()) -> Markup:
    """A text with its [n] as links to the evidence; each keeps the word before it on its line.

    strong: spans of the text that are set in bold.
    """
    if strong:
        edges = sorted({0, len(text), *(edge for span in strong for edge in span if 0 <= edge <= len(text))})
        parts = []
        for start, end in pairwise(edges):
            words = with_markers(text[start:end], turn, known)
            bold = any(begin <= start and end <= stop for begin, stop in strong)
            parts.append(Markup("<strong>{}</strong>").format(words) if bold else words)
        return Markup("").join(parts)
    pieces, place = [], 0
    for match in _MARKER.finditer(text):
        head, space, word = text[place : match.start()].rpartition(" ")
        link = marker(turn, int(match[1]), known)
        pieces += [escape(visible(head + space)), Markup('<span class="held">{}{}</span>').format(visible(word), link)]
        place = match.end()
    return Markup("").join([*pieces, escape(visible(text[place:]))])


def _quoted(turn: int, answer: Answer) -> Iterator[Markup]:
    """Each quote, and the paper that it is from above it, as in a list of notes. Of a long list the end is folded."""
    blocks: list[Markup] = []
    listed, shown = 0, ""
    for sentence, begin in answer.located():
        text = sentence.text.removeprefix(MORE)
        titles = list(dict.fromkeys(one.title for one in answer.quotes_of(sentence)))
        for title in titles:
            also, line = ALSO.format(title=title), f"- {title}: "
            if text.startswith(also):
                blocks.append(Markup('<p class="also">{}</p>').format(ALSO_CLOSE))
            listed += text.startswith(line)
            text = text.removeprefix(also).removeprefix(line)
            if title != shown:
                shown = title
                blocks.append(Markup('<p class="source"><cite dir="auto">{}</cite></p>').format(visible(title)))
        offset = begin + len(sentence.text) - len(text)
        for title in titles:
            text = text.removesuffix(SOURCE.format(title=title))
        strong = [(one.start - offset, one.end - offset) for one in answer.emphasis]
        fitting = [span for span in strong if 0 <= span[0] < span[1] <= len(text)]
        body = _said(with_markers(text, turn, sentence.citations, fitting), answer.places_of(sentence))
        blocks.append(Markup('<p class="quoted">{}</p>').format(body))
    kept = len(blocks) if listed <= LISTED + 1 else 2 * LISTED
    yield from blocks[:kept]
    if blocks[kept:]:
        more = Markup("").join(blocks[kept:])
        summary = Markup("<summary>Show all {} papers</summary>").format(listed)
        yield Markup('<details class="more-lines">{}{}</details>').format(summary, more)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence where it stands in a text."""

    text: str
    begin: int
    state: State | Literal["drafted"]
    quotes: Sequence[int] = ()  # places in the answer's citations


def _written(
    text: str, said: Iterable[_Piece], *, emphasis: Sequence[Emphasis] = (), turn: int = 0, known: Collection[int] = ()
) -> Markup:
    """What a model wrote. known: markers that lead somewhere."""
    marks: list[tuple[int, int, str]] = []  # where, which first at the same place, what
    there: list[_Piece] = []
    for one in said:
        if not any(char.isalnum() for char in one.text):
            continue  # the line below a table's head
        signs = _SIGNS.match(one.text)
        marks.append((one.begin + (signs.end() if signs else 0), 1, OPEN))
        core = one.text.removesuffix(" |")  # the bar that closes a table's row
        marks.append((one.begin + len(core.removesuffix(MARK)), 0, CLOSE))
        there.append(one)
    for span in emphasis:
        marks += [(span.start, 2, STRONG), (span.end, -1, WEAK)]
    pieces, place = [], 0
    for at, _, mark in sorted(marks):
        pieces += [text[place:at].translate(_NO_MARKS), mark]
        place = at
    marked = "".join([*pieces, text[place:].translate(_NO_MARKS)]).replace(f"{CLOSE}{MARK}", CLOSE)
    env = {"turn": turn, "known": known, "sentences": there, "at": -1, "inside": False, "strong": False}
    return Markup(_markdown().render(marked, env))


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
    for piece in re.split(f"([{OPEN}{CLOSE}{STRONG}{WEAK}])", tokens[index].content):
        if piece in (STRONG, WEAK):
            env["strong"] = piece == STRONG
        elif piece == OPEN:
            env["inside"], env["at"] = True, env["at"] + 1
        elif piece == CLOSE:
            env["inside"] = False
            flag = FLAGS.get(env["sentences"][env["at"]].state)
            if flag:
                pieces.append(Markup(' <span class="flag {}" title="{}">{}</span>').format(*flag))
        elif piece:
            words = with_markers(piece, env["turn"], env["known"])
            words = Markup("<strong>{}</strong>").format(words) if env["strong"] else words
            one = env["sentences"][env["at"]] if env["inside"] else None
            pieces.append(_said(words, one.quotes, one.state) if one else words)
    return "".join(pieces)


def _code(_: Any, tokens: Sequence[Token], index: int, __: Any, ___: Mapping[str, Any]) -> str:
    token = tokens[index]
    code = escape(visible(token.content.translate(_NO_MARKS)))
    return f"<code>{code}</code>" if token.type == "code_inline" else f"<pre><code>{code}</code></pre>\n"


def state_of(sentence: Sentence) -> State:
    """Its state; sentences of older records are verified or not supported."""
    return sentence.state if sentence.supported or sentence.state != "verified" else "contradicted"


def _said(words: Markup, quotes: Sequence[int], state: str = "verified") -> Markup:
    kind = "said" if state == "verified" else f"said {state}"
    return Markup('<span class="{}" data-leans="{}">{}</span>').format(kind, " ".join(map(str, quotes)), words)
