"""From answers to scores: which measure applies to which question, and what each question scores.

A measure is either a mean over questions, and then two runs can be compared question by question, or it looks at all
questions at once (F1, the area under a curve, calibration). The formulas are in ``eval.metrics``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, median
from typing import Literal

from eval.gold import STANDALONE
from eval.graded import Graded
from eval.metrics.answer import answer_length, coverage_within, fact_coverage, quote_exactness
from eval.metrics.answerability import abstention_f1, aurc, calibration_error, excess_aurc
from eval.metrics.citation import CitedSentence, citation_scores, cited_precision, cited_recall
from eval.metrics.decision import Class, decision_cost
from eval.metrics.retrieval import CENTRAL, all_gold_recall, ndcg, recall, reciprocal_rank
from rag.trace import TIMED
from rag.types import Answer, Sentence

Better = Literal["higher", "lower", "neither"]
Values = dict[str, float]  # question id -> score
OfPapers = Callable[[list[str], Mapping[str, int]], float]  # ids of papers, gold grades -> score
BUDGETS = (30, 60, 90, 120)  # words of an answer that are read
LISTS = frozenset({"multi", "list"})  # kinds whose answer is a list of papers


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


def _ranking(score: OfPapers) -> Callable[[Graded], float | None]:
    return lambda one: score(one.ranked, one.question.gold) if one.question.gold else None


def _complete(one: Graded) -> float | None:
    central = sum(grade >= CENTRAL for grade in one.question.gold.values())
    return all_gold_recall(one.ranked, one.question.gold, 10) if central > 1 else None


def _fact_coverage(one: Graded) -> float | None:
    return one.facts if one.question.expects == "answer" and one.question.facts else None


def _length(one: Graded) -> float | None:
    return float(answer_length(one.answer.text)) if one.answer and one.answered else None


def _evidence(answer: Answer, sentence: Sentence) -> tuple[str, ...]:
    """What each cited paper is quoted for: title and quotes of one number belong together."""
    quotes: dict[int, str] = {}
    for each in answer.quotes_of(sentence):
        quotes[each.marker] = f"{quotes.get(each.marker, each.title + '.')} {each.quote}"
    return tuple(quotes.values())


def _cites(part: Literal["precision", "recall"]) -> Callable[[Graded], float | None]:
    def cites(one: Graded) -> float | None:
        if not one.answer or not one.answered:
            return None
        claims = [each for each in one.answer.sentences if each.citations or each.state != "verified"]  # not "Yes."
        found = citation_scores([CitedSentence(each.text, _evidence(one.answer, each)) for each in claims])
        return found.precision if part == "precision" else found.recall

    return cites


def _cited(one: Graded) -> list[str]:
    return [quote.paper_id for quote in one.shown]


def _papers(score: OfPapers) -> Callable[[Graded], float | None]:
    return lambda one: score(_cited(one), one.question.gold) if one.question.expects == "answer" else None


def _list_f1(one: Graded) -> float | None:
    """Harmonic mean of the precision and the recall of the listed papers; a refusal lists none."""
    if one.question.kind not in LISTS:
        return None
    precision = cited_precision(_cited(one), one.question.gold)
    found = cited_recall(_cited(one), one.question.gold)
    return 2 * precision * found / (precision + found) if found and precision else 0.0


def _of_lists(score: OfPapers) -> Callable[[Graded], float | None]:
    return lambda one: score(_cited(one), one.question.gold) if one.question.kind in LISTS else None


def _first_place(one: Graded) -> float | None:
    """Whether the one central paper is ranked first."""
    central = [paper for paper, grade in one.question.gold.items() if grade >= CENTRAL]
    return float(one.ranked[:1] == central) if len(central) == 1 else None


def _within(words: int) -> Callable[[Graded], float | None]:
    def coverage(one: Graded) -> float | None:
        if one.question.expects != "answer" or not one.question.facts:
            return None
        return coverage_within(one.answer.text, one.question.facts, words) if one.answer and one.answered else 0.0

    return coverage


def _answer_score(one: Graded) -> float | None:
    at_budgets = [_within(words)(one) for words in BUDGETS]
    return None if at_budgets[0] is None else fmean(value or 0.0 for value in at_budgets)


def _first_sentence(one: Graded) -> float | None:
    """Whether the first sentence holds a fact that was asked for."""
    question = one.question
    if question.expects != "answer" or not question.facts or question.kind in LISTS:
        return None
    if not one.answer or not one.answered or not one.answer.sentences:
        return 0.0
    return float(fact_coverage(one.answer.sentences[0].text, question.facts) > 0)


def _median_length(graded: Sequence[Graded]) -> float | None:
    lengths = [_length(one) for one in graded]
    known = [length for length in lengths if length is not None]
    return float(median(known)) if known else None


def _answered(kind: Class) -> Callable[[Graded], float | None]:
    return lambda one: float(one.verdict in ("answered", None)) if one.kind == kind else None


def _false_answer(one: Graded) -> float | None:
    return float(one.verdict in ("answered", None)) if one.question.expects == "abstain" else None


def _false_refusal(one: Graded) -> float | None:
    return float(not one.answered) if one.question.expects == "answer" else None


def _closest_is_right(one: Graded) -> float | None:
    return float(one.shows_right_paper) if one.kind == "answerable" and one.verdict == "closest" else None


def _decision(one: Graded) -> float | None:
    if one.question.expects == "correct":
        return None
    return decision_cost(one.kind, one.verdict, right_paper=one.shows_right_paper)


def _decided(graded: Sequence[Graded]) -> list[Graded]:
    """Questions of which it is clear whether silence is right."""
    return [one for one in graded if one.question.expects != "correct"]


def _abstention_f1(graded: Sequence[Graded]) -> float | None:
    some = _decided(graded)
    answerable = [one.question.answerable for one in some]
    return (
        abstention_f1(answerable, [one.verdict in ("closest", "refused") for one in some])
        if not all(answerable)
        else None
    )


def _over_risks(
    area: Callable[[Sequence[float], Sequence[float]], float],
) -> Callable[[Sequence[Graded]], float | None]:
    """Of confidence and loss; silence comes last and counts as a loss, as risk_coverage asks for."""

    def of(graded: Sequence[Graded]) -> float:
        some = _decided(graded)
        confidence = [one.answer.confidence if one.answer and one.answered else -inf for one in some]
        return area(confidence, [1.0 - one.right if one.answered else 1.0 for one in some])

    return of


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
    Measure("right", "Overall", "facts held, or silence where silence is right", score=lambda one: one.right),
    Measure("ndcg@10", "Retrieval", "gold papers high in the first ten", score=_ranking(lambda r, g: ndcg(r, g, 10))),
    Measure("recall@1", "Retrieval", "the right paper first, where there is one alone", score=_first_place),
    Measure("recall@5", "Retrieval", "gold papers among the first five", score=_ranking(lambda r, g: recall(r, g, 5))),
    Measure("recall@10", "Retrieval", "gold papers among the first ten", score=_ranking(lambda r, g: recall(r, g, 10))),
    Measure(
        "mrr@10", "Retrieval", "1 / rank of the first gold", score=_ranking(lambda r, g: reciprocal_rank(r, g, 10))
    ),
    Measure("all_gold@10", "Retrieval", "every central paper among ten, where several are wanted", score=_complete),
    Measure("fact_coverage", "Answer", "facts that the answer holds, where there is one to give", score=_fact_coverage),
    Measure("quote_exactness", "Answer", "quotes that stand in the abstract where they say", bounds=(0.0, 1.0)),
    Measure("answer_score", "Answer", "facts within 30, 60, 90 and 120 words, averaged", score=_answer_score),
    *(
        Measure(f"coverage@{words}", "Answer", f"facts within the first {words} words", score=_within(words))
        for words in BUDGETS
    ),
    Measure("first_sentence", "Answer", "an asked-for fact in the first sentence", score=_first_sentence),
    Measure("length", "Answer", "words of an answer", "neither", None, score=_length),
    Measure("median_length", "Answer", "median words of an answer", "neither", None, overall=_median_length),
    Measure("citation_precision", "Citation", "citations that their sentence needs", score=_cites("precision")),
    Measure("citation_recall", "Citation", "sentences that their citations carry", score=_cites("recall")),
    Measure("cited_precision", "Citation", "papers cited that are gold", score=_papers(cited_precision)),
    Measure("cited_recall", "Citation", "central papers that are cited", score=_papers(cited_recall)),
    Measure("list_precision", "Lists", "listed papers that belong", score=_of_lists(cited_precision)),
    Measure("list_recall", "Lists", "papers that belong and are listed", score=_of_lists(cited_recall)),
    Measure("list_f1", "Lists", "harmonic mean of both", score=_list_f1),
    Measure("decision_cost", "Answerability", "cost of answer, closest or refusal", "lower", score=_decision),
    Measure("false_refusals", "Answerability", "answerable questions that were refused", "lower", score=_false_refusal),
    Measure(
        "false_answers", "Answerability", "unanswerable questions that were answered", "lower", score=_false_answer
    ),
    Measure("field_answered", "Answerability", "of these, in the field", "lower", score=_answered("in the field")),
    Measure("off_topic_answered", "Answerability", "of these, off topic", "lower", score=_answered("off topic")),
    Measure("closest_is_right", "Answerability", "the right paper shown among the closest", score=_closest_is_right),
    Measure("abstention_f1", "Answerability", "unanswerable told from others: not answered", overall=_abstention_f1),
    Measure("aurc", "Answerability", "area under risk against coverage", "lower", overall=_over_risks(aurc)),
    Measure(
        "excess_aurc", "Answerability", "that area above the best order", "lower", overall=_over_risks(excess_aurc)
    ),
    Measure("calibration_error", "Answerability", "confidence against being right", "lower", overall=_calibration),
    Measure("follow_up_loss", "Conversation", "right stand-alone, minus as a follow-up", "lower", (-1.0, 1.0)),
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
            found["follow_up_loss"][asked] = one.right - found["right"][asked]
            if asked in found["ndcg@10"]:
                found["follow_up_loss_ndcg"][asked] = ndcg(one.ranked, one.question.gold, 10) - found["ndcg@10"][asked]


def _phrasings(graded: Sequence[Graded], found: dict[str, Values]) -> None:
    scores: dict[str, list[float]] = defaultdict(list)
    for one in graded:
        if one.asker != STANDALONE:
            scores[one.question.id].append(one.right)
    for asked, several in scores.items():
        if len(several) > 1:
            found["phrasing_mean"][asked] = fmean(several)
            found["phrasing_worst"][asked] = min(several)
            found["phrasing_width"][asked] = max(several) - min(several)
