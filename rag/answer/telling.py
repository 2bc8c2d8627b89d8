"""Telling a draft while it is written, and each of its sentences again when it has been judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.answer.compose import ROW, Composer
from rag.answer.generative import Drafted
from rag.text import inert
from rag.types import SentenceVerdict, TextDelta
from rag.values.evidence import Claim


@dataclass(slots=True)
class Telling:
    """One draft as its reader sees it grow. The composer holds what was judged."""

    live: bool  # False: nothing is told before it was judged
    composer: Composer = field(default_factory=Composer)
    told: str = ""  # all pieces, joined
    _begin: int = 0  # where in it the sentence that is being written begins
    _open: bool = False  # whether there is such a sentence

    def grow(self, piece: Drafted) -> Iterator[TextDelta]:
        """Tell how far a sentence has come. What it says cannot become a link or the like."""
        if self.live:
            yield from self._up_to(piece, inert(piece.text, whole=False))

    def judged(self, piece: Drafted, claim: Claim | None, note: str = "") -> Iterator[TextDelta | SentenceVerdict]:
        """Tell what became of a whole sentence; its markers go behind it. claim: None if it is taken back."""
        if claim is None:
            if self._open:
                yield SentenceVerdict(self._begin, len(self.told), None)
            self._open = False
            return
        before = len(self.composer.citations)
        row = claim.lead == ROW
        if not row:
            yield from self._up_to(piece, claim.text)
        joint = self.composer.joint(claim.lead)
        composed = self.composer.add(claim, note=note)
        sentence = self.composer.sentences[-1]
        if row:  # its markers stand inside its cells
            self._begin = len(self.told) + len(joint)
            yield self._delta(composed)
        elif behind := "".join(f" [{marker}]" for marker in sentence.citations) + note:
            yield self._delta(behind)
        yield SentenceVerdict(self._begin, len(self.told), sentence, tuple(self.composer.citations[before:]))
        self._open = False

    def lead(self, piece: Drafted) -> str:
        """What goes before a sentence: the sign of its list, or what parts it from a list or table above."""
        if piece.bullet:
            return piece.bullet
        return "" if not self.composer.sentences or not piece.opens else "\n\n"

    def _up_to(self, piece: Drafted, words: str) -> Iterator[TextDelta]:
        begun = self.told[self._begin :] if self._open else ""
        lead = self.lead(piece)
        whole = lead.lstrip("\n") + words
        if not words or not whole.startswith(begun) or whole == begun:
            return
        if not self._open:
            joint = self.composer.joint(lead) + lead[: len(lead) - len(lead.lstrip("\n"))]
            self._begin, self._open = len(self.told) + len(joint), True
            whole = joint + whole
        yield self._delta(whole[len(begun) :])

    def _delta(self, text: str) -> TextDelta:
        self.told += text
        return TextDelta(text, draft=True)
