"""Answering without a model: two to five sentences, quoted exactly and chosen for the question.

A question about one paper gets quotes from it, in the order of the abstract, and one from the runner-up only if that
is nearly as good. A question for several papers gets one line a paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.policy import Answering
from rag.values.evidence import Claim, PaperEvidence, Quote, SentenceEvidence
from rag.values.query import Query


def quote_answer(
    query: Query, evidence: Sequence[PaperEvidence], policy: Answering, papers: int | None = None
) -> list[Claim]:
    """The answer as claims that are quotes. evidence: best paper first, at least one. papers: maximum number."""
    if query.wants_many and papers != 1:
        return list(_one_line_each(query, evidence, papers or policy.list_papers, policy.listed))
    close = papers != 1 and len(evidence) > 1 and evidence[1].hit.score >= policy.runner_up * evidence[0].hit.score
    if close:  # it is not sure which of the two answers, so both speak
        best, second = policy.shared
        return [*_quotes(query, evidence[0], best), *_quotes(query, evidence[1], second)]
    return list(_quotes(query, evidence[0], policy.quotes))


def _quotes(query: Query, paper: PaperEvidence, count: int) -> Iterator[Claim]:
    ranked = sorted(paper.sentences, key=lambda one: (-one.score, one.index))
    if not (query.wants_number or query.wants_name):
        # what the paper does about it comes first; then what is likeliest to hold the particulars
        ranked.sort(key=lambda one: one is not paper.most_relevant)
    count = min(count, (len(ranked) + 1) // 2)
    chosen = sorted(ranked[:count], key=lambda one: one.index)
    for place, run in enumerate(_runs(chosen)):
        yield _claim(paper, run, lead=f"From “{paper.paper.title}”: " if place == 0 else "")


def _one_line_each(query: Query, evidence: Sequence[PaperEvidence], most: int, listed: float) -> Iterator[Claim]:
    floor = listed * evidence[0].hit.score
    for paper in [one for one in evidence[:most] if one.hit.score >= floor]:
        best = max(paper.sentences, key=lambda one: (_line_score(query, one), -one.index))
        yield _claim(paper, [best], lead=f"- {paper.paper.title}: ")


def _line_score(query: Query, sentence: SentenceEvidence) -> float:
    """A line must show that the paper fits the question, so nearness counts beside what a sentence usually holds."""
    return sentence.score + sentence.cosine + query.coverage(sentence.stems)


def _runs(chosen: Sequence[SentenceEvidence]) -> list[list[SentenceEvidence]]:
    """Neighbouring sentences belong into one quote."""
    runs: list[list[SentenceEvidence]] = []
    for sentence in chosen:
        if runs and runs[-1][-1].index + 1 == sentence.index:
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    return runs


def _claim(paper: PaperEvidence, run: Sequence[SentenceEvidence], lead: str) -> Claim:
    quote = Quote(paper.paper, run[0].span.start, run[-1].span.end, round(max(one.score for one in run), 4))
    return Claim(f"“{quote.text}”", (quote,), support=1.0, lead=lead)
