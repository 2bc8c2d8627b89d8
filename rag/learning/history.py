"""The record of events as paths: what each person asked in each conversation, what was shown, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from rag.events.records import Episode, Feedback
from rag.text import content_stems

DWELT_S = 10.0  # a shorter look at a paper is only an opening of it
CHARS = 1_000  # of a question that are looked at
SELF_CONTAINED = 4  # content words of a later turn that needs no earlier one to be understood
_LEAD = re.compile(  # of a correction, before what was meant
    r"^\W{0,5}(?:(?:no|nope|sorry|actually|wrong)\b\W{1,5}){0,3}"
    r"(?:what )?i (?:really |actually )?(?:meant?|was asking)\b(?: (?:was|is|this|to ask|about)\b){0,3}\W{0,3}(?=\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One paper of one answer."""

    paper: str
    rank: int | None  # from 1, as ranked
    position: int | None  # from 1, where it could be seen; None: it could not
    cited: bool


@dataclass(slots=True)
class Asked:
    """One answered question, in the few fields that learning needs."""

    id: str
    position: int  # in the record
    at: datetime
    person: str | None
    conversation: str | None
    turn: int
    text: str  # as asked, in its stand-alone form
    searched: str | None  # the learned rewrite, where one was applied
    abstained: bool
    policy: str
    arm: str  # mode and model that answered
    cost: float  # dollars
    papers: tuple[Shown, ...]
    quotes: tuple[tuple[str, str], ...]  # (paper, quoted sentence), in the order of the answer
    answer: str | None
    confidence: float  # that the collection holds the answer, as it was answered
    touched: bool  # by what was learned
    said: tuple[Feedback, ...] = field(default_factory=tuple)

    def word(self, kind: str) -> str | None:
        """The person's last word of this kind, where it has a text."""
        found = [one.value for one in self.said if one.kind == kind and isinstance(one.value, str)]
        return found[-1] if found else None

    @property
    def cited(self) -> tuple[str, ...]:
        """The papers that the answer quoted, in its order."""
        return tuple(dict.fromkeys(paper for paper, _ in self.quotes)) or tuple(
            one.paper for one in self.papers if one.cited
        )


def read(episodes: Iterable[Episode]) -> list[Asked]:
    """All questions whose words were kept, oldest first."""
    return [one for one in map(_asked, episodes) if one is not None]


def paths(log: Sequence[Asked]) -> list[list[Asked]]:
    """The questions of each conversation of each person, in order; a turn asked again stands where it was asked."""
    own = [one for one in log if one.conversation is not None and one.person is not None]
    own.sort(key=lambda one: (one.person, one.conversation, one.position))
    return [list(path) for _, path in groupby(own, key=lambda one: (one.person, one.conversation))]


def bare(question: str) -> str:
    """The question without "no, I meant" before it: a correction is another wording of the same need."""
    rest = question[lead.end() :] if (lead := _LEAD.match(question)) else ""
    return rest if len(content_stems(rest[:CHARS])) > 1 else question


def _asked(episode: Episode) -> Asked | None:
    one = episode.interaction
    answer = one.answer
    if one.question is None:
        return None
    whole = one.turn in (None, 1) or len(content_stems(one.question[:CHARS])) >= SELF_CONTAINED
    text = bare(one.question if whole else (one.standalone_question or one.question))
    touched = bool(answer and "recall" in answer.trace.get("stages", {}))
    searched = answer.understood_as if answer and touched else None  # otherwise it was only made stand-alone
    quoted = (*answer.citations, *answer.closest) if answer else ()
    return Asked(
        id=one.id,
        position=one.position,
        at=one.at,
        person=one.user,
        conversation=one.conversation,
        turn=one.turn or 1,
        text=text,
        searched=searched if searched and searched not in (text, one.question, one.standalone_question) else None,
        abstained=one.abstained,
        policy=one.policy_version,
        arm=one.mode if one.model is None else f"{one.mode}:{one.model}",
        cost=one.cost_usd or 0.0,
        papers=tuple(Shown(paper.paper_id, paper.rank, paper.position, paper.cited) for paper in one.papers),
        quotes=tuple((citation.paper_id, citation.quote) for citation in quoted),
        answer=answer.text if answer and not one.abstained else None,
        confidence=answer.confidence if answer else 0.0,
        touched=touched,
        said=episode.standing,
    )
