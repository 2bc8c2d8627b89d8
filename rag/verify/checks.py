"""What speaks against a sentence in the words of its quotes, check by check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rag.verify.additions import added
from rag.verify.anatomy import Anatomy
from rag.verify.attribution import elsewhere, measure, subject
from rag.verify.clauses import LONGEST
from rag.verify.comparisons import crossed
from rag.verify.copied import replaced
from rag.verify.counted import miscounted
from rag.verify.exchange import exchanged
from rag.verify.polarity import affirmed, denial, direction, overstated
from rag.verify.roles import swapped
from rag.verify.scope import overreaching
from rag.verify.sequence import reordered, turned
from rag.verify.speaker import misattributed

TEXTUAL: Mapping[str, Callable[[str, Sequence[str]], str]] = {
    "comparison": crossed,
    "exchanged": exchanged,
    "overstated": overstated,
    "roles": swapped,
}
OF_PAPERS: Mapping[str, Callable[[str, Sequence[str], Sequence[Anatomy]], str]] = {
    "denial": denial,
    "direction": direction,
    "subject": subject,
    "elsewhere": elsewhere,
    "measure": measure,
}
CHECKS = (*TEXTUAL, *OF_PAPERS)
DOUBTS: Sequence[Callable[[str, Sequence[str], Sequence[Anatomy]], str]] = (
    overreaching,
    added,
    miscounted,
    misattributed,
    reordered,
    affirmed,
    replaced,
    turned,
)


def doubt(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """Why the quotes may not say all of this, in words; empty if nothing raises a doubt.

    What is doubted is not verified; that says nothing against it.
    """
    said, looked_at = sentence[:LONGEST], [quote[:LONGEST] for quote in quotes]
    return next((why for check in DOUBTS if (why := check(said, looked_at, papers))), "")


def objections(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy] = ()) -> dict[str, str]:
    """Name of a check → why the quotes do not say this, in words; nothing speaks against it if empty.

    quotes: the best one first. papers: theirs. Of very long texts the beginning is looked at.
    """
    said, looked_at = sentence[:LONGEST], [quote[:LONGEST] for quote in quotes]
    found = {name: check(said, looked_at) for name, check in TEXTUAL.items()}
    found |= {name: check(said, looked_at, papers) for name, check in OF_PAPERS.items()}
    return {name: why for name, why in found.items() if why}
