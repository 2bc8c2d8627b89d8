"""Simulated users of the public Python face: what they ask, look at, say and do.

In the manner of *Exploiting Simulated User Feedback for Conversational Search* (ConvSim) and of the shadow user of
*NExT-Search*: each user has a need, a gold question, and asks one of its phrasings; looks at the evidence from the top;
is satisfied when the answer holds the facts and quotes a right paper; else rewords, says in words what is wrong, votes
or leaves. They err, vote rarely, and some of them are adversaries. The needs and phrasings come from development
questions alone. Some phrasings are never asked while learning: what was learned is measured on those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np

from eval.gold import GoldQuestion, load_gold
from eval.metrics.facts import holds_fact
from rag.types import Answer

PHRASINGS = Path(__file__).parent / "phrasings.jsonl"
ERROR = 0.15  # how often a user takes a good answer for a bad one, or the other way round
VOTES = 0.15  # how often a user presses Yes or No
OPENS, OPENS_WRONG = 0.6, 0.15  # how often a right and a wrong paper are opened once they are looked at
REWORDS = 0.6  # how often a dissatisfied user tries again
TRIES = 3
FEWEST_PHRASINGS = 4
PART_OF_A_LIST = 0.5  # share of the facts that satisfies who asked for several papers
COMPLAINTS = ("that does not answer my question", "not helpful at all", "this is wrong", "you missed the point")
CORRECTIONS = ("no, I meant: {}", "sorry, I was asking this: {}")


@dataclass(frozen=True, slots=True)
class UserNeed:
    """A gold question with the phrasings that learning sees and those it does not."""

    question: GoldQuestion
    seen: tuple[str, ...]
    unseen: tuple[str, ...]

    def satisfied_by(self, answer: Answer) -> bool:
        """Whether the answer is not a refusal, quotes a right paper, and holds the facts."""
        if answer.abstained or not {one.paper_id for one in answer.citations} & set(self.question.gold):
            return False
        held = [holds_fact(answer.text, forms) for forms in self.question.facts]
        return sum(held) >= (PART_OF_A_LIST * len(held) if len(self.question.gold) > 2 else len(held))


class Face(Protocol):
    """How a user reaches the system."""

    def ask(self, text: str, *, user: str, conversation: str, turn: int, at: datetime) -> Answer:
        """Ask, and be recorded."""
        ...

    def tell(
        self, answer: Answer, *, user: str, kind: str, value: str | float | None = None, paper: str | None = None
    ) -> None:
        """Give feedback."""
        ...


@dataclass(slots=True)
class Crowd:
    """Users who come one after the other."""

    needs: Sequence[UserNeed]
    face: Face
    rng: np.random.Generator
    start: datetime
    people: int = 60
    adversaries: float = 0.0  # share of the people
    target: str = ""  # the paper that adversaries promote
    sessions: int = 0
    satisfied: list[bool] = field(default_factory=list)  # first answers of honest users, in order

    def visit(self, count: int) -> None:
        """So many sessions."""
        for _ in range(count):
            person = int(self.rng.integers(self.people))
            need = self.needs[int(self.rng.integers(len(self.needs)))]
            self.sessions += 1
            if person < round(self.adversaries * self.people):
                self._attack(f"user-{person}", need)
            else:
                self._session(f"user-{person}", need)

    def _session(self, user: str, need: UserNeed) -> None:
        wordings = [need.seen[i] for i in self.rng.permutation(len(need.seen))]
        for turn, wording in enumerate(wordings[:TRIES], start=1):
            said = wording
            if turn > 1 and self._chance(0.2):
                said = self._one_of(CORRECTIONS).format(wording)
            answer = self._ask(said, user, turn)
            good = need.satisfied_by(answer)
            if turn == 1:
                self.satisfied.append(good)
            self._look(answer, user, need)
            if good != self._chance(ERROR):
                self._content(answer, user)
                return
            again = turn < min(TRIES, len(wordings)) and self._chance(REWORDS)
            self._discontent(answer, user, need, wordings[turn] if again else None)
            if not again:
                if self._chance(0.1):
                    self._ask(self._one_of(COMPLAINTS), user, turn + 1)
                return

    def _look(self, answer: Answer, user: str, need: UserNeed) -> None:
        cards = list(dict.fromkeys(one.paper_id for one in (answer.citations or answer.closest)))
        for place, paper in enumerate(cards, start=1):
            if not self._chance(1.0 / place):
                continue
            right = (paper in need.question.gold) != self._chance(ERROR)
            if self._chance(OPENS if right else OPENS_WRONG):
                self.face.tell(answer, user=user, kind="open", paper=paper)
                if right and self._chance(0.5):
                    seconds = float(self.rng.integers(12, 90))
                    self.face.tell(answer, user=user, kind="dwell", value=seconds, paper=paper)
                if self._chance(VOTES):
                    value = "useful" if right else "not_useful"
                    self.face.tell(answer, user=user, kind="evidence", value=value, paper=paper)

    def _content(self, answer: Answer, user: str) -> None:
        if self._chance(VOTES):
            self.face.tell(answer, user=user, kind="answered", value="yes")
        if not answer.abstained and self._chance(0.2):
            self.face.tell(answer, user=user, kind="copy")

    def _discontent(self, answer: Answer, user: str, need: UserNeed, wording: str | None) -> None:
        if self._chance(VOTES):
            self.face.tell(answer, user=user, kind="answered", value="no")
            if answer.abstained and self._chance(0.5):
                self.face.tell(answer, user=user, kind="reason", value="wrong_refusal")
            elif self._chance(0.3):
                best = max(need.question.gold, key=lambda paper: need.question.gold[paper])
                if best not in {one.paper_id for one in answer.citations}:
                    self.face.tell(answer, user=user, kind="reason", value="wrong_paper", paper=best)
        if wording is not None and self._chance(0.5):
            self.face.tell(answer, user=user, kind="rephrase", value=wording)

    def _attack(self, user: str, need: UserNeed) -> None:
        """Promote one paper for every question, poison the rewrites, and say everything five times."""
        answer = self._ask(self._one_of(need.seen), user, 1)
        bait = f"everything about {self.target}"
        shown = {one.paper_id for one in (*answer.citations, *answer.closest)} | {
            one.paper_id for one in answer.retrieved
        }
        for _ in range(5):
            self.face.tell(answer, user=user, kind="answered", value="no")
            self.face.tell(answer, user=user, kind="reason", value="wrong_paper", paper=self.target)
            if self.target in shown:
                self.face.tell(answer, user=user, kind="evidence", value="useful", paper=self.target)
            self.face.tell(answer, user=user, kind="rephrase", value=bait)
        second = self._ask(bait, user, 2)
        self.face.tell(second, user=user, kind="answered", value="yes")

    def _ask(self, text: str, user: str, turn: int) -> Answer:
        at = self.start + timedelta(minutes=10 * self.sessions + turn)
        return self.face.ask(text, user=user, conversation=f"session-{self.sessions}", turn=turn, at=at)

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _one_of(self, texts: Sequence[str]) -> str:
        return texts[int(self.rng.integers(len(texts)))]


def split_needs(seed: int) -> tuple[list[UserNeed], list[GoldQuestion]]:
    """Needs that people have while learning, and the questions of all other development needs, which nobody asks.

    Half of the needs with enough phrasings are taken, and half of their phrasings shown.
    """
    rng = np.random.default_rng(seed)
    more = _more_phrasings()
    questions = [one for one in load_gold("dev") if len(one.turns) == 1]
    able = [one for one in questions if one.answerable and len(_phrasings(one, more)) >= FEWEST_PHRASINGS]
    taken = {able[i].id for i in rng.permutation(len(able))[: len(able) // 2]}
    needs = []
    for one in able:
        if one.id in taken:
            texts = _phrasings(one, more)
            shuffled = [texts[i] for i in rng.permutation(len(texts))]
            half = (len(texts) + 1) // 2
            needs.append(UserNeed(one, tuple(shuffled[:half]), tuple(shuffled[half:])))
    return needs, [one for one in questions if one.id not in taken]


def _phrasings(question: GoldQuestion, more: Mapping[str, Sequence[str]]) -> list[str]:
    own = [question.question, *(one.question for one in question.phrasings)]
    return list(dict.fromkeys((*own, *more.get(question.id, ()))))


def _more_phrasings() -> dict[str, list[str]]:
    lines = PHRASINGS.read_text(encoding="utf-8").splitlines()
    return {record["question"]: record["phrasings"] for record in map(json.loads, lines)}
