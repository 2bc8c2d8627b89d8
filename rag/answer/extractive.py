"""Answering without a model: two to five sentences, quoted exactly and chosen for the question.

A question about one paper gets quotes from it, in the order of the abstract, and one from the runner-up only if that
is nearly as good. A question for several papers gets one line a paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.answer.draft import Claim, Quote
from rag.answer.evidence import PaperEvidence, SentenceEvidence
from rag.question import Question

FROM_BEST = 5  # sentences quoted from the paper that answers; never more than half of its abstract
MOST_PAPERS = 5  # lines of a list
FROM_EITHER = (3, 2)  # ... from the best and the second, if they come close
RUNNER_UP = 0.9  # the second paper comes close if its score is at least this share of the best one's
LISTED = 0.55  # a paper is listed if its score is at least this share of the best one's


def quote_answer(question: Question, evidence: Sequence[PaperEvidence], papers: int | None = None) -> list[Claim]:
    """The answer as claims that are quotes. evidence: best paper first, at least one. papers: at most so many."""
    if question.wants_many and papers != 1:
        return list(_one_line_each(question, evidence, papers or MOST_PAPERS))
    close = papers != 1 and len(evidence) > 1 and evidence[1].hit.score >= RUNNER_UP * evidence[0].hit.score
    if close:  # it is not sure which of the two answers, so both speak
        return [*_quotes(question, evidence[0], FROM_EITHER[0]), *_quotes(question, evidence[1], FROM_EITHER[1])]
    return list(_quotes(question, evidence[0], FROM_BEST))


def _quotes(question: Question, paper: PaperEvidence, count: int) -> Iterator[Claim]:
    ranked = sorted(paper.sentences, key=lambda one: (-one.score, one.index))
    if not (question.wants_number or question.wants_name):
        # what the paper does about it comes first; then what is likeliest to hold the particulars
        ranked.sort(key=lambda one: one is not paper.most_relevant)
    count = min(count, (len(ranked) + 1) // 2)
    chosen = sorted(ranked[:count], key=lambda one: one.index)
    for place, run in enumerate(_runs(chosen)):
        yield _claim(paper, run, lead=f"From “{paper.paper.title}”: " if place == 0 else "")


def _one_line_each(question: Question, evidence: Sequence[PaperEvidence], most: int) -> Iterator[Claim]:
    floor = LISTED * evidence[0].hit.score
    for paper in [one for one in evidence[:most] if one.hit.score >= floor]:
        best = max(paper.sentences, key=lambda one: (_line_score(question, one), -one.index))
        yield _claim(paper, [best], lead=f"- {paper.paper.title}: ")


def _line_score(question: Question, sentence: SentenceEvidence) -> float:
    """A line must show that the paper fits the question, so nearness counts beside what a sentence usually holds."""
    return sentence.score + sentence.cosine + question.coverage(sentence.stems)


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
    quote = Quote(paper, run[0].span.start, run[-1].span.end, round(max(one.score for one in run), 4))
    return Claim(f"“{quote.text}”", (quote,), support=1.0, lead=lead)
