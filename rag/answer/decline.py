"""Saying no well: what is missing, the closest evidence, and what could be asked instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.policy import Declining
from rag.prompts import CANNOT_ANSWER
from rag.stages import Context
from rag.types import Citation
from rag.values.evidence import Body, PaperEvidence
from rag.values.query import Query

CLOSEST = "The closest I found; it may not answer this."
OTHER_LANGUAGE = "Questions are best asked in the language of the papers."


def decline(why: str) -> Body:
    """The reply to something that is not a question that can be asked."""
    return Body("refused", why, reason=why)


def refuse(
    query: Query,
    evidence: Sequence[PaperEvidence],
    missing: Sequence[str],
    context: Context,
    why: str | None = None,
) -> Body:
    """A refusal. evidence: the best papers, best first; may be empty. why: a reason known already."""
    policy = context.policy.answering.declining
    if context.fitted:
        near = [one for one in evidence[:1] if _is_near(query, one, policy)]
        near += [one for one in evidence[1 : policy.shown] if near and _is_as_near(one, near[0], policy)]
    else:
        near = [one for one in evidence[:1] if query.coverage(one.stems) >= policy.near_by_words]
    closest = tuple(_citation(marker, one) for marker, one in enumerate(near, start=1))
    reason = why or _reason(missing, near)
    return with_suggestions(Body("refused", "", reason=reason, closest=closest), ())


def with_suggestions(body: Body, proposed: Sequence[str]) -> Body:
    """A refusal with its closest evidence and what could be asked instead spelled out."""
    quoted = [f"- {one.title}: “{one.quote}” [{one.marker}]" for one in body.closest]
    parts = [f"{CANNOT_ANSWER} {body.reason}"]
    parts += ["\n".join(["Closest evidence:", *quoted])] if quoted else []
    parts += ["\n".join(["You could ask instead:", *(f"- {one}" for one in proposed)])] if proposed else []
    return replace(body, text="\n\n".join(parts), suggestions=tuple(proposed))


def caveat(query: Query, missing: Sequence[str]) -> str:
    """What opens an answer that is only the closest. missing: what its best paper does not hold."""
    if query.intent == "other_language":
        return f"{OTHER_LANGUAGE} {CLOSEST}"
    if not missing:
        return CLOSEST
    return f"{CLOSEST} Not covered: {_listed(missing)}."


def _is_near(query: Query, one: PaperEvidence, policy: Declining) -> bool:
    nearest = max(sentence.cosine for sentence in one.sentences)
    text = f"{one.paper.title} {one.paper.abstract}".casefold()
    named = any(name.casefold() in text for name in query.names)
    return nearest >= (policy.near_by_name if named else policy.near)


def _is_as_near(one: PaperEvidence, best: PaperEvidence, policy: Declining) -> bool:
    nearest = [max(sentence.cosine for sentence in each.sentences) for each in (one, best)]
    close = policy.close_behind
    return one.hit.score >= close * best.hit.score and nearest[0] >= max(policy.near, close * nearest[1])


def _reason(missing: Sequence[str], near: Sequence[PaperEvidence]) -> str:
    words = _listed(missing) if missing else ""
    if near and missing:
        return f"The closest paper, “{near[0].paper.title}”, says nothing about {words}."
    if near:
        return f"The closest paper, “{near[0].paper.title}”, is on the subject but does not say this."
    if missing:
        return f"Even the nearest abstract says nothing about {words}."
    return "No abstract here comes close to it."


def _listed(words: Sequence[str]) -> str:
    return " or ".join(f"“{word}”" for word in words)


def _citation(marker: int, one: PaperEvidence) -> Citation:
    sentence = max(one.sentences, key=lambda each: (each.cosine, -each.index))
    paper = one.paper
    score = round(max(0.0, min(1.0, sentence.cosine)), 4)
    return Citation(marker, paper.id, paper.title, sentence.text, sentence.span.start, sentence.span.end, score)
