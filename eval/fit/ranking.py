"""Fitting the shares of dense search and of the closest sentence in a paper's score, on several collections at once.

Then what a paper's score gains by the probability that it answers, as the cross-encoder reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from eval.fit.questions import Labelled
from eval.metrics.retrieval import ndcg
from rag.engine import Assistant
from rag.policy import Policy
from rag.types import ranked_papers

Shares = tuple[float, float]  # of dense search in the fusion, and of the closest sentence afterwards
TRIED: tuple[Shares, ...] = tuple((dense, sentence) for dense in (0.3, 0.4, 0.5) for sentence in (0.2, 0.3, 0.4))
WEIGHTS = (0.0, 0.1, 0.2, 0.4)  # of the probability that a paper answers
MOST = 150  # questions of a collection: each is asked with all that is tried
DEPTH = 10


def with_shares(policy: Policy, shares: Shares) -> Policy:
    """The policy with other shares."""
    dense, sentence = shares
    return policy.with_parts(
        retrieval=policy.retrieval.model_copy(update={"dense_weight": dense}),
        rerank=policy.rerank.model_copy(update={"sentence_weight": sentence}),
    )


def with_answers(policy: Policy, weight: float) -> Policy:
    """The policy with another weight of answering; without any, nothing is read."""
    papers = policy.cross_encoding.papers if weight else 0
    return policy.with_parts(
        cross_encoding=policy.cross_encoding.model_copy(update={"papers": papers}),
        rerank=policy.rerank.model_copy(update={"answer_weight": weight}),
    )


def answer_scores(assistant: Assistant, questions: Sequence[Labelled]) -> dict[float, float]:
    """nDCG@10 of each weight of answering, over the questions whose papers can be found."""
    asked = _findable(questions)
    found = {}
    for weight in WEIGHTS:
        trying = assistant.with_policy(with_answers(assistant.policy(), weight))
        found[weight] = fmean(_ndcg(trying, one) for one in asked)
    return found


def choose_answer_weight(scores: Mapping[str, Mapping[float, float]]) -> tuple[float, list[str]]:
    """The weight that is best on average over the collections, and what each of them gains."""
    best = max(WEIGHTS, key=lambda weight: fmean(one[weight] for one in scores.values()))
    report = [f"ranking: weight of the probability of answering {best}"]
    report += [f"  {name}: nDCG@10 {one[best]:.4f}, without it {one[0.0]:.4f}" for name, one in scores.items()]
    return best, report


def ranking_scores(assistant: Assistant, questions: Sequence[Labelled]) -> dict[Shares, float]:
    """nDCG@10 of each choice, over the questions whose papers can be found, without reading them."""
    assistant = assistant.with_policy(with_answers(assistant.policy(), 0.0))
    asked = _findable(questions)
    found = {}
    for shares in TRIED:
        trying = assistant.with_policy(with_shares(assistant.policy(), shares))
        found[shares] = fmean(_ndcg(trying, one) for one in asked)
    return found


def choose_shares(scores: Mapping[str, Mapping[Shares, float]]) -> tuple[Shares, list[str]]:
    """The choice that is best on average over the collections, and how it does where a collection is left out."""
    best = _best(list(scores.values()))
    report = [f"ranking: shares of dense search and of the closest sentence {best[0]} and {best[1]}"]
    for name, mine in scores.items():
        others = [theirs for other, theirs in scores.items() if other != name]
        left_out = f"; chosen without it {mine[_best(others)]:.4f}" if others else ""
        report.append(f"  {name}: nDCG@10 {mine[best]:.4f}{left_out}; best for it alone {max(mine.values()):.4f}")
    return best, report


def _findable(questions: Sequence[Labelled]) -> list[Labelled]:
    asked = [one for one in questions if one.answerable and one.gold and not one.hidden]
    return asked[:: max(len(asked) // MOST, 1)][:MOST]


def _best(scores: Sequence[Mapping[Shares, float]]) -> Shares:
    return max(TRIED, key=lambda shares: fmean(one[shares] for one in scores))


def _ndcg(assistant: Assistant, question: Labelled) -> float:
    ranked = [paper.paper_id for paper in ranked_papers(assistant.rank(question.text))][:DEPTH]
    return ndcg(ranked, dict.fromkeys(question.gold, 1), DEPTH)
