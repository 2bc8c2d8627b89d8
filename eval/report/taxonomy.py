"""Where a system is strong and where it is weak: a tree of question kinds and topics, each node against the rest.

A single figure ranks; a tree tells what to work on. Source: From Rankings to Insights: Evaluation Should Shift Focus
from Leaderboard to Feedback, which breaks results down along a tree of query types. Here a node is called strong or
weak only if chance does not explain it, after correction for how many nodes were looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.gold import GoldQuestion
from eval.summary import Figure, mean_figure

Verdict = Literal["strong", "weak", "like the rest", "too few"]

FEWEST = 5  # questions in a node, and outside of it, from which it is tested
LEVEL = 0.05  # expected share of false findings among the nodes called strong or weak
RESAMPLES = 5000
AT_ONCE = 1_000_000  # numbers shuffled at once, to bound the memory
FAMILIES: Mapping[str, tuple[str, str]] = {  # kind -> (its family, its name)
    "single": ("One paper answers", "In other words than the paper's"),
    "fact": ("One paper answers", "A number or a name"),
    "everyday": ("One paper answers", "In everyday words"),
    "multi": ("Several papers answer", "Compare or list"),
    "list": ("Several papers answer", "A list, in everyday words"),
    "comparison": ("Several papers answer", "A comparison, in everyday words"),
    "unanswerable": ("Silence is right", "In the field, but not in the collection"),
    "out_of_scope": ("Silence is right", "Out of scope, or an injection"),
    "false_premise": ("False premise", "Correct it or decline"),
    "conversation": ("Conversation", "A follow-up"),
}


@dataclass(slots=True)
class Node:
    """A set of questions and the sets that it divides into."""

    name: str
    scores: list[float] = field(default_factory=list)
    children: dict[str, Node] = field(default_factory=dict)
    figure: Figure | None = None
    gap: float = 0.0  # mean inside - mean outside
    p_value: float | None = None  # None: not tested
    verdict: Verdict = "too few"

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """The node and all below it, each level's weakest first."""
        yield depth, self
        for child in sorted(self.children.values(), key=lambda one: (np.mean(one.scores), one.name)):
            yield from child.walk(depth + 1)


def grow(
    name: str,
    questions: Sequence[GoldQuestion],
    scores: Mapping[str, float],
    path: Callable[[GoldQuestion], Sequence[str]],
) -> Node:
    """The tree of the questions that have a score. path: names of the nodes that a question is in, from the top."""
    root = Node(name)
    for question in questions:
        if question.id not in scores:
            continue
        node = root
        node.scores.append(scores[question.id])
        for step in path(question):
            node = node.children.setdefault(step, Node(step))
            node.scores.append(scores[question.id])
    _judge(root)
    return root


def by_kind(topics: Mapping[str, str]) -> Callable[[GoldQuestion], Sequence[str]]:
    """Family, kind, topic. topics: names of the topics by id."""
    return lambda question: (*FAMILIES[question.kind], _topic(question, topics))


def by_topic(topics: Mapping[str, str]) -> Callable[[GoldQuestion], Sequence[str]]:
    """Topic, kind."""
    return lambda question: (_topic(question, topics), FAMILIES[question.kind][1])


def _topic(question: GoldQuestion, topics: Mapping[str, str]) -> str:
    return topics.get(question.topic, question.topic) if question.topic else "No topic"


def findings(roots: Sequence[Node], verdict: Verdict) -> list[Node]:
    """The nodes of one verdict, the widest gap first; of nodes with the same questions, the first alone."""
    found: dict[tuple[int, float], Node] = {}
    for root in roots:
        for _, node in root.walk():
            if node.verdict == verdict:
                found.setdefault((len(node.scores), sum(node.scores)), node)
    return sorted(found.values(), key=lambda node: -abs(node.gap))


def _judge(root: Node) -> None:
    """Each node against all other questions of the tree; false discoveries are held down over the whole tree."""
    nodes = [node for _, node in root.walk()]
    everything = np.array(root.scores)
    for node in nodes:
        node.figure = mean_figure("right", node.scores)
        inside, outside = len(node.scores), len(everything) - len(node.scores)
        if outside:
            rest = (everything.sum() - sum(node.scores)) / outside
            node.gap = float(np.mean(node.scores) - rest)
        if min(inside, outside) >= FEWEST:
            node.p_value = shuffle_p(everything, inside, float(np.mean(node.scores)))
            node.verdict = "like the rest"
    tested = [node for node in nodes if node.p_value is not None]
    for node in discoveries(tested):
        node.verdict = "strong" if node.gap > 0 else "weak"


def discoveries(tested: Sequence[Node]) -> list[Node]:
    """The nodes that differ, with false ones held at LEVEL: Benjamini and Hochberg 1995."""
    ranked = sorted(tested, key=lambda node: node.p_value or 0.0)
    last = max(
        (rank for rank, node in enumerate(ranked, 1) if (node.p_value or 0.0) <= LEVEL * rank / len(ranked)), default=0
    )
    return ranked[:last]


def shuffle_p(everything: NDArray[np.float64], inside: int, mean: float) -> float:
    """How often would so many questions drawn at random have a mean as far from that of all? In (0, 1]."""
    rng = np.random.default_rng(0)
    ordered = np.sort(everything)
    far = abs(mean - ordered.mean()) * (1 - 1e-9)
    step = max(1, AT_ONCE // len(ordered))
    as_far = 0
    for start in range(0, RESAMPLES, step):
        rows = np.tile(ordered, (min(step, RESAMPLES - start), 1))
        means = rng.permuted(rows, axis=1)[:, :inside].mean(axis=1)
        as_far += int((np.abs(means - ordered.mean()) >= far).sum())
    return (as_far + 1) / (RESAMPLES + 1)
