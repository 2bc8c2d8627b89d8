"""Answering without a model: the sentence that answers first, then what little else is needed, all quoted exactly.

A question about one paper gets its best sentence, at most two more within a word budget, and one of the runner-up if
that is nearly as good. A question for several papers gets one line a paper: the sentence that shows why it is there. A
comparison gets the best of each side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.answer.lists import listed
from rag.answer.sides import by_side
from rag.evidence.asked import asked_for
from rag.policy import Answering
from rag.text.fold import fold
from rag.values.evidence import Claim, PaperEvidence, Quote, SentenceEvidence
from rag.values.query import Query

MORE = "More from it: "
ALSO = "Also close, “{title}”: "
SOURCE = " — {title}"
_QUANTITY = re.compile(
    r"(?<![\w.])[$€£]?(?:\d{1,15}(?:,\d{3}){0,5}(?:\.\d{1,10})?|\.\d{1,10})(?![\w]|\.\d)"
    r"(?:\s?%|\s(?:percent|points?|thousand|million|billion|times)\b)?"
    r"|(?<![\w.])[$€£]?\d{1,15}(?:\.\d{1,10})?(?:[kKMBx×])(?!\w)",
    re.IGNORECASE,
)


def quote_answer(
    query: Query, evidence: Sequence[PaperEvidence], policy: Answering, papers: int | None = None
) -> list[Claim]:
    """The answer as claims that are quotes. evidence: best paper first, at least one. papers: maximum number."""
    compared = {one.paper.id: one for _, one in by_side(query, evidence, policy.comparing) if one}
    if len(compared) > 1 and papers != 1:
        return list(_side_by_side(query, list(compared.values()), policy))
    if query.wants_many and not query.sides and papers != 1:
        return list(_lines(query, listed(query, evidence, policy)[:papers]))
    return list(_lead_and_more(query, evidence, policy, alone=papers == 1))


def _lead_and_more(
    query: Query, evidence: Sequence[PaperEvidence], policy: Answering, *, alone: bool
) -> Iterator[Claim]:
    best = evidence[0]
    lead, *rest = sorted(best.sentences, key=lambda one: (-one.score, one.index))
    room = policy.words - _length(lead) - len(best.paper.title.split())
    more = []
    for sentence in rest[: policy.sentences - 1]:
        if _length(sentence) <= room:
            more.append(sentence)
            room -= _length(sentence)
    yield _claim(best, [lead], note=SOURCE.format(title=best.paper.title), emphasis=_asked_for(query, lead))
    runs = _runs(sorted(more, key=lambda one: one.index))
    for place, run in enumerate(runs):
        yield _claim(best, run, lead=MORE if place == 0 else "")
    second = evidence[1] if len(evidence) > 1 else None
    if second and not alone and second.hit.score >= policy.runner_up * best.hit.score:
        also = second.best
        if _length(also) + len(second.paper.title.split()) <= max(room, policy.also_words):
            yield _claim(second, [also], lead=ALSO.format(title=second.paper.title))


def _lines(query: Query, papers: Sequence[PaperEvidence]) -> Iterator[Claim]:
    for paper in papers:
        best = max(paper.sentences, key=lambda one: (_line_score(query, one), -one.index))
        yield _claim(paper, [best], lead=f"- {paper.paper.title}: ")


def _side_by_side(query: Query, papers: Sequence[PaperEvidence], policy: Answering) -> Iterator[Claim]:
    """The best sentences about each thing that is compared, one under the other."""
    room = policy.words // len(papers)
    for paper in papers:
        best, *rest = sorted(paper.sentences, key=lambda one: (-_line_score(query, one), one.index))
        more = [one for one in rest[:1] if _length(best) + _length(one) <= room]
        for place, run in enumerate(_runs(sorted([best, *more], key=lambda one: one.index))):
            yield _claim(paper, run, lead=f"- {paper.paper.title}: " if place == 0 else "")


def _line_score(query: Query, sentence: SentenceEvidence) -> float:
    """A line must show that the paper fits the question, so nearness counts beside what a sentence usually holds."""
    return sentence.score + sentence.cosine + query.coverage(sentence.stems)


def _asked_for(query: Query, sentence: SentenceEvidence) -> tuple[tuple[int, int], ...]:
    """Spans of the quantities in a sentence that the question does not hold itself, if it asks for one."""
    asked = asked_for(query.asked)
    if asked is None or not asked.quantity:
        return ()
    held = {match.group() for match in _QUANTITY.finditer(fold(query.asked))}
    return tuple(match.span() for match in _QUANTITY.finditer(sentence.text) if match.group() not in held)


def _length(sentence: SentenceEvidence) -> int:
    return len(sentence.text.split())


def _runs(chosen: Sequence[SentenceEvidence]) -> list[list[SentenceEvidence]]:
    """Neighbouring sentences belong into one quote."""
    runs: list[list[SentenceEvidence]] = []
    for sentence in chosen:
        if runs and runs[-1][-1].index + 1 == sentence.index:
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    return runs


def _claim(
    paper: PaperEvidence,
    run: Sequence[SentenceEvidence],
    *,
    lead: str = "",
    note: str = "",
    emphasis: tuple[tuple[int, int], ...] = (),
) -> Claim:
    score = max(0.0, min(1.0, max(one.score for one in run)))
    quote = Quote(paper.paper, run[0].span.start, run[-1].span.end, round(score, 4))
    inside = tuple((start + 1, end + 1) for start, end in emphasis)  # behind the quotation mark
    return Claim(f"“{quote.text}”", (quote,), support=1.0, lead=lead, note=note, emphasis=inside)
