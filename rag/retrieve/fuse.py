"""Rankings → one ranking of chunks with their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rag.index.ports import Row
from rag.policy import Retrieval
from rag.stages import Context
from rag.types import Hit, Passage
from rag.values.query import Query
from rag.values.ranking import Ranking


class ConvexFuser:
    """Convex combination of min-max normalised scores.

    Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval". A chunk that one search did not
    find takes that search's lowest score. Ties are broken by paper id and place, so rankings are repeatable.
    """

    def fuse(self, query: Query, rankings: Sequence[Ranking], context: Context) -> list[Hit]:
        """Best first. The only place where texts are read from the catalog."""
        scores = fused(rankings)
        for row in scores:
            scores[row] += query.prior.get(row[0], 0.0)
        best = _head(sorted(scores, key=lambda row: (-scores[row], row[0], row[2])), context.policy.retrieval)
        papers = context.view.papers(row[0] for row in best)
        raw = {method: _best(rankings, method) for method in ("dense", "lexical")}
        hits = []
        for row in best:
            paper_id, fingerprint, start, end = row
            stored = papers.get(paper_id)
            if stored is None or stored.paper.fingerprint != fingerprint:
                continue  # what the catalog no longer names is not part of the collection
            passage = Passage(paper_id, stored.paper.title, start, stored.paper.abstract[start:end])
            hits.append(Hit(passage, scores[row], raw["dense"].get(row), raw["lexical"].get(row), scores[row]))
        return hits


def _head(rows: Sequence[Row], limits: Retrieval) -> list[Row]:
    """The first chunks, and further papers' best ones where too few papers are among them."""
    head, rest = list(rows[: limits.chunks]), rows[limits.chunks :]
    papers = {row[0] for row in head}
    for row in rest:
        if len(papers) >= limits.papers:
            break
        if row[0] not in papers:
            papers.add(row[0])
            head.append(row)
    return head


def fused(rankings: Sequence[Ranking]) -> dict[Row, float]:
    """Chunk → weighted sum of its normalised scores."""
    scores: dict[Row, float] = defaultdict(float)
    for ranking in rankings:
        values = [score for _, score in ranking.rows]
        low, high = min(values, default=0.0), max(values, default=0.0)
        for row, score in ranking.rows:
            scores[row] += ranking.weight * ((score - low) / (high - low) if high > low else 1.0)
    return scores


def _best(rankings: Sequence[Ranking], method: str) -> dict[Row, float]:
    best: dict[Row, float] = {}
    for ranking in rankings:
        if ranking.method == method:
            for row, score in ranking.rows:
                best[row] = max(score, best.get(row, score))
    return best
