"""Where parts of a question match a paper far worse than others."""

from __future__ import annotations

import numpy as np
import pytest

from rag.collection import StoredPaper
from rag.embed.cache import CachedEmbedder
from rag.embed.onnx import OnnxEmbedder
from rag.evidence.match import unevenness
from rag.evidence.weigh import gather
from rag.policy import Policy
from rag.ports import Embedder
from rag.text import sentences
from rag.types import Hit, Paper, Passage
from rag.values.evidence import PaperEvidence
from rag.values.query import Query
from tests.index.fakes import WordEmbedder

PAPER = Paper(
    "whales",
    "Whale songs",
    "Humpback whales sing for hours. Their songs change every year, and all males of a population change theirs alike. "
    "We recorded 40 males off Hawaii.",
)


@pytest.fixture(scope="module")
def embedder() -> CachedEmbedder:
    """The model that comes with Readback."""
    return CachedEmbedder(OnnxEmbedder())


def asked(text: str, embedder: Embedder) -> Query:
    """A question that stands by itself."""
    vector = embedder.embed([text], "query")[0]
    return Query(text, text, (), vector, (), names=(), wants_many=False, wants_effect=False)


def read(query: Query, embedder: Embedder) -> PaperEvidence:
    """The paper, read for a question."""
    texts = [span.of(PAPER.abstract) for span in sentences(PAPER.abstract)]
    stored = StoredPaper(PAPER, embedder.embed(texts, "document"))
    hit = Hit(Passage(PAPER.id, PAPER.title, 0, PAPER.abstract), 1.0)
    return gather(query, [hit], {PAPER.id: stored}, {}, Policy.default().evidence)[0]


PAIRS = [  # what the paper says, and what it does not
    ("How long do humpback whales sing?", "How much krill do humpback whales eat?"),
    ("How often do the songs change?", "How loud are the songs in decibels?"),
    ("Where were males recorded?", "Which microphone recorded the males?"),
    ("How many males were recorded off Hawaii?", "What do the males weigh in spring?"),
    ("Do all males of a population change their songs?", "Do females of a population choose singers?"),
]


def test_what_the_paper_does_not_say_stands_out(embedder: CachedEmbedder) -> None:
    found = []
    for pair in PAIRS:
        queries = [asked(text, embedder) for text in pair]
        found.append([unevenness(one, read(one, embedder), embedder.pieces) for one in queries])
    said, unsaid = np.mean(found, axis=0)
    assert said + 0.02 < unsaid


def test_without_word_pieces_nothing_stands_out() -> None:
    embedder = CachedEmbedder(WordEmbedder())
    query = asked("How long do whales sing?", embedder)
    assert unevenness(query, read(query, embedder), embedder.pieces) == 0.0


def test_an_empty_question_is_even(embedder: CachedEmbedder) -> None:
    query = asked("", embedder)
    assert unevenness(query, read(query, embedder), embedder.pieces) == 0.0
