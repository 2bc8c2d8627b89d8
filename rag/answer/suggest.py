"""What could be asked next, or instead: questions about the papers at hand, each checked to lead to its paper."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.answer.decline import with_suggestions
from rag.stages import Context
from rag.text import content_stems
from rag.types import Options
from rag.values.evidence import Body, PaperEvidence

LOOKED_AT = 12  # chunks that are looked at to check one
_RESULT = re.compile(r"\b(outperform|improv|achiev|surpass|state-of-the-art|reduc|increas)\w*|%", re.IGNORECASE)
_DATA = re.compile(r"\b(dataset|corpus|benchmark|annotat\w+)\b", re.IGNORECASE)


def suggesting(body: Body, evidence: Sequence[PaperEvidence], asked: str, context: Context) -> Body:
    """The body with suggestions, each a question that finds its paper first. evidence: best paper first.

    A refusal with nothing near gets none: what is asked has nothing to do with what was found.
    """
    policy, refused = context.policy.answering.suggesting, body.verdict == "refused"
    shown = {one.paper_id for one in body.closest}
    near = [one for one in evidence if one.paper.id in shown] if refused else evidence[: policy.papers]
    checked: list[str] = []
    for question, paper_id in _proposals(near, new=not refused):
        if len(checked) < policy.most and question != asked and _leads_to(question, paper_id, context):
            checked.append(question)
    return with_suggestions(body, checked) if refused else replace(body, suggestions=tuple(checked))


def _leads_to(question: str, paper_id: str, context: Context) -> bool:
    """Whether the words of a question find this paper well before any other. Takes about a millisecond."""
    policy, words = context.policy, Counter(content_stems(question))
    found = context.view.matching(words, {}, LOOKED_AT, Options(), policy.retrieval.bm25)
    own = max((score for row, score in found if row[0] == paper_id), default=0.0)
    others = max((score for row, score in found if row[0] != paper_id), default=0.0)
    return own > policy.answering.suggesting.ahead * others


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
