"""Where a system is strong and where it is weak: a tree of question kinds and topics, each node against the rest.

A single figure ranks; a tree tells what to work on. Source: From Rankings to Insights: Evaluation Should Shift Focus
from Leaderboard to Feedback, which breaks results down along a tree of query types. Here a node is called strong or
weak only if chance does not explain it, after correction for how many nodes were tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

import numpy as np
from scipy import stats

from eval.gold import GoldQuestion
from eval.summary import Figure, mean_figure

Verdict = Literal["strong", "weak", "like the rest", "too few"]
Path = Callable[[GoldQuestion], Sequence[str]]  # the names of the nodes that a question is in, from the top

FEWEST = 5  # questions in a node, and outside of it, from which it is tested
LEVEL = 0.05  # expected share of false findings among the nodes called strong or weak
FAMILIES: Mapping[str, tuple[str, str]] = {  # kind -> (its family, its name)
    "single": ("One paper answers", "In other words than the paper's"),
    "fact": ("One paper answers", "A number or a name"),
    "everyday": ("One paper answers", "As typed into a chat box"),
    "multi": ("Several papers answer", "Compare or list"),
    "list": ("Several papers answer", "A list"),
    "comparison": ("Several papers answer", "A comparison"),
    "unanswerable": ("Silence is right", "In the field, but not in the collection"),
    "out_of_scope": ("Silence is right", "Out of scope, or an injection"),
    "false_premise": ("False premise", "Correct it or decline"),
    "conversation": ("Conversation", "A follow-up"),
}


@dataclass(slots=True)
class Node:
    """A set of questions and the sets that it divides into."""

    name: str
    scores: dict[str, float] = field(default_factory=dict)  # by question id
    children: dict[str, Node] = field(default_factory=dict)
    figure: Figure | None = None
    gap: float = 0.0  # mean inside - mean outside
    p_value: float | None = None  # None: not tested
    verdict: Verdict = "too few"

    @property
    def mean(self) -> float:
        """Mean score of the node's questions."""
        return fmean(self.scores.values())

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """The node and all below it, each level's weakest first."""
        yield depth, self
        for child in sorted(self.children.values(), key=lambda one: (one.mean, one.name)):
            yield from child.walk(depth + 1)


def grow(name: str, questions: Sequence[GoldQuestion], scores: Mapping[str, float], path: Path) -> Node:
    """The tree of the questions that have a score, with a verdict on each node."""
    root = Node(name)
    for question in questions:
        if question.id in scores:
            node = root
            node.scores[question.id] = scores[question.id]
            for step in path(question):
                node = node.children.setdefault(step, Node(step))
                node.scores[question.id] = scores[question.id]
    _judge(root)
    return root


def by_kind(topics: Mapping[str, str]) -> Path:
    """Family, kind, topic. topics: names of the topics by id."""
    return lambda question: (*FAMILIES[question.kind], _topic(question, topics))


def by_topic(topics: Mapping[str, str]) -> Path:
    """Topic, kind."""
    return lambda question: (_topic(question, topics), FAMILIES[question.kind][1])


def findings(roots: Sequence[Node], verdict: Verdict) -> list[Node]:
    """The nodes of one verdict, the widest gap first; of nodes with the same questions, the first alone."""
    found: dict[frozenset[str], Node] = {}
    for root in roots:
        for _, node in root.walk():
            if node.verdict == verdict:
                found.setdefault(frozenset(node.scores), node)
    return sorted(found.values(), key=lambda node: -abs(node.gap))


def _topic(question: GoldQuestion, topics: Mapping[str, str]) -> str:
    return topics.get(question.topic, question.topic) if question.topic else "No topic"


def _judge(root: Node) -> None:
    """Each node against all other questions; the false discovery rate is controlled over the whole tree."""
    tested: dict[int, tuple[Node, float]] = {}
    for place, (_, node) in enumerate(root.walk()):
        inside = list(node.scores.values())
        node.figure = mean_figure("right", inside)
        outside = [score for name, score in root.scores.items() if name not in node.scores]
        node.gap = node.mean - fmean(outside) if outside else 0.0
        if min(len(inside), len(outside)) >= FEWEST:
            node.p_value, node.verdict = _difference_p(inside, outside), "like the rest"
            tested[place] = node, node.p_value
    if tested:
        adjusted = stats.false_discovery_control([p_value for _, p_value in tested.values()])
        for (node, _), p_value in zip(tested.values(), adjusted, strict=True):
            if p_value <= LEVEL:
                node.verdict = "strong" if node.gap > 0 else "weak"


def _difference_p(inside: Sequence[float], outside: Sequence[float]) -> float:
    """How often would as many questions drawn at random have a mean as far from that of the others?"""
    found = stats.permutation_test(
        (np.sort(inside), np.sort(outside)),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        n_resamples=5000,
        batch=max(1, 1_000_000 // (len(inside) + len(outside))),
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)
