"""Is a sentence a copy of its quote but for one word?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from rag.text import content_stems, stem
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import tokens_of

_MARKS = frozenset("*_.!?\"'“”")
_CHOSEN = 3  # quotes that may be copied
_COPIED = 0.75  # share of a sentence's words that stand in the quote in their order
_CHANGED = 2  # neighbouring words, at most, that stand for others
_BESIDE = 2  # words on each side that are the same; at an end of both: one more on the other
_LIGHT = frozenset(map(stem, "kind type turn take get give make use reach put set show".split()))


def replaced(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:
    """A word that stands where the quote has another one, all around being the same, says something else."""
    said = [token for token in tokens_of(sentence) if token not in _MARKS]
    own = frozenset(one for paper in papers for name in paper.own for one in content_stems(name))
    for quote in quotes[:_CHOSEN]:
        there = [token for token in tokens_of(quote) if token not in _MARKS]
        steps = SequenceMatcher(None, said, there, autojunk=False).get_opcodes()
        if sum(end - start for kind, start, end, _, _ in steps if kind == "equal") < _COPIED * len(said):
            continue
        lengths = [0, *(end - start if kind == "equal" else 0 for kind, start, end, _, _ in steps), 0]
        for at, (kind, start, end, begin, stop) in enumerate(steps, 1):
            if kind != "replace" or max(end - start, stop - begin) > _CHANGED:
                continue
            before = lengths[at - 1] + _BESIDE * (start == begin == 0)
            after = lengths[at + 1] + _BESIDE * (end == len(said) and stop == len(there))
            mine, yours = content_stems(" ".join(said[start:end])), content_stems(" ".join(there[begin:stop]))
            new = frozenset(mine) - frozenset(content_stems(quote)) - _LIGHT - own
            if min(before, after) >= _BESIDE and new and yours:
                return f"what it cites has “{' '.join(there[begin:stop])}” there"
    return ""
