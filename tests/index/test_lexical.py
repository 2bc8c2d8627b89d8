"""BM25 as other people compute it."""

from __future__ import annotations

import random
from pathlib import Path

import bm25s
import pytest

from rag.index.ingest import TITLE
from rag.policy import BM25
from rag.text import content_stems
from rag.types import Options, Paper
from tests.index.fakes import TOPICS, open_finder, open_index


def test_scores_are_those_of_bm25s(tmp_path: Path) -> None:
    rng = random.Random(7)
    papers = [
        Paper(f"p{number}", rng.choice(TOPICS), " ".join(rng.choices(TOPICS, k=rng.randint(3, 40))).capitalize() + ".")
        for number in range(60)
    ]
    texts = [content_stems(" ".join([paper.title] * TITLE + [paper.abstract])) for paper in papers]
    index = open_index(tmp_path)
    index.update(papers[:40])
    collection = open_finder(index).collection
    collection.view()  # so that it follows what changes
    index.update([Paper("gone", "Whales", "Whales and comets."), *papers[40:]])
    index.remove(["gone"])
    weighting = BM25(k1=1.2, b=0.75)
    theirs = bm25s.BM25(k1=weighting.k1, b=weighting.b, method="lucene")
    theirs.index(texts, show_progress=False)
    stems = content_stems("whales orchids comets")
    expected = {paper.id: score for paper, score in zip(papers, theirs.get_scores(stems), strict=True) if score > 0}
    found = collection.view().matching(dict.fromkeys(stems, 1), {}, 100, Options(), weighting)
    assert {row[0]: score for row, score in found} == pytest.approx(expected, rel=1e-5)
