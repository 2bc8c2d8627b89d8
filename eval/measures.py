"""From answers to scores: which measure applies to which question, and what each question scores.

A measure is either a mean over questions, and then two runs can be compared question by question, or it looks at all
questions at once (F1, the area under a curve, calibration). The formulas are in ``eval.metrics``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Literal

from eval.gold import STANDALONE, GoldQuestion
from eval.metrics import (
    CENTRAL,
    CitedSentence,
    abstention_f1,
    all_gold_recall,
    answer_length,
    aurc,
    calibration_error,
    citation_scores,
    cited_precision,
    cited_recall,
    excess_aurc,
    fact_coverage,
    ndcg,
    quote_exactness,
    recall,
    reciprocal_rank,
    spread,
)
from rag.trace import TIMED
from rag.types import Answer

Better = Literal["higher", "lower", "neither"]
Values = dict[str, float]  # question id -> score


@dataclass(frozen=True)
class Graded:
    """One thing that was asked, and what came back."""

    question: GoldQuestion
    asker: str | None  # None: the question as written
    answer: Answer | None  # None: the system crashed, which is wrong in every measure

    @cached_property
    def right(self) -> float:
        """See the function ``right``; worked out once, because a bootstrap asks hundreds of times."""
        if self.question.expects == "abstain":
            return CAUTION if self.hedged else float(self.silent)
        if self.question.expects == "correct" and self.silent:
            return 1.0
        return _facts(self)

    @property
    def ranked(self) -> list[str]:
        """Ids of the papers found, best first."""
        return [paper.paper_id for paper in self.answer.retrieved] if self.answer else []

    @property
    def answered(self) -> bool:
        """Whether it got an answer, right or wrong."""
        return self.answer is not None and not self.answer.abstained

    @property
    def hedged(self) -> bool:
        """Whether the closest was offered, with a caveat."""
        return self.answer is not None and self.answer.verdict == "closest"

    @property
    def silent(self) -> bool:
        """Whether it was told that there is no answer."""
        return self.answer is not None and self.answer.abstained


CAUTION = 0.5  # worth of offering the closest, with its caveat, where nothing answers


@dataclass(frozen=True, slots=True)
class Measure:
    """How a score is named, what it means and how it is read."""

    name: str
    group: str
    says: str
    better: Better = "higher"
    bounds: tuple[float, float] | None = (0.0, 1.0)
    score: Callable[[Graded], float | None] | None = None  # of one question; None where it does not apply
    overall: Callable[[Sequence[Graded]], float | None] | None = None  # of all questions at once


def right(one: Graded) -> float:
    """How right the reply is, in [0, 1]: the one number that means the same for every kind of question.

    Where silence is right, 1.0 for silence and else 0.0; where an answer is right, the share of its facts, and 0.0 for
    silence, whatever evidence it shows; if the question lists no facts, 1.0 if a central paper is cited. A false
    premise may be corrected or declined. A crash is 0.0.
    """
    return one.right


def _facts(one: Graded) -> float:
    if not one.answer or not one.answered:
        return 0.0
    if not one.question.facts:  # other people's questions may come without
        return float(any(one.question.gold.get(paper, 0) >= CENTRAL for paper in _cited(one)))
    return fact_coverage(one.answer.text, one.question.facts)


def _ranking(score: Callable[[list[str], Mapping[str, int]], float]) -> Callable[[Graded], float | None]:
    return lambda one: score(one.ranked, one.question.gold) if one.question.gold else None


def _complete(one: Graded) -> float | None:
    central = sum(grade >= CENTRAL for grade in one.question.gold.values())
    return all_gold_recall(one.ranked, one.question.gold, 10) if central > 1 else None


def _fact_coverage(one: Graded) -> float | None:
    return _facts(one) if one.question.expects == "answer" and one.question.facts else None


def _length(one: Graded) -> float | None:
    return float(answer_length(one.answer.text)) if one.answer and one.answered else None


def _cites(one: Graded, part: Literal["precision", "recall"]) -> float | None:
    if not one.answer or not one.answered:
        return None
    said = {citation.marker: f"{citation.title}. {citation.quote}" for citation in one.answer.citations}
    sentences = [
        CitedSentence(sentence.text, tuple(said[marker] for marker in sentence.citations if marker in said))
        for sentence in one.answer.sentences
    ]
    found = citation_scores(sentences)
    return found.precision if part == "precision" else found.recall


def _cited(one: Graded) -> list[str]:
    return [citation.paper_id for citation in one.answer.citations] if one.answer and one.answered else []


def _papers(one: Graded, score: Callable[[list[str], Mapping[str, int]], float]) -> float | None:
    return score(_cited(one), one.question.gold) if one.question.expects == "answer" else None


def _false_answer(one: Graded) -> float | None:
    return float(not (one.silent or one.hedged)) if one.question.expects == "abstain" else None


def _false_refusal(one: Graded) -> float | None:
    return float(not one.answered) if one.question.expects == "answer" else None


def _decided(graded: Sequence[Graded]) -> list[Graded]:
    """Questions of which it is clear whether silence is right."""
    return [one for one in graded if one.question.expects != "correct"]


def _abstention_f1(graded: Sequence[Graded]) -> float | None:
    some = _decided(graded)
    answerable = [one.question.answerable for one in some]
    return abstention_f1(answerable, [one.silent for one in some]) if not all(answerable) else None


def _risks(graded: Sequence[Graded]) -> tuple[list[float], list[float]]:
    """Confidence and loss of each question; silence comes last and counts as a loss, as risk_coverage asks for."""
    some = _decided(graded)
    confidence = [one.answer.confidence if one.answer and one.answered else -inf for one in some]
    loss = [1.0 - right(one) if one.answered else 1.0 for one in some]
    return confidence, loss


def _calibration(graded: Sequence[Graded]) -> float | None:
    """Of the probability that the collection holds the answer, so it does not matter what the answer then was."""
    some = [one for one in _decided(graded) if one.answer]
    sure = [one.answer.confidence for one in some if one.answer]
    if not some or not all(0.0 <= value <= 1.0 for value in sure) or len(set(sure)) == 1:
        return None  # a raw search score, or no estimate at all
    return calibration_error(sure, [float(one.question.answerable) for one in some])


def _timing(stage: str) -> Callable[[Graded], float | None]:
    return lambda one: one.answer.timings_ms.get(stage) if one.answer else None


def _cost(one: Graded) -> float | None:
    return one.answer.usage.cost_usd if one.answer else None


def _tokens(one: Graded) -> float | None:
    return float(one.answer.usage.prompt_tokens + one.answer.usage.completion_tokens) if one.answer else None


MEASURES: tuple[Measure, ...] = (
    Measure("right", "Overall", "how right the reply is: facts held, or silence where silence is right", score=right),
    Measure("ndcg@10", "Retrieval", "gold papers high in the first ten", score=_ranking(lambda r, g: ndcg(r, g, 10))),
    Measure("recall@5", "Retrieval", "gold papers among the first five", score=_ranking(lambda r, g: recall(r, g, 5))),
    Measure("recall@10", "Retrieval", "gold papers among the first ten", score=_ranking(lambda r, g: recall(r, g, 10))),
    Measure(
        "mrr@10",
        "Retrieval",
        "1 / rank of the first gold paper",
        score=_ranking(lambda r, g: reciprocal_rank(r, g, 10)),
    ),
    Measure(
        "all_gold@10", "Retrieval", "every central paper among the first ten, where several are wanted", score=_complete
    ),
    Measure("fact_coverage", "Answer", "facts that the answer holds, where there is one to give", score=_fact_coverage),
    Measure("quote_exactness", "Answer", "quotes that stand in the abstract where they say", bounds=(0.0, 1.0)),
    Measure("length", "Answer", "words of an answer", "neither", None, score=_length),
    Measure(
        "citation_precision",
        "Citation",
        "citations that their sentence needs",
        score=lambda one: _cites(one, "precision"),
    ),
    Measure(
        "citation_recall", "Citation", "sentences that their citations carry", score=lambda one: _cites(one, "recall")
    ),
    Measure(
        "cited_precision", "Citation", "papers cited that are gold", score=lambda one: _papers(one, cited_precision)
    ),
    Measure("cited_recall", "Citation", "central papers that are cited", score=lambda one: _papers(one, cited_recall)),
    Measure("false_answers", "Abstention", "unanswerable questions that got an answer", "lower", score=_false_answer),
    Measure("false_refusals", "Abstention", "answerable questions that got none", "lower", score=_false_refusal),
    Measure("abstention_f1", "Abstention", "unanswerable questions told from others", overall=_abstention_f1),
    Measure(
        "aurc", "Abstention", "area under risk against coverage", "lower", overall=lambda all_: aurc(*_risks(all_))
    ),
    Measure(
        "excess_aurc",
        "Abstention",
        "that area above the best possible order",
        "lower",
        overall=lambda all_: excess_aurc(*_risks(all_)),
    ),
    Measure(
        "calibration_error",
        "Abstention",
        "stated confidence against how often it is right",
        "lower",
        overall=_calibration,
    ),
    Measure(
        "follow_up_loss", "Conversation", "right when asked stand-alone, minus as a follow-up", "lower", (-1.0, 1.0)
    ),
    Measure("follow_up_loss_ndcg", "Conversation", "the same for ndcg@10", "lower", (-1.0, 1.0)),
    Measure("phrasing_mean", "Robustness", "right, averaged over the words of several askers"),
    Measure("phrasing_worst", "Robustness", "right, in the words that it understands worst"),
    Measure("phrasing_width", "Robustness", "best minus worst over the askers' words", "lower"),
    *(
        Measure(f"ms_{stage}", "Cost", f"milliseconds, {stage}", "lower", None, score=_timing(stage))
        for stage in (*TIMED, "total")
    ),
    Measure("tokens", "Cost", "tokens to and from the language model, a question", "lower", None, score=_tokens),
    Measure("cost_usd", "Cost", "dollars a question", "lower", None, score=_cost),
)
BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}


def score(graded: Sequence[Graded], abstracts: Mapping[str, str]) -> dict[str, Values]:
    """Measure → question id → score, for all measures that are means over questions. abstracts: by paper id."""
    found: dict[str, Values] = defaultdict(dict)
    written = [one for one in graded if one.asker is None]
    for one in written:
        for measure in MEASURES:
            value = measure.score(one) if measure.score else None
            if value is not None:
                found[measure.name][one.question.id] = float(value)
        if one.answer and one.answer.citations:
            quotes = [(c.paper_id, c.start, c.end, c.quote) for c in one.answer.citations]
            found["quote_exactness"][one.question.id] = quote_exactness(quotes, abstracts)
    _follow_ups(graded, found)
    _phrasings(graded, found)
    return {measure.name: found[measure.name] for measure in MEASURES if found.get(measure.name)}


def _follow_ups(graded: Sequence[Graded], found: dict[str, Values]) -> None:
    for one in graded:
        asked = one.question.id
        if one.asker == STANDALONE and asked in found["right"]:
            found["follow_up_loss"][asked] = right(one) - found["right"][asked]
            if asked in found["ndcg@10"]:
                found["follow_up_loss_ndcg"][asked] = ndcg(one.ranked, one.question.gold, 10) - found["ndcg@10"][asked]


def _phrasings(graded: Sequence[Graded], found: dict[str, Values]) -> None:
    scores: dict[str, list[float]] = defaultdict(list)
    for one in graded:
        if one.asker != STANDALONE:
            scores[one.question.id].append(right(one))
    for asked, several in scores.items():
        if len(several) > 1:
            parts = spread(several)
            found["phrasing_mean"][asked] = parts.mean
            found["phrasing_worst"][asked] = parts.worst
            found["phrasing_width"][asked] = parts.width
