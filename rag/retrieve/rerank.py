"""Reranking the best papers: by their single sentences, or by each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag.stages import Context
from rag.types import Hit
from rag.values.query import Query, Vector


class PaperReranker:
    """One hit a paper: by its closest sentences, or, where several papers are asked for, by nearness to the first ones.

    A chunk's vector is an average over all that an abstract says; one sentence that answers may drown in it. And papers
    that belong on one list resemble each other, also where they do not use the question's words (Rocchio 1971,
    "Relevance Feedback in Information Retrieval", with the first results taken as relevant).
    """

    def rerank(self, query: Query, hits: Sequence[Hit], context: Context) -> list[Hit]:
        """Best paper first."""
        best: dict[str, Hit] = {}
        for hit in hits:
            best.setdefault(hit.passage.paper_id, hit)
        papers = list(best.values())
        if query.planned:  # its parts are unlike each other: nearness to their mean, or to the first papers, misleads
            return papers
        ranked = _by_neighbours(papers, context) if query.wants_many else _by_sentences(query.vector, papers, context)
        return _by_reading(query, sorted(ranked, key=_order), context)


def _order(hit: Hit) -> tuple[float, str]:
    return -hit.score, hit.passage.paper_id


def _by_reading(query: Query, papers: Sequence[Hit], context: Context) -> list[Hit]:
    """The first papers in the order that reading them gives, before all others."""
    limits, weight = context.policy.cross_encoding, context.policy.rerank.answer_weight
    first, others = papers[: limits.papers], papers[limits.papers :]
    read = context.view.read(query.wording, query.vector, [hit.passage.paper_id for hit in first], limits.sentences)
    answers = {paper_id: 1 / (1 + math.exp(-one.answer)) for paper_id, one in read.items()}

    def scored(hit: Hit) -> Hit:
        return replace(hit, score=(hit.score + weight * answers.get(hit.passage.paper_id, 0.0)) / (1 + weight))

    return [*sorted(map(scored, first), key=_order), *map(scored, others)]


def _by_sentences(vector: Vector, papers: Sequence[Hit], context: Context) -> list[Hit]:
    limits, known = context.policy.rerank, context.view.papers(hit.passage.paper_id for hit in papers)
    weight = limits.sentence_weight
    head, tail = papers[: limits.depth], papers[limits.depth :]
    closeness = []
    for hit in head:
        cosines = np.sort(known[hit.passage.paper_id].vectors @ vector)
        closeness.append(float(cosines[-limits.sentences :].mean()) if cosines.size else 0.0)
    low, high = min(closeness, default=0.0), max(closeness, default=0.0)
    spread = (high - low) or 1.0
    return [
        *(
            replace(hit, score=(1 - weight) * hit.score + weight * (close - low) / spread)
            for hit, close in zip(head, closeness, strict=True)
        ),
        *(replace(hit, score=(1 - weight) * hit.score) for hit in tail),
    ]


def _by_neighbours(papers: Sequence[Hit], context: Context) -> list[Hit]:
    limits, known = context.policy.rerank, context.view.papers(hit.passage.paper_id for hit in papers)
    held = [hit for hit in papers if len(known[hit.passage.paper_id].vectors)]
    if not held:
        return list(papers)
    vectors = np.stack([known[hit.passage.paper_id].vectors.mean(axis=0) for hit in held])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first = held[: limits.examples]
    centre = np.average(vectors[: len(first)], axis=0, weights=[hit.score + 1e-6 for hit in first])
    similarity = vectors @ centre
    similarity = (similarity - similarity.min()) / (float(np.ptp(similarity)) or 1.0)
    weight = limits.neighbour_weight
    return [
        replace(hit, score=(1 - weight) * hit.score + weight * float(near))
        for hit, near in zip(held, similarity, strict=True)
    ]
