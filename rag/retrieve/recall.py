"""Memory's say in a ranking: a better wording is searched for as well, and papers gain or lose what was learned."""

from __future__ import annotations

from dataclasses import asdict, replace

from rag.stages import Context, FindAgain
from rag.types import Hit, Options, Passage
from rag.values.query import Query


class MemoryRecaller:
    """Applies the policy's memory. A question that it knows nothing about keeps its ranking exactly."""

    def recall(self, query: Query, hits: list[Hit], search: FindAgain, context: Context) -> list[Hit]:
        """hits: one a paper, best first. Sets ``context.recalled``."""
        recollection = context.policy.recollection
        if not recollection:
            return hits
        scores = {hit.passage.paper_id: hit.score for hit in hits}
        recalled = recollection.recall(query.vector, query.standalone, scores)
        if not recalled:
            return hits
        context.recalled = recalled
        context.trace.note("recall", used=[asdict(one) for one in recalled.used])
        for text, share in recalled.rewrites:
            hits = _blended(hits, search(text), share)
        learned = {paper: more for paper, more in recalled.papers.items() if _allowed(paper, context.options)}
        found = {hit.passage.paper_id for hit in hits}
        best = max((hit.score for hit in hits), default=0.0)
        order = context.policy.memory.match.order
        hits = [
            replace(hit, score=_moved(hit.score, learned.get(hit.passage.paper_id, 0.0), best, order)) for hit in hits
        ]
        hits += [
            hit for paper, more in learned.items() if more > 0 and paper not in found for hit in _hit(paper, context)
        ]
        context.trace.score("learned", learned)
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage.paper_id))


def _moved(score: float, more: float, best: float, order: float) -> float:
    """The score after what was learned. Beyond the best one only the order counts: how far the others lie behind the
    first paper decides how many an answer quotes, and that was fitted without memory."""
    moved = score + more
    return moved if moved <= best else best + order * (moved - best)


def _blended(own: list[Hit], other: list[Hit], share: float) -> list[Hit]:
    """Papers of both rankings, with the weighted mean of their scores; one that a ranking lacks has 0 there."""
    mine = {hit.passage.paper_id: hit for hit in own}
    theirs = {hit.passage.paper_id: hit for hit in other}
    return [
        replace(
            mine.get(paper) or theirs[paper],
            score=(1 - share) * (mine[paper].score if paper in mine else 0.0)
            + share * (theirs[paper].score if paper in theirs else 0.0),
        )
        for paper in mine | theirs
    ]


def _allowed(paper: str, options: Options) -> bool:
    return paper not in options.exclude and (not options.include or paper in options.include)


def _hit(paper: str, context: Context) -> list[Hit]:
    """A paper that no search found, by its whole abstract; none if it has left the collection."""
    stored = context.view.papers([paper]).get(paper)
    if stored is None:
        return []
    passage = Passage(paper, stored.paper.title, 0, stored.paper.abstract)
    return [Hit(passage, context.recalled.papers[paper])]
