"""Fitting the shares of dense search and of the closest sentence in a paper's score, on several collections at once."""

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
MOST = 150  # questions of a collection: each is asked with all that is tried
DEPTH = 10


def with_shares(policy: Policy, shares: Shares) -> Policy:
    """The policy with other shares."""
    dense, sentence = shares
    return policy.with_parts(
        retrieval=policy.retrieval.model_copy(update={"dense_weight": dense}),
        rerank=policy.rerank.model_copy(update={"sentence_weight": sentence}),
    )


def ranking_scores(assistant: Assistant, questions: Sequence[Labelled]) -> dict[Shares, float]:
    """nDCG@10 of each choice, over the questions whose papers can be found."""
    asked = [one for one in questions if one.answerable and one.gold and not one.hidden]
    asked = asked[:: max(len(asked) // MOST, 1)][:MOST]
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


def _best(scores: Sequence[Mapping[Shares, float]]) -> Shares:
    return max(TRIED, key=lambda shares: fmean(one[shares] for one in scores))


def _ndcg(assistant: Assistant, question: Labelled) -> float:
    ranked = [paper.paper_id for paper in ranked_papers(assistant.rank(question.text))][:DEPTH]
    return ndcg(ranked, dict.fromkeys(question.gold, 1), DEPTH)
