"""What could be asked next, or instead: questions about the papers at hand, each checked to lead to its paper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rag.answer.decline import with_suggestions
from rag.collection import View
from rag.text import content_stems
from rag.types import Options
from rag.values.evidence import Body, PaperEvidence

MOST = 3  # suggestions, so that checking them takes a few milliseconds
PAPERS = 3  # that they are about
LOOKED_AT = 12  # chunks that are looked at to check one
AHEAD = 1.1  # so far ahead of other papers' BM25, a paper was found first in 342 of 342 such questions
_RESULT = re.compile(r"\b(outperform|improv|achiev|surpass|state-of-the-art|reduc|increas)\w*|%", re.IGNORECASE)
_DATA = re.compile(r"\b(dataset|corpus|benchmark|annotat\w+)\b", re.IGNORECASE)


def suggesting(body: Body, evidence: Sequence[PaperEvidence], asked: str, leads_to: Callable[[str, str], bool]) -> Body:
    """The body with suggestions. evidence: best paper first. leads_to: whether a question finds a paper (its id) first.

    A refusal with nothing near gets none: what is asked has nothing to do with what was found.
    """
    refused = body.verdict == "refused"
    shown = {one.paper_id for one in body.closest}
    near = [one for one in evidence if one.paper.id in shown] if refused else evidence[:PAPERS]
    checked: list[str] = []
    for question, paper_id in _proposals(near, new=not refused):
        if len(checked) < MOST and question != asked and leads_to(question, paper_id):
            checked.append(question)
    return with_suggestions(body, checked) if refused else replace(body, suggestions=tuple(checked))


def leads_to(view: View, question: str, paper_id: str) -> bool:
    """Whether the words of a question find this paper well before any other. Takes about a millisecond."""
    found = view.matching(Counter(content_stems(question)), {}, LOOKED_AT, Options())
    own = max((score for row, score in found if row[0] == paper_id), default=0.0)
    others = max((score for row, score in found if row[0] != paper_id), default=0.0)
    return own > AHEAD * others


def _proposals(near: Sequence[PaperEvidence], *, new: bool) -> Iterator[tuple[str, str]]:
    """(question, id of its paper), of different kinds. new: the first paper was shown, so its idea is known."""
    for place, one in enumerate(near):
        title, paper_id = one.paper.title.rstrip(".?!"), one.paper.id
        if place > 0 or not new:
            yield f"What does “{title}” propose?", paper_id
        if place == 0 and _RESULT.search(one.paper.abstract):
            yield f"What results does “{title}” report?", paper_id
        elif place == 0 and _DATA.search(one.paper.abstract):
            yield f"Which data does “{title}” use?", paper_id
