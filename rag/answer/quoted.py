"""Answering with quotes: the verdict's form around what ``extractive`` chooses."""

from __future__ import annotations

from rag.answer.compose import Composer
from rag.answer.decline import caveat, refuse
from rag.answer.extractive import quote_answer
from rag.answer.sides import absent
from rag.stages import Context
from rag.values.evidence import Body, Reading
from rag.values.query import Query

NOTHING_ABOUT = "Nothing here about “{side}”."


def quoted(query: Query, reading: Reading, context: Context) -> tuple[Body, list[str]]:
    """An answer made of quotes, and the pieces that its text consists of."""
    policy = context.policy.answering
    if reading.verdict == "refused" or not reading.evidence:
        return refuse(query, reading.evidence, reading.missing, context), []
    composer, pieces, reason = Composer(), [], None
    if reading.verdict == "closest":
        reason = caveat(query, reading.missing)
        pieces.append(composer.say(reason))
    claims = quote_answer(query, reading.evidence, policy, context.options.papers)
    pieces += [composer.add(claim) for claim in claims]
    lacking = absent(query, reading.evidence, policy.comparing)
    pieces += [composer.say(NOTHING_ABOUT.format(side=side)) for side in lacking]
    return composer.body(reading.verdict, reason), pieces
