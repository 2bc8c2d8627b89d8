"""Fit the verifier's weights and cuts, and report them on claims that took no part.

Fitted on SciFact's training claims, on titles of its abstracts as statements about them, and on sentences of abstracts;
the last two also with rule-made errors (`eval.lab.corrupt`). Abstracts that a test claim cites are left out. Reported
on SciFact's test claims: how well support tells SUPPORT from NOT_ENOUGH_INFO and from CONTRADICT.

``python -m eval.lab.fit_verify --bench FOLDER`` writes the policy's part of it.

Source: Wadden et al. 2020, Fact or Fiction: Verifying Scientific Claims, arXiv:2004.14974.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.lab.claims import read_claims
from eval.lab.corrupt import Field, corrupted
from eval.lab.shelf import Shelf
from eval.stats import auc
from rag.embed.onnx import OnnxEmbedder
from rag.policy import Logistic, Policy, Verification
from rag.policy.policy import DEFAULT
from rag.text import sentences
from rag.types import Paper
from rag.verify import EvidenceVerifier
from rag.verify.features import FEATURES
from rag.verify.values import Source

UNRELATED = "NOT_ENOUGH_INFO"
FAITHFUL = 0.5  # exponent; on training claims .5 told SUPPORT from NOT_ENOUGH_INFO with AUC .887, 1 with .871
LABELS = ("SUPPORT", UNRELATED, "CONTRADICT")
ABSTRACTS = 150  # that give titles, and as many that give sentences
ERRORS = (2, 3)  # made of each title and of each sentence
TITLE_WORDS = (6, 30)
RIDGE = 1.0
FOR = frozenset(FEATURES[: FEATURES.index("foreign")]) | {"number_context"}  # more of it never speaks against
AGAINST = frozenset(FEATURES) - FOR - {"long"}
FOLDS = 5
HARMED = 0.01  # share of true sentences that may fall below the lower cut


@dataclass(frozen=True, slots=True)
class Example:
    """One claim, the paper that it is put to, and whether the paper says it."""

    text: str
    source: Source
    label: str  # SciFact's, "true", or the kind of error

    @property
    def supported(self) -> bool:
        """Whether the paper says it."""
        return self.label in ("SUPPORT", "true")


def scifact(folder: Path, split: str, shelf: Shelf) -> Iterator[Example]:
    """The experts' claims."""
    for claim in read_claims(folder, split)[1]:
        yield Example(claim.text, shelf.source(claim.paper_id), claim.label)


def made(shelf: Shelf, papers: Sequence[Paper], rng: Random) -> Iterator[Example]:
    """True sentences and errors made of them."""
    field = Field.of([span.of(paper.abstract) for paper in papers[:1500] for span in sentences(paper.abstract)])
    for paper in papers[:ABSTRACTS]:
        title = paper.title.rstrip(".")
        if TITLE_WORDS[0] <= len(title.split()) <= TITLE_WORDS[1] and "?" not in title:
            source = shelf.source(paper.id)
            untitled = Source(replace(source.paper, title=""), source.spans, source.vectors)
            yield from _with_errors(f"{title}.", untitled, field, rng, ERRORS[0])
    for paper in papers[ABSTRACTS : 2 * ABSTRACTS]:
        source = shelf.source(paper.id)
        if len(source.spans) > 3:
            sentence = rng.choice(source.spans).of(paper.abstract)
            yield from _with_errors(sentence, source, field, rng, ERRORS[1])


def _with_errors(text: str, source: Source, field: Field, rng: Random, errors: int) -> Iterator[Example]:
    yield Example(text, source, "true")
    for kind, changed in corrupted(text, field, rng, errors):
        yield Example(changed, source, kind)


def rows_of(examples: Sequence[Example], verifier: EvidenceVerifier) -> NDArray[np.float64]:
    """[examples, FEATURES]."""
    weighed = [verifier.weigh(one.text, [one.source]) for one in examples]
    return np.array([one.row if one else [0.0] * len(FEATURES) for one in weighed])


def fit(rows: NDArray[np.float64], examples: Sequence[Example]) -> Verification:
    """The two models, and the lower cut, which harms few true sentences of the same ones.

    What the quotes are about is learned from the experts' claims; whether they are faithful from all that are about
    them.
    """
    expert = np.array([one.label in LABELS for one in examples])
    about = np.array([one.label != UNRELATED for one in examples])
    supported = np.array([one.supported for one in examples])
    models = (
        _logistic(rows[expert], about[expert]),
        _logistic(rows[about], supported[about]),
    )
    support = models[0].probabilities(rows) * models[1].probabilities(rows) ** FAITHFUL
    lower = float(np.quantile(support[supported], HARMED))
    found = {"about": models[0], "faithful": models[1], "faithful_weight": FAITHFUL, "contradicted": round(lower, 4)}
    return Policy.default().verification.model_copy(update=found)


def _logistic(rows: NDArray[np.float64], positive: NDArray[np.bool_]) -> Logistic:
    """Logistic regression in which no sign can turn.

    What speaks for a sentence may not count against it because two features that go together share their work.
    """
    signs = np.where(positive, 1.0, -1.0)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = signs * (rows @ values[:-1] + values[-1])
        slope = -signs / (1.0 + np.exp(np.clip(logits, -60, 60)))
        penalty = RIDGE * np.append(values[:-1], 0.0)
        total = float(np.logaddexp(0.0, -logits).sum() + penalty @ values / 2)
        return total, np.append(slope @ rows, slope.sum()) + penalty

    bounds = [(0, None) if name in FOR else (None, 0) if name in AGAINST else (None, None) for name in FEATURES]
    found = minimize(loss, np.zeros(len(FEATURES) + 1), jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B").x
    weights = tuple(round(float(value), 4) for value in found[:-1])
    return Logistic(features=FEATURES, weights=weights, intercept=round(float(found[-1]), 4))


def report(examples: Sequence[Example], support: Iterable[float]) -> str:
    """AUC of SUPPORT against each other label."""
    by = {label: [s for one, s in zip(examples, support, strict=True) if one.label == label] for label in LABELS}
    return "\n".join(f"SUPPORT against {label}: AUC {auc(by['SUPPORT'], by[label]):.3f}" for label in LABELS[1:])


def training(folder: Path) -> tuple[list[Example], EvidenceVerifier, Shelf]:
    """All examples to learn from, and a verifier that is not fitted, for its features alone."""
    papers, tested = read_claims(folder, "test")
    shelf = Shelf(papers, OnnxEmbedder())
    held_out = {claim.paper_id for claim in tested}
    others = [paper for paper in papers if paper.id not in held_out]
    rng = Random(1)
    rng.shuffle(others)
    blank = Logistic(features=FEATURES, weights=(0.0,) * len(FEATURES), intercept=0.0)
    unfitted = Policy.default().verification.model_copy(update={"about": blank, "faithful": blank})
    examples = [*scifact(folder, "train", shelf), *made(shelf, others, rng)]
    return examples, EvidenceVerifier(shelf.embed, shelf.idf, unfitted), shelf


def crossed(rows: NDArray[np.float64], examples: Sequence[Example]) -> NDArray[np.float64]:
    """Support of each example by models that have not seen its paper."""
    folds = np.array([int(sha256(one.source.paper.id.encode()).hexdigest(), 16) % FOLDS for one in examples])
    found = np.zeros(len(examples))
    for fold in range(FOLDS):
        others = [one for one, held_out in zip(examples, folds == fold, strict=True) if not held_out]
        fitted = fit(rows[folds != fold], others)
        found[folds == fold] = [fitted.support(row) for row in rows[folds == fold]]
    return found


def main() -> None:
    """Fit, write, report."""
    parser = argparse.ArgumentParser(description="Fit the verifier.")
    parser.add_argument("--bench", type=Path, required=True, help="folder with scifact")
    parser.add_argument(
        "--test", action="store_true", help="report on the test claims, too: look as rarely as possible"
    )
    options = parser.parse_args()
    folder = options.bench / "scifact"
    examples, verifier, shelf = training(folder)
    rows = rows_of(examples, verifier)
    print("training claims, each by models that have not seen its paper")
    print(report(examples, crossed(rows, examples)))
    fitted = fit(rows, examples)
    policy = Policy.default().with_parts(verification=fitted)
    DEFAULT.write_text(policy.text(), encoding="utf-8")
    if options.test:
        test = list(scifact(folder, "test", shelf))
        print("test claims")
        print(report(test, [fitted.support(row) for row in rows_of(test, verifier)]))


if __name__ == "__main__":
    main()
