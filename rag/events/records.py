"""The values that go into and come out of the record of events: frozen, typed, without any database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rag.types import Answer, Mode, Options

Source = Literal["page", "api", "cli", "mcp"]  # the face through which a question came
Kind = Literal[
    "answered", "reason", "withdraw", "comment", "edit", "evidence", "open", "copy", "dwell", "stop", "rephrase"
]  # what a person did with an answer


@dataclass(frozen=True, slots=True)
class Exposure:
    """One paper of one interaction, and whether the person could see it: learning from clicks needs both."""

    paper_id: str
    rank: int | None  # in the ranking of papers, from 1; None for a paper that was shown without being ranked
    score: float | None  # as in the ranking: comparable within one interaction only
    position: int | None  # where it was shown, from 1; None if it was not shown
    cited: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)  # by stage, where known: dense, lexical, rerank

    @property
    def shown(self) -> bool:
        """Whether the person could see the paper without unfolding anything."""
        return self.position is not None


@dataclass(frozen=True, slots=True)
class Interaction:
    """One question and what was answered. Texts are None where they are not kept or were deleted."""

    id: str  # the id of its Answer
    position: int  # in the whole record, see EventStore.episodes
    at: datetime  # UTC
    user: str | None  # pseudonymous; None once its conversation was deleted
    conversation: str | None
    turn: int | None  # in the conversation, from 1
    source: Source
    question: str | None  # as asked
    standalone_question: str | None  # as searched
    answer: Answer | None
    papers: tuple[Exposure, ...]  # by rank
    mode: Mode
    model: str | None
    abstained: bool
    policy_version: str
    latency_ms: float | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    parent: str | None = None  # id of the answer that it follows, where that was said: see rag.events.tree
    options: Options = Options()  # how it was steered


@dataclass(frozen=True, slots=True)
class Feedback:
    """One thing that a person did with an answer. Later feedback does not erase earlier feedback."""

    id: str
    position: int  # in the whole record, see EventStore.episodes
    at: datetime  # UTC
    interaction_id: str
    user: str | None  # None once its conversation was deleted
    kind: Kind
    value: str | float | None  # text, seconds for "dwell", None for kinds without a value or texts not kept
    paper_id: str | None


@dataclass(frozen=True, slots=True)
class Episode:
    """An interaction with the feedback on it, oldest first."""

    interaction: Interaction
    feedback: tuple[Feedback, ...] = ()

    @property
    def standing(self) -> tuple[Feedback, ...]:
        """The feedback without reasons that were taken back, by saying so or by a later verdict of "yes"."""
        kept: list[Feedback] = []
        for one in self.feedback:
            satisfied = one.kind == "answered" and one.value == "yes"
            if satisfied or one.kind == "withdraw":
                kept = [said for said in kept if said.kind != "reason" or not (satisfied or said.value == one.value)]
            if one.kind != "withdraw":
                kept.append(one)
        return tuple(kept)

    def latest(self, kind: Kind, paper_id: str | None = None) -> Feedback | None:
        """The last word of this kind, on this paper if one is named: people change their minds."""
        for feedback in reversed(self.feedback):
            if feedback.kind == kind and (paper_id is None or feedback.paper_id == paper_id):
                return feedback
        return None


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One line of a person's list of conversations."""

    id: str
    title: str | None  # as renamed, else the first question; None where texts are not kept
    started: datetime  # UTC
    updated: datetime  # UTC, the last question


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as its owner sees it."""

    summary: ConversationSummary
    turns: tuple[Episode, ...]  # in order, each in the version that is current
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # answer id → all versions of its turn
    episodes: tuple[Episode, ...] = ()  # all of them, in the order in which they were recorded
    revision: int = 0  # grows with every change: who knows an older one does not know all


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records of each sort an operation touched."""

    interactions: int = 0
    feedback: int = 0
    conversations: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the background writer since it started."""

    queued: int  # interactions not yet written
    written: int
    failed: int  # interactions lost because the database would not take them
    dropped: int  # interactions lost because the queue was full or closed
    last_error: str | None  # of the last interaction lost; never holds a question
    trouble: str | None = None  # why the last try to write failed; None once one has succeeded

    @property
    def ok(self) -> bool:
        """Whether nothing was lost."""
        return not (self.failed or self.dropped)


@dataclass(frozen=True, slots=True)
class Stats:
    """What the record holds, in numbers."""

    interactions: int
    users: int
    conversations: int
    abstained: int
    first: datetime | None  # UTC
    last: datetime | None  # UTC
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float  # where known
    feedback: Mapping[str, int]  # by kind; "answered", "reason", "withdraw" and "evidence" by "kind:value"
