"""What raises a doubt: all for some, a cause for a link, others' work for one's own, one thing more, another order."""

from __future__ import annotations

import pytest

from rag.text import content_stems, sentences
from rag.types import Paper
from rag.verify.anatomy import anatomy
from rag.verify.checks import doubt
from rag.verify.spelling import plain

ABSTRACT = (
    "Existing rankers often drift from the query. Human labels help, but they cannot be had in time. "
    "In this paper we introduce FoSK, which first retrieves passages with BM25, then rewrites the query. "
    "FoSK finds errors in numbers, entities and topics, and beats RM3 on two of four benchmarks. "
    "We did not test it on video. Reading on paper had no effect on it. "
    "In contrast to other rankers, FoSK does not need GPUs. "
    "In mice, its score was associated with survival."
)
TRUE = (
    "FoSK retrieves passages before it rewrites the query.",
    "Existing rankers drift from the query.",
    "FoSK beats RM3 on two benchmarks.",
    "FoSK needs no GPUs.",
    "FoSK finds errors in entities and numbers.",
    "The score was associated with survival in mice.",
    "Earlier rankers drift from the query.",
)
DOUBTED = (
    ("FoSK beats RM3 on every benchmark.", "every"),
    ("FoSK is the best on two benchmarks.", "best"),
    ("FoSK makes human labels unnecessary.", "unnecessary"),
    ("FoSK finds errors in numbers, entities and grammar.", "grammar"),
    ("FoSK finds errors in numbers better than physicians.", "physicians"),
    ("FoSK rewrites the query before it retrieves passages.", "order"),
    ("FoSK beats RM3 on two of four hospitals.", "hospitals"),
    ("It works on video.", "look at"),
    ("Reading on paper improves it.", "opposite"),
    ("Human labels help, but they cannot be had in winter.", "time"),
    ("FoSK finds errors in numbers, entities and topics, and beats RM3 on two of four continents.", "continents"),
    ("Like other rankers, FoSK needs GPUs.", "opposite"),
    ("RM3 beats FoSK on two benchmarks.", "other way round"),
    ("FoSK beats RM3 on all 4 benchmarks.", "all"),
    ("FoSK often drifts from the query.", "FoSK"),
    ("Earlier work introduces what retrieves passages with BM25.", "earlier"),
    ("The score causes survival in mice.", "cause"),
    ("The score was associated with survival in patients.", "people"),
)


def why(sentence: str) -> str:
    """The doubt about a sentence whose quote is the one of the abstract that shares most words with it."""
    spans = tuple(sentences(ABSTRACT))
    paper = anatomy(Paper("p", "FoSK", ABSTRACT), spans, 1)
    said = frozenset(content_stems(sentence))
    return doubt(plain(sentence), [max(paper.readings, key=lambda one: len(said & one.stems)).text], [paper])


@pytest.mark.parametrize("sentence", TRUE)
def test_what_the_abstract_says_raises_no_doubt(sentence: str) -> None:
    assert why(sentence) == ""


@pytest.mark.parametrize(("sentence", "word"), DOUBTED)
def test_what_goes_beyond_the_abstract_does(sentence: str, word: str) -> None:
    assert word in why(sentence)
