"""How evenly a question finds its like in the sentences closest to it.

They are compared word piece by word piece (late interaction; Khattab and Zaharia 2020, ColBERT). What an abstract does
not say shows as a part of the question that matches far worse than the rest, which any vector of the whole question
hides.
"""

from __future__ import annotations

from collections.abc import Callable

from rag.ports import Kind, Vectors
from rag.values.evidence import PaperEvidence
from rag.values.query import Query

Cut = Callable[[str, Kind], Vectors | None]  # None: the embedder does not show what its word pieces mean
SENTENCES = 4  # closest ones that are compared; all of an abstract take twice as long and tell less


def unevenness(query: Query, top: PaperEvidence, cut: Cut) -> float:
    """Standard deviation of the best cosines that the question's word pieces find among those of the paper.

    0.0 where there are none, or the embedder does not show them.
    """
    asked, read = cut(query.standalone, "query"), cut(_closest(top), "document")
    if asked is None or read is None or not len(asked) or not len(read):
        return 0.0
    return float((asked @ read.T).max(axis=1).std())


def _closest(top: PaperEvidence) -> str:
    """The title, and the sentences closest to the question in the order in which they stand."""
    closest = sorted(top.sentences, key=lambda one: -one.cosine)[:SENTENCES]
    return " ".join([f"{top.paper.title}.", *(one.text for one in sorted(closest, key=lambda one: one.index))])
