"""Query → rankings: dense and lexical search for each thing that the query looks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rag.index.ports import Row
from rag.stages import Context
from rag.types import Options
from rag.values.query import Query, Search
from rag.values.ranking import Ranking

Found = list[tuple[Row, float]]


class HybridRetriever:
    """Nearest chunks by cosine, and chunks that share words with the question by BM25."""

    def retrieve(self, query: Query, context: Context) -> list[Ranking]:
        """A dense and a lexical ranking for each search. Raises IndexUnusable."""
        share = context.policy.retrieval.dense_weight
        found = []
        for search in query.searches:
            found.append(Ranking("dense", search.weight * share, dense(search, context)))
            found.append(Ranking("lexical", search.weight * (1 - share), lexical(search, context)))
        return found


def dense(search: Search, context: Context) -> Found:
    """Chunks by cosine similarity of embeddings."""
    return _widely(context, lambda k, options: context.view.nearest(search.vector, k, options))


def lexical(search: Search, context: Context) -> Found:
    """Chunks by BM25, with query expansion: words close in meaning count at a discount."""
    weighting = context.policy.retrieval.bm25
    return _widely(
        context, lambda k, options: context.view.matching(search.words, search.expansions, k, options, weighting)
    )


def _widely(context: Context, search: Callable[[int, Options], Found]) -> Found:
    """The best chunks, and further ones of other papers where one paper's chunks crowd the rest out."""
    limits, options = context.policy.retrieval, context.options
    rows = search(limits.chunks, options)
    papers = {row[0] for row, _ in rows}
    if len(rows) < limits.chunks or len(papers) >= limits.papers:
        return rows
    rest = replace(options, exclude=options.exclude | papers, include=options.include - papers)
    if options.include and not rest.include:
        return rows
    return [*rows, *search(limits.chunks // 2, rest)]
