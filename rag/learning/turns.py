"""What a person's next turn says about the answer before it.

About a third of conversations hold feedback in words, where a button is pressed in one of a hundred (*Learning from
Naturally Occurring Feedback*; *User Feedback in Human-LLM Dialogues: A Lens to Understand Users But Noisy as a Learning
Signal*). A multinomial logistic model over the vector of the turn and its relation to the question before it learns the
kinds from the few labelled examples beside this module (*Improving Classification Performance With Human Feedback:
Label a few, we label the rest*).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rag.ports import Embedder
from rag.text import content_stems, words

TurnKind = Literal["rephrase", "follow_up", "correction", "complaint", "clarification", "praise"]
KINDS: tuple[TurnKind, ...] = get_args(TurnKind)
PENALTY = 0.003  # on the squared weights, chosen on the examples
HELD_OUT = 3  # every third example of a kind is kept out when the classifier is tested
CHARS = 500  # of a turn that are looked at

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """Two turns in a row, labelled."""

    first: str
    next: str
    kind: TurnKind


@dataclass(frozen=True, slots=True)
class Score:
    """How well one kind is recognised in turns that the classifier has not seen."""

    kind: TurnKind
    precision: float
    recall: float
    count: int


class TurnClassifier:
    """Tells the kinds of next turns apart."""

    def __init__(self, embedder: Embedder, examples: Sequence[Example]) -> None:
        """Fits the model; some hundred examples take a few milliseconds beside their embedding."""
        self._embedder = embedder
        rows = self._features([one.first for one in examples], [one.next for one in examples])
        self._weights = _fit(rows, np.array([KINDS.index(one.kind) for one in examples]))

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        """[pairs, KINDS]: how likely the second text of each pair is a turn of each kind after the first."""
        if not pairs:
            return np.zeros((0, len(KINDS)))
        rows = self._features([first for first, _ in pairs], [after for _, after in pairs])
        return _softmax(rows @ self._weights)

    def kinds(self, pairs: Sequence[tuple[str, str]]) -> list[TurnKind]:
        """The likeliest kind of each."""
        return [KINDS[number] for number in self.probabilities(pairs).argmax(axis=1)]

    def _features(self, firsts: Sequence[str], nexts: Sequence[str]) -> Floats:
        texts = [text[:CHARS] for text in (*firsts, *nexts)]
        unique = list(dict.fromkeys(texts))
        place = {text: number for number, text in enumerate(unique)}
        vectors = self._embedder.embed(unique, "query")
        before, after = (vectors[[place[t] for t in half]] for half in (texts[: len(firsts)], texts[len(firsts) :]))
        relation = np.array([_relation(one, two) for one, two in zip(firsts, nexts, strict=True)])
        cosine = np.einsum("ij,ij->i", before, after)[:, None]
        return np.hstack([after, cosine, relation, np.ones((len(nexts), 1))])


def load_examples() -> tuple[Example, ...]:
    """The labelled turns that Readback ships."""
    lines = files("rag.learning").joinpath("examples.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Example(**json.loads(line)) for line in lines)


def held_out_scores(embedder: Embedder) -> list[Score]:
    """Precision and recall per kind on the examples that are kept out, the classifier fitted on the others."""
    numbered: dict[str, int] = {}
    fitted: list[Example] = []
    kept: list[Example] = []
    for one in load_examples():
        numbered[one.kind] = numbered.get(one.kind, 0) + 1
        (kept if numbered[one.kind] % HELD_OUT == 0 else fitted).append(one)
    said = TurnClassifier(embedder, fitted).kinds([(one.first, one.next) for one in kept])
    scores = []
    for kind in KINDS:
        right = sum(one.kind == kind == guess for one, guess in zip(kept, said, strict=True))
        there, guessed = sum(one.kind == kind for one in kept), said.count(kind)
        scores.append(Score(kind, right / guessed if guessed else 0.0, right / there, there))
    return scores


def background(embedder: Embedder) -> tuple[float, float]:
    """Mean and deviation of the cosine of different questions of one field, for this embedder.

    Estimated from questions of different fields, which lie further apart: the two factors were measured with the
    embedded model, on development questions.
    """
    texts = list(dict.fromkeys(one.first for one in load_examples()))
    vectors = embedder.embed(texts, "query")
    cosines = (vectors @ vectors.T)[np.triu_indices(len(texts), 1)]
    return float(cosines.mean() + 1.5 * cosines.std()), float(1.34 * cosines.std())


def _relation(first: str, after: str) -> tuple[float, ...]:
    """What of the next turn stands in the question before it, and how long it is."""
    before, now = set(content_stems(first[:CHARS])), set(content_stems(after[:CHARS]))
    said = words(after[:CHARS])
    common = len(before & now)
    return (
        common / max(len(now), 1),
        common / max(len(before), 1),
        min(len(now), 10) / 10,
        min(len(said), 20) / 20,
        float(bool({"not", "no", "meant", "mean", "didn't", "wrong", "actually"} & set(said))),
        float(after.rstrip().endswith("?")),
    )


def _fit(rows: Floats, labels: NDArray[np.intp]) -> Floats:
    """Multinomial logistic regression with a ridge penalty: weights [features, KINDS]."""
    from scipy.optimize import minimize

    targets = np.eye(len(KINDS))[labels]
    shape = (rows.shape[1], len(KINDS))

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        found = _softmax(rows @ weights)
        value = -float(np.sum(targets * np.log(found + 1e-12))) / len(rows) + PENALTY * float(flat @ flat) / 2
        return value, (rows.T @ (found - targets) / len(rows) + PENALTY * weights).ravel()

    return np.asarray(minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B").x).reshape(shape)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
