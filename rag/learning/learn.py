"""The way from the record of events to what a policy remembers, in one function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.learning.history import Asked
from rag.learning.needs import Needs, by_paper, group, merge
from rag.learning.propensity import Propensities, estimate_propensities
from rag.learning.remember import SentencesOf, remember
from rag.learning.rewrites import Rewrite, learn_rewrites
from rag.learning.signals import Signals, Task, gather
from rag.learning.truth import Truth, believe
from rag.learning.turns import TurnClassifier, background, load_examples
from rag.policy.memory import Memory, decode
from rag.ports import Embedder, Kind

SURE = 0.9  # probability that a paper answers from which needs are compared because of it
WORDINGS = 15_000  # distinct questions that are embedded at most, those asked most first


@dataclass(frozen=True, slots=True)
class Learned:
    """A memory, and what it was made from."""

    memory: Memory
    signals: Signals
    needs: Needs
    truth: Truth
    rewrites: Sequence[Rewrite]
    propensities: Propensities


class Learner:
    """Makes memories from histories. Holds what does not depend on them: the embedder and the collection."""

    def __init__(self, embedder: Embedder, known: Collection[str], sentences_of: SentencesOf) -> None:
        """known: ids of the papers in the collection. sentences_of: paper id → the sentences of its abstract."""
        self._embedder, self._known, self._sentences_of = _Remembering(embedder), known, sentences_of
        self._classifier = TurnClassifier(self._embedder, load_examples())
        self._background = background(self._embedder)

    def learn(self, log: Sequence[Asked], now: float, before: Memory | None = None, *, aware: bool = True) -> Learned:
        """Learn everything anew from a history, oldest question first.

        now: seconds since the epoch; older signals count less. before: a memory whose vectors may be used again.
        aware: see ``learn_rewrites``.
        """
        signals = gather(log, self._classifier, self._known)
        counted = _wordings(signals.tasks)
        vectors = self._vectors(list(counted), before)
        wordings = group(counted, vectors)
        propensities = estimate_propensities(log)
        first = believe(signals.papers, wordings.of, now, propensities)
        credit = first.credit
        rewrites = learn_rewrites(signals.tasks, wordings, credit, aware=aware)
        vector_of = dict(zip(counted, vectors, strict=True))
        links = _links(signals.tasks, wordings, credit)
        for pair, how in by_paper(wordings, _liked(first), vector_of).items():
            links[pair] = links.get(pair, 0.0) + how
        needs = merge(wordings, links)
        truth = believe(signals.papers, needs.of, now, propensities)
        memory = remember(
            needs,
            vector_of,
            truth,
            signals.tasks,
            [replace(one, need=needs.of[wordings.members[one.need][0]]) for one in rewrites],
            match=(before or Memory()).match,
            background=self._background,
            sentences_of=self._sentences_of,
        )
        return Learned(memory, signals, needs, truth, rewrites, propensities)

    def _vectors(self, texts: Sequence[str], before: Memory | None) -> NDArray[np.float32]:
        known: dict[str, NDArray[np.float32]] = {}
        for need in before.items if before else ():
            known.update(zip(need.texts, decode(need.vectors, len(need.texts)), strict=True))
        fresh = [text for text in texts if text not in known]
        if fresh:
            known.update(zip(fresh, self._embedder.embed(fresh, "query"), strict=True))
        if not texts:
            return np.zeros((0, self._embedder.dimension), dtype=np.float32)
        return np.stack([known[text] for text in texts])


def _liked(truth: Truth) -> dict[int, str]:
    """The paper that answers each need, where that is all but certain."""
    sure = sorted((one.probability, one.need, one.paper) for one in truth.beliefs if one.probability >= SURE)
    return {need: paper for _, need, paper in sure}  # the surest comes last


def _links(tasks: Sequence[Task], needs: Needs, credit: Mapping[str, float]) -> dict[tuple[int, int], float]:
    """Pairs of needs that people went between in one task → these people, each once, by their credit."""
    people: dict[tuple[int, int], set[str]] = {}
    for task in tasks:
        for one, other in pairwise(task.outcomes):
            ends = sorted(needs.of.get(outcome.asked.text, -1) for outcome in (one, other))
            if one.asked.person is not None and -1 < ends[0] < ends[1]:
                people.setdefault((ends[0], ends[1]), set()).add(one.asked.person)
    return {pair: sum(credit.get(person, 1.0) for person in who) for pair, who in people.items()}


class _Remembering:
    """An embedder that embeds no question twice in its life."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}
        self.name, self.dimension = embedder.name, embedder.dimension

    def embed(self, texts: Sequence[str], kind: Kind) -> NDArray[np.float32]:
        """Rows of unit length. Only questions are remembered."""
        if kind != "query":
            return self._embedder.embed(texts, kind)
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known.update(zip(fresh, self._embedder.embed(fresh, kind), strict=True))
        return np.stack([self._known[text] for text in texts])


def _wordings(tasks: Sequence[Task]) -> Mapping[str, int]:
    """The questions that something can be learned about, with how often each was asked."""
    counted = Counter(
        outcome.asked.text
        for task in tasks
        if len(task.outcomes) > 1 or any(one.value or one.asked.said for one in task.outcomes)
        for outcome in task.outcomes
    )
    return dict(counted.most_common(WORDINGS))
