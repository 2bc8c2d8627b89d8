"""Answering with a model: a stream of drafted sentences, each as it grows and then whole, with its markers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from rag.answer.notes import may_become_note, searches
from rag.chat_model import TOKEN_CHARS, close_stream, hit_limit
from rag.errors import ContextTooLong, ProviderBusy
from rag.ports import ChatModel, Message
from rag.text import sentences
from rag.types import Usage
from rag.values.evidence import PaperEvidence

MOST_REPEATS = 2  # of one sentence: a small model may loop until its limit
_LEADING_MARKERS = re.compile(r"(?:\s*\[[\d\s,;–-]+\])+\s*")
_BEGUN_MARKER = re.compile(r"\s*\[[\d\s,;–-]*")
_ENDED = re.compile(r"(?:[.!?…][\"”’')]{0,3}(?:\s?\[[\d\s,;–-]{1,40}\]){0,9}|\|)$")
_MAY_BE_BULLET = re.compile(r"\s{0,8}(?:[-*•|]|\d{1,2}[.)]?)?\s{0,8}")
_BULLET = re.compile(r"\s{0,8}(?:([-*•]|\d{1,2}[.)])\s{1,4}|\|\s?)")


Messages = Callable[[Sequence[PaperEvidence]], list[Message]]  # papers to be shown → the prompt


@dataclass(frozen=True, slots=True)
class Drafted:
    """One sentence as the model wrote it, with its markers."""

    text: str
    bullet: str  # what it began a list item or table row with: "- ", "1. ", "| "; empty elsewhere
    opens: bool  # it began a paragraph
    whole: bool = True  # False: so far; it comes again with more of it
    heads: bool = False  # the first row of a table: it says what the columns are, and claims nothing


@dataclass(frozen=True, slots=True)
class Spent:
    """The last thing a draft yields: how many passages fitted."""

    passages: int


def fitting(
    messages: Messages, papers: Sequence[PaperEvidence], budget: int, count_tokens: Callable[[str], int]
) -> tuple[list[Message], int]:
    """The prompt with as many passages as the token budget takes, and how many those are; dropped from the bottom.

    Raises ContextTooLong if not even one passage fits.
    """
    for count in range(len(papers), 0, -1):
        made = messages(papers[:count])
        if sum(count_tokens(message["content"]) + 8 for message in made) <= budget:
            return made, count
    raise ContextTooLong("Not even one passage fits the context: raise READBACK_CONTEXT_TOKENS.")


def draft(
    model: ChatModel,
    messages: Messages,
    papers: Sequence[PaperEvidence],
    *,
    budget: int,
    answer_tokens: int,
    count_tokens: Callable[[str], int],
    spend: Callable[[Usage], None] = lambda _: None,
) -> Generator[Drafted | Spent]:
    """Yield the model's sentences as they grow and are finished, then Spent. Closing it ends the model's work.

    messages: the prompt for some of the papers. spend: told what the model took, also if the draft is closed early or
    fails halfway. A half sentence at the token limit is left out. If the model finds the prompt too long, it is asked
    once more with half the passages. Raises ProviderError, also halfway.
    """
    made, count = fitting(messages, papers, budget, count_tokens)
    begun = False
    try:
        with closing(_sentences_of(model, made, count, answer_tokens, count_tokens, spend)) as pieces:
            for piece in pieces:
                begun = True
                yield piece
    except ContextTooLong:
        if begun or count < 2:
            raise
    else:
        return
    fewer = count // 2
    yield from _sentences_of(model, messages(papers[:fewer]), fewer, answer_tokens, count_tokens, spend)


def _sentences_of(
    model: ChatModel,
    messages: list[Message],
    count: int,
    answer_tokens: int,
    count_tokens: Callable[[str], int],
    spend: Callable[[Usage], None],
) -> Generator[Drafted | Spent]:
    stream = model.stream(messages, max_tokens=answer_tokens)
    usage: Usage | None = None
    cutter, seen, heard = _Cutter(), Counter[str](), ""
    try:
        for item in stream:
            if isinstance(item, Usage):
                usage = item
                continue
            heard += item
            if len(heard) > answer_tokens * TOKEN_CHARS:
                raise ProviderBusy(f"The model {model.name!r} wrote more than the {answer_tokens} tokens it was told.")
            for sentence in cutter.feed(item):
                seen[sentence.text.casefold()] += 1
                if seen[sentence.text.casefold()] == 1:
                    yield sentence
            if max(seen.values(), default=0) > MOST_REPEATS:  # it will not come out of this by itself
                break
            begun = cutter.begun()
            if begun and not any(one.startswith(begun.text.casefold()) for one in seen):
                yield begun
        else:
            cut = hit_limit(stream)
            for sentence in cutter.end():
                if sentence.text.casefold() not in seen and (not cut or _ENDED.search(sentence.text)):
                    yield sentence
    finally:
        close_stream(stream)
        if usage is None and heard:  # the server counts only what it was let finish
            prompt = sum(count_tokens(message["content"]) for message in messages)
            usage = Usage(prompt, count_tokens(heard), None)
        spend(usage or Usage())
    yield Spent(count)


class _Cutter:
    """Cuts text that comes in pieces into sentences; how the text is cut into pieces makes no difference."""

    def __init__(self) -> None:
        self._rest = ""
        self._begun = False  # whether the line that the rest stands in has given a sentence already
        self._first = True  # no line is over yet

    def feed(self, piece: str) -> list[Drafted]:
        """The sentences that this piece finishes, each with the markers behind it."""
        self._rest += piece
        found: list[Drafted] = []
        while (line_end := self._rest.find("\n")) >= 0:
            line, self._rest = self._rest[:line_end], self._rest[line_end + 1 :]
            if self._first and searches(line):
                found.append(Drafted(line.strip(), "", True))
            else:
                found += self._take(line, ended=True)
            self._begun, self._first = False, self._first and not line.strip()
        if not (self._first and searches(self._rest)):
            found += self._take(self._rest, ended=False)
        return found

    def begun(self) -> Drafted | None:
        """The sentence that is being written, unless it is a table's row or may turn out to be none of the answer's."""
        bullet = None if self._begun else _BULLET.match(self._rest)
        text = self._rest[bullet.end() if bullet else 0 :].strip()
        undecided = _MAY_BE_BULLET.fullmatch(self._rest) or may_become_note(text)
        if undecided or (bullet and bullet[1] is None) or not _says_something(text):
            return None
        return Drafted(_LEADING_MARKERS.sub("", text), _sign(bullet), not self._begun, whole=False)

    def end(self) -> list[Drafted]:
        """What is left, as sentences."""
        if self._first and searches(self._rest):
            return [Drafted(self._rest.strip(), "", True)]
        return self._take(self._rest, ended=True)

    def _take(self, line: str, *, ended: bool) -> list[Drafted]:
        bullet = None if self._begun else _BULLET.match(line)
        offset = bullet.end() if bullet else 0
        row = bullet is not None and bullet[1] is None
        pieces = [line[offset:]] if row else _with_markers(line[offset:])
        held = 0 if ended else 1 if row else _unfinished(pieces)
        ready = pieces[: len(pieces) - held]
        found = [
            Drafted(piece.strip(), _sign(bullet) if place == 0 else "", place == 0 and not self._begun)
            for place, piece in enumerate(ready)
            if row or _says_something(piece)
        ]
        if not ended and ready:
            self._rest = line[offset + sum(map(len, ready)) :]
            self._begun = self._begun or bool(found)
        return found


def _sign(bullet: re.Match[str] | None) -> str:
    if bullet is None:
        return ""
    return "| " if bullet[1] is None else f"{bullet[1]} " if bullet[1][0].isdigit() else "- "


def _says_something(piece: str) -> bool:
    return any(char.isalnum() for char in _LEADING_MARKERS.sub("", piece))


def _unfinished(pieces: Sequence[str]) -> int:
    """How many of the last pieces may still grow: one, or two if a marker has only begun behind a full stop."""
    return 2 if len(pieces) > 1 and _BEGUN_MARKER.fullmatch(pieces[-1]) else 1


def _with_markers(line: str) -> list[str]:
    """The sentences of one line, each with the white space and markers that follow it; joined they are the line."""
    spans = sentences(line)
    if not spans:
        return [line] if line else []
    starts = [0, *(span.start for span in spans[1:]), len(line)]
    pieces = [line[start:end] for start, end in pairwise(starts)]
    merged: list[str] = []
    for piece in pieces:
        leading = _LEADING_MARKERS.match(piece)
        own = leading.end() if leading and merged else 0
        if own:
            merged[-1] += piece[:own]
        if piece[own:]:
            merged.append(piece[own:])
    return merged
