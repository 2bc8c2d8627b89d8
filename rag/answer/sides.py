"""Comparisons: which paper speaks for which of the things compared, and which of them no paper knows."""

from __future__ import annotations

from collections.abc import Sequence

from rag.policy import Comparing
from rag.text import Names, content_stems, names
from rag.values.evidence import PaperEvidence
from rag.values.query import Query


def by_side(
    query: Query, evidence: Sequence[PaperEvidence], policy: Comparing
) -> list[tuple[str, PaperEvidence | None]]:
    """Each side with the paper that is most about it; None where no paper that was read is."""
    texts = {one.paper.id: Names(f"{one.paper.title}. {one.paper.abstract}") for one in evidence} if query.sides else {}
    speaking = {
        side: [one for one in evidence if _speaks_of(side, one, texts[one.paper.id], policy)] for side in query.sides
    }

    def aboutness(side: str, one: PaperEvidence) -> float:
        title = frozenset(content_stems(one.paper.title))
        others = sum(one in papers for other, papers in speaking.items() if other != side)
        return _share(side, one.stems) + policy.title * _share(side, title) - policy.both * others

    return [
        (side, max(papers, key=lambda one: (aboutness(side, one), one.hit.score), default=None))
        for side, papers in speaking.items()
    ]


def absent(query: Query, evidence: Sequence[PaperEvidence], policy: Comparing) -> list[str]:
    """The sides that no paper speaks of, if another one is spoken of."""
    found = by_side(query, evidence, policy)
    missing = [side for side, paper in found if paper is None]
    return missing if len(missing) < len(found) else []


def _speaks_of(side: str, one: PaperEvidence, text: Names, policy: Comparing) -> bool:
    named, share = names(side), _share(side, one.stems)
    return share >= 1.0 or (all(map(text.holds, named)) if named else share >= policy.held)


def _share(side: str, stems: frozenset[str]) -> float:
    wanted = set(content_stems(side))
    return len(wanted & stems) / len(wanted)
