"""Answering with a model: a stream of drafted sentences, each one whole, with its markers."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.answer.evidence import PaperEvidence
from rag.chat_model import close_stream, hit_limit
from rag.errors import ContextTooLong
from rag.ports import ChatModel, Message
from rag.prompts import CANNOT_ANSWER, answer_messages
from rag.text import sentences
from rag.types import Usage

MOST_REPEATS = 2  # of one sentence: a small model may loop until its limit
_LEADING_MARKERS = re.compile(r"(?:\s*\[[\d\s,;–-]+\])+\s*")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Drafted:
    """One whole sentence as the model wrote it, with its markers."""

    text: str
    listed: bool  # it began a list item
    opens: bool  # it began a paragraph


@dataclass(frozen=True, slots=True)
class Spent:
    """The last thing a draft yields: what it took, and how many passages fitted."""

    usage: Usage
    passages: int


def fitting_messages(
    question: str, papers: Sequence[PaperEvidence], budget: int, count_tokens: Callable[[str], int]
) -> tuple[list[Message], int]:
    """The prompt with as many passages as the token budget takes, and how many those are; dropped from the bottom.

    Raises ContextTooLong if not even one passage fits.
    """
    for count in range(len(papers), 0, -1):
        messages = answer_messages(question, [_passage(one) for one in papers[:count]])
        if sum(count_tokens(message["content"]) + 8 for message in messages) <= budget:
            return messages, count
    raise ContextTooLong("Not even one passage fits the context: raise READBACK_CONTEXT_TOKENS.")


def draft(
    model: ChatModel,
    question: str,
    papers: Sequence[PaperEvidence],
    *,
    budget: int,
    answer_tokens: int,
    count_tokens: Callable[[str], int],
) -> Generator[Drafted | Spent]:
    """Yield the model's sentences as they are finished, then Spent. Closing it ends the model's work.

    A half sentence at the token limit is left out. If the model finds the prompt too long, it is asked once more with
    half the passages. Raises ProviderError, also halfway.
    """
    messages, count = fitting_messages(question, papers, budget, count_tokens)
    try:
        yield from _sentences_of(model, messages, count, answer_tokens)
    except ContextTooLong:
        if count < 2:
            raise
        fewer = count // 2
        messages = answer_messages(question, [_passage(one) for one in papers[:fewer]])
        yield from _sentences_of(model, messages, fewer, answer_tokens)


def refuses(text: str) -> bool:
    """Whether a drafted sentence is the agreed refusal."""
    return CANNOT_ANSWER.rstrip(".").casefold() in text.casefold()


def _passage(one: PaperEvidence) -> tuple[str, str]:
    return one.paper.title, one.hit.passage.text


def _sentences_of(
    model: ChatModel, messages: list[Message], count: int, answer_tokens: int
) -> Iterator[Drafted | Spent]:
    stream = model.stream(messages, max_tokens=answer_tokens)
    usage = Usage()
    buffer, seen = "", dict[str, int]()
    try:
        for item in stream:
            if isinstance(item, Usage):
                usage = item
                continue
            buffer += item
            whole, buffer = _cut(buffer, last=False)
            for sentence in whole:
                key = sentence.text.casefold()
                seen[key] = seen.get(key, 0) + 1
                if seen[key] == 1:
                    yield sentence
            if max(seen.values(), default=0) > MOST_REPEATS:
                buffer = ""
                break
        if not hit_limit(stream):
            for sentence in _cut(buffer, last=True)[0]:
                if sentence.text.casefold() not in seen:
                    yield sentence
    finally:
        close_stream(stream)
    yield Spent(usage, count)


def _cut(buffer: str, *, last: bool) -> tuple[list[Drafted], str]:
    """Whole sentences at the front of the buffer, each with the markers behind it, and what is left."""
    found: list[Drafted] = []
    rest = buffer
    while rest:
        line_end = rest.find("\n")
        line = rest if line_end < 0 else rest[:line_end]
        bullet = _BULLET.match(line)
        offset = bullet.end() if bullet else 0
        pieces = _with_markers(line[offset:])
        ended = line_end >= 0 or last
        ready = pieces if ended else pieces[:-1]
        for place, piece in enumerate(ready):
            found.append(Drafted(piece.strip(), bool(bullet) and place == 0, place == 0 and offset + len(line) > 0))
        if ended:
            rest = rest[line_end + 1 :] if line_end >= 0 else ""
        else:
            kept = pieces[-1] if pieces else ""
            rest = (line[:offset] if not ready else "") + kept
            break
    return [one for one in found if one.text], rest


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
