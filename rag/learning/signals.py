"""Signals: what people did, as weighted evidence about answers, papers, sentences and wordings.

A question and its rewordings by the same person are one *task*. What ends a task well teaches all its wordings. Signals
on a paper stand on one ordered scale of engagement, of which a person's strongest counts, rather than as independent
clicks (*Embed Progressive Implicit Preference in Unified Space for Deep Collaborative Filtering*). Which stage is to
blame for a failure is told from what the answer had and what the task ended with (*NExT-Search: Rebuilding User
Feedback Ecosystem for Generative AI Search*; *CriticSearch: Fine-Grained Credit Assignment for Search Agents via a
Retrospective Critic*).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Literal

from rag.events.records import Episode, Feedback
from rag.learning.history import DWELT_S, Asked, paths, read
from rag.learning.turns import KINDS, TurnClassifier, TurnKind

Stage = Literal["rewrite", "retrieval", "selection", "wording", "refusal", "missing_paper"]
REASKED_WITHIN = timedelta(hours=2)  # a question named as the rewording of another, asked outside its conversation
MINED = 10_000  # the newest pairs of turns that the classifier looks at
SURE = 0.5  # probability from which a turn is taken for a kind

# How often a signal of this kind is right about a paper, before the collection's own agreement is known: Beta(a, b).
# "named" is a paper that the person says should have been there, out of all that they could have named.
PRIORS: Mapping[str, tuple[float, float]] = {
    "named": (28.0, 1.5),
    "useful": (17.0, 3.0),
    "copied": (16.0, 4.0),
    "accepted": (16.0, 4.0),  # the first paper quoted in an answer that was accepted
    "accepted_beside": (12.0, 8.0),  # the papers quoted after it
    "dwelt": (13.0, 7.0),
    "opened": (11.0, 9.0),
    "not_useful": (16.0, 4.0),
    "wrong": (17.0, 3.0),
    "rejected": (12.0, 8.0),  # the first paper quoted in an answer that was not accepted
}
SCALE = ("named", "useful", "copied", "accepted", "dwelt", "accepted_beside", "opened")  # strongest first
AGAINST = ("wrong", "not_useful", "rejected")
IMPLICIT = ("dwelt", "opened", "accepted_beside")  # nobody said so: what many people did alike is one weak hint


@dataclass(frozen=True, slots=True)
class PaperSignal:
    """One person's signal on one paper for one wording of a question."""

    text: str
    paper: str
    person: str
    kind: str  # of PRIORS
    at: float  # seconds since the epoch
    rank: int | None  # of the paper for this wording, from 1; None: not found
    place: int | None = None  # where it was seen when the signal was given, from 1

    @property
    def positive(self) -> bool:
        """Whether it speaks for the paper."""
        return self.kind not in AGAINST


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question ended for one person."""

    asked: Asked
    value: float  # from -1, a failure, to 1, a success; 0: nobody knows
    blame: Stage | None = None  # of a failure


@dataclass(slots=True)
class Task:
    """One need of one person: its wordings in the order they were tried, and how each ended."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def solved(self) -> Outcome | None:
        """The question that ended well, if one did."""
        return next((one for one in reversed(self.outcomes) if one.value > 0), None)


@dataclass(frozen=True, slots=True)
class Signals:
    """All that the learners need."""

    tasks: Sequence[Task]
    papers: Sequence[PaperSignal]
    mined: Mapping[TurnKind, int]  # turns in words, by kind


def gather(log: Sequence[Asked], classifier: TurnClassifier, known: Collection[str]) -> Signals:
    """The signals of a history. known: ids of the papers that the collection holds."""
    following, mined = _following(log, classifier)
    tasks = [_judged(chain, following, known) for chain in _chains(log, following)]
    signals = [one for task in tasks for one in _on_papers(task)]
    return Signals(tasks, signals, mined)


def said_of_papers(episode: Episode) -> dict[str, float]:
    """What one answer's feedback says of papers, from -1, wrong, to 1, right: for the rest of its conversation."""
    found: dict[str, float] = {}
    for one in read([episode]):
        named = {said.paper_id for said in one.said if said.paper_id}
        [outcome] = _judged([one], {}, named).outcomes
        for paper, kind in _direct(outcome).items():
            right, wrong = PRIORS[kind]
            sure = (right - wrong) / (right + wrong)
            found[paper] = -sure if kind in AGAINST else sure
    return found


def _following(
    log: Sequence[Asked], classifier: TurnClassifier
) -> tuple[dict[str, tuple[TurnKind, Asked]], dict[TurnKind, int]]:
    """For each answer, the next turn of its conversation and what kind of turn that is."""
    pairs = [(one, after) for path in paths(log) for one, after in pairwise(path)]
    distinct = list(dict.fromkeys((one.text, after.text) for one, after in pairs))[-MINED:]
    found = dict(zip(distinct, classifier.probabilities(distinct), strict=True))
    following: dict[str, tuple[TurnKind, Asked]] = {}
    mined: dict[TurnKind, int] = dict.fromkeys(KINDS, 0)
    for one, after in pairs:
        odds = found.get((one.text, after.text))
        kind: TurnKind = "follow_up" if odds is None or odds.max() < SURE else KINDS[int(odds.argmax())]
        if (one.word("rephrase") or "").casefold() == after.text.casefold():
            kind = "rephrase"
        following[one.id] = (kind, after)
        mined[kind] += 1
    return following, mined


def _chains(log: Sequence[Asked], following: Mapping[str, tuple[TurnKind, Asked]]) -> Iterator[list[Asked]]:
    """Questions of the same need by the same person, in order."""
    after: dict[str, Asked] = {}
    reworded: dict[tuple[str, str], list[Asked]] = {}
    for one in log:
        if one.person is not None:
            for earlier in reworded.pop((one.person, one.text.casefold()), ()):
                if one.at - earlier.at <= REASKED_WITHIN and earlier.id not in after:
                    after[earlier.id] = one
            if said := one.word("rephrase"):
                reworded.setdefault((one.person, said.casefold()), []).append(one)
    for first, (kind, second) in following.items():
        if kind in ("rephrase", "correction"):
            after.setdefault(first, second)
    continued = {one.id for one in after.values()}
    talk = {second.id for kind, second in following.values() if kind in ("complaint", "praise", "clarification")}
    for one in log:
        if one.id in continued or one.id in talk:
            continue
        chain, seen = [one], {one.id}
        while (following_one := after.get(chain[-1].id)) is not None and following_one.id not in seen:
            chain.append(following_one)
            seen.add(following_one.id)
        yield chain


def _judged(chain: Sequence[Asked], following: Mapping[str, tuple[TurnKind, Asked]], known: Collection[str]) -> Task:
    values = [_value(one, following.get(one.id, (None, None))[0], last=one is chain[-1]) for one in chain]
    best = next((one for one, value in zip(reversed(chain), reversed(values), strict=True) if value > 0), None)
    return Task(
        [
            Outcome(one, value, _blame(one, best, known) if value < 0 else None)
            for one, value in zip(chain, values, strict=True)
        ]
    )


def _value(one: Asked, after: TurnKind | None, *, last: bool) -> float:  # noqa: PLR0911 - a table, in order of strength
    """How it ended, by the most explicit thing that was said."""
    if (verdict := one.word("answered")) is not None:
        return {"yes": 1.0, "partly": 0.3, "no": -1.0}[verdict]
    kinds = {said.kind for said in one.said}
    if "reason" in kinds:
        return -0.9
    if after in ("complaint", "correction") or "rephrase" in kinds:
        return -0.7
    if after == "praise":
        return 0.8
    useful = [said.value for said in one.said if said.kind == "evidence"]
    if "copy" in kinds or "useful" in useful:
        return 0.7
    if "edit" in kinds or "comment" in kinds:
        return -0.3
    if after == "rephrase" or "stop" in kinds:
        return -0.5
    if any(said.kind == "dwell" and isinstance(said.value, float) and said.value >= DWELT_S for said in one.said):
        return 0.3
    if "not_useful" in useful or (one.abstained and last):
        return -0.3  # of an answer that refuses and ends the conversation: it was abandoned
    return 0.0


def _blame(one: Asked, best: Asked | None, known: Collection[str]) -> Stage:
    """The stage that failed, seen from how the task ended. best: the question of the task that ended well."""
    reason = one.word("reason")
    named = {said.paper_id for said in one.said if said.kind == "reason" and said.paper_id}
    wanted = set(best.cited[:1]) if best is not None and best is not one else named
    unfound = bool(wanted) and not wanted & {paper.paper for paper in one.papers}
    if reason == "too_long":
        return "wording"
    if not named <= set(known):
        return "missing_paper"
    if unfound and one.turn > 1:
        return "rewrite"
    if one.abstained and not unfound and reason != "wrong_paper":
        return "refusal"
    if reason == "wrong_paper" or (wanted and not wanted & set(one.cited)):
        return "retrieval"
    return "selection"


def _on_papers(task: Task) -> Iterator[PaperSignal]:
    """Signals on papers, for the wording they were given at and for the wordings of the task that came before it."""
    for number, outcome in enumerate(task.outcomes):
        one = outcome.asked
        if one.person is None:
            continue
        for paper, kind in _direct(outcome).items():
            # what was wrong for one wording need not be what another wording found; what was right is right for all
            reach = task.outcomes[: number + 1] if kind not in AGAINST else [outcome]
            place = next((shown.position for shown in one.papers if shown.paper == paper), None)
            for told in reach:
                rank = next((shown.rank for shown in told.asked.papers if shown.paper == paper), None)
                yield PaperSignal(told.asked.text, paper, one.person, kind, one.at.timestamp(), rank, place)


def _direct(outcome: Outcome) -> dict[str, str]:
    """The strongest signal on each paper of one answer."""
    one = outcome.asked
    found: dict[str, str] = {}

    def add(paper: str, kind: str) -> None:
        order = (*AGAINST, *SCALE) if kind in AGAINST else SCALE
        if paper not in found or (found[paper] in order and order.index(kind) < order.index(found[paper])):
            found[paper] = kind

    cited = one.cited
    if not one.abstained and cited:
        if outcome.value > 0.5:
            add(cited[0], "accepted")
            for paper in cited[1:]:
                add(paper, "accepted_beside")
        elif outcome.value < -0.6 and outcome.blame == "retrieval":
            add(cited[0], "rejected")
        if outcome.asked.word("edit") is not None:
            add(cited[0], "accepted")  # what is put into better words rests on the right paper
    for said in one.said:
        if said.paper_id is not None and (kind := _kind(said, cited, outcome.value)) is not None:
            add(said.paper_id, kind)
    return found


def _kind(said: Feedback, cited: Collection[str], value: float) -> str | None:
    """The signal that a piece of feedback on a paper gives. value: how the question ended."""
    if said.kind == "evidence":
        return str(said.value)
    if said.kind == "reason":
        # a paper that the answer did not quote is named because it is missed
        wrong = said.value in ("wrong_paper", "not_supported") and said.paper_id in cited
        return "wrong" if wrong else "named"
    if said.kind == "copy":
        return "copied"
    if value < 0:
        return None  # looked at, and it did not help
    if said.kind == "open":
        return "opened"
    long = said.kind == "dwell" and isinstance(said.value, float) and said.value >= DWELT_S
    return "dwelt" if long else None
