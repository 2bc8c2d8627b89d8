"""Expert claims as a third-party test of quoting and of verification: SciFact's claims with rationale sentences.

A folder holds the corpus as in BEIR's format, and ``qa.jsonl``: one claim a line with ``_id``, ``split``, ``claim``,
``label`` (SUPPORT, CONTRADICT or NOT_ENOUGH_INFO), ``cited_doc_ids`` and ``rationales`` ([{"doc_id", "sentences"}]).
The label is read for scoring alone and never reaches the system. Each claim is put to the paper that it is about:

- quoting: which sentences does Readback rank first, against those that the experts gave as rationale;
- verification: how strongly does it say that the paper supports the claim, where experts say that it does, that it
  contradicts, or that it does not say. A verifier that compares words should tell SUPPORT from NOT_ENOUGH_INFO, and
  cannot be expected to tell it from CONTRADICT.

Source: Wadden et al. 2020, Fact or Fiction: Verifying Scientific Claims, arXiv:2004.14974.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np

from eval.lab.beir import objects_of, read_papers
from eval.measures import Values
from eval.stats import auc, auc_interval, bootstrap_interval
from eval.table import aligned
from rag.collection import Collection
from rag.engine import Assistant
from rag.errors import CorpusError
from rag.policy import Policy
from rag.settings import Settings
from rag.types import Options, Paper
from rag.values.evidence import PaperEvidence
from rag.verify import EvidenceVerifier, Source

Label = Literal["SUPPORT", "CONTRADICT", "NOT_ENOUGH_INFO"]
LABELS: tuple[Label, ...] = get_args(Label)
PAIRS: tuple[tuple[Label, Label], ...] = (
    ("SUPPORT", "NOT_ENOUGH_INFO"),
    ("CONTRADICT", "NOT_ENOUGH_INFO"),
    ("SUPPORT", "CONTRADICT"),
)
QUOTED = (1, 2, 3)  # sentences taken from the paper


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim and the paper that it is put to."""

    id: str
    text: str
    label: Label
    paper_id: str
    rationales: tuple[tuple[str, ...], ...]  # each enough by itself; none where there is not enough information


@dataclass(frozen=True, slots=True)
class ClaimScores:
    """What came out, by claim id."""

    claims: tuple[Claim, ...]
    ranked: Mapping[str, tuple[bool, ...]]  # the paper's sentences, best first: is it part of a rationale?
    whole: Mapping[str, tuple[bool, ...]]  # for each of QUOTED: is a whole rationale among so many?
    support: Values  # the verifier's score, in [0, 1]
    supported: Mapping[str, bool]  # its verdict
    confidence: Values  # of the assistant, that the paper holds an answer, in [0, 1]


def read_claims(folder: Path, split: str) -> tuple[tuple[Paper, ...], tuple[Claim, ...]]:
    """The papers and the claims of one split; a claim that cites several papers is put to each. Raises CorpusError."""
    papers = read_papers(folder)
    known = {paper.id for paper in papers}
    file = folder / "qa.jsonl"
    claims: list[Claim] = []
    for line, record in objects_of(file):
        if record.get("split") != split:
            continue
        try:
            label, given = record["label"], record["rationales"]
            if label not in LABELS:
                raise ValueError(f"unknown label {label!r}")
            cited = record["evidence_doc_ids"] or record["cited_doc_ids"]
            for paper in map(str, cited):
                rationales = tuple(tuple(one["sentences"]) for one in given if str(one["doc_id"]) == paper)
                if paper in known:
                    name = f"{record['_id']}@{paper}"
                    claims.append(Claim(name, str(record["claim"]), cast("Label", label), paper, rationales))
        except (KeyError, TypeError, ValueError) as error:
            raise CorpusError(str(file), line, f"not a claim: {error}") from error
    if not claims:
        raise CorpusError(str(file), None, f"no claim of the split {split!r}")
    return papers, tuple(claims)


def measure_claims(
    settings: Settings, claims: Sequence[Claim], progress: Callable[[int], None] = lambda _: None
) -> ClaimScores:
    """Put each claim to its paper. settings: of an index that holds the papers."""
    assistant = Assistant(settings, Collection.open(settings))
    view = assistant.collection.view()
    verifier = EvidenceVerifier(view.embed_document, view.idf, Policy.default().verification)
    ranked: dict[str, tuple[bool, ...]] = {}
    whole: dict[str, tuple[bool, ...]] = {}
    support: Values = {}
    supported: dict[str, bool] = {}
    confidence: Values = {}
    try:
        for claim in claims:
            options = Options(mode="extractive", include=frozenset([claim.paper_id]))
            evidence = assistant.search(claim.text, 1, options)
            if evidence:
                if claim.rationales:
                    ranked[claim.id], whole[claim.id] = selection(evidence[0], claim.rationales)
                sources = [Source(one.paper, tuple(s.span for s in one.sentences), one.vectors) for one in evidence]
                (verdict,) = verifier.verify([claim.text], sources)
                support[claim.id], supported[claim.id] = verdict.support, verdict.state == "verified"
                confidence[claim.id] = assistant.ask(claim.text, (), options).confidence
            progress(1)
    finally:
        assistant.close()
    return ClaimScores(tuple(claims), ranked, whole, support, supported, confidence)


def selection(paper: PaperEvidence, rationales: Sequence[Sequence[str]]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Whether each sentence, best first, is part of a rationale; and for each of QUOTED whether one is there in whole.

    Sentences are matched by where they stand, since two ways of cutting need not agree: one of ours is part of a
    rationale if it shares more than half of the shorter of the two.
    """
    ordered = sorted(paper.sentences, key=lambda one: (-one.score, one.index))
    abstract = paper.paper.abstract
    spans = [[_place(abstract, sentence) for sentence in rationale] for rationale in rationales]
    shares = [
        [[_same((one.span.start, one.span.end), span) for span in rationale] for rationale in spans] for one in ordered
    ]
    hits = tuple(any(any(rationale) for rationale in row) for row in shares)
    complete = []
    for count in QUOTED:
        top = shares[:count]
        complete.append(
            any(
                all(any(row[number][place] for row in top) for place in range(len(rationale)))
                for number, rationale in enumerate(spans)
            )
        )
    return hits, tuple(complete)


def precision_recall(scores: ClaimScores, count: int) -> tuple[float, float, float]:
    """Micro-averaged precision, recall and F1 of the first `count` sentences against all rationale sentences."""
    right = sum(sum(hits[:count]) for hits in scores.ranked.values())
    taken = sum(min(count, len(hits)) for hits in scores.ranked.values())
    wanted = sum(sum(hits) for hits in scores.ranked.values())
    precision, recall = right / taken if taken else 0.0, right / wanted if wanted else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def claims_table(scores: ClaimScores) -> str:
    """Quoting and verification, as text."""
    lines = [f"Quoting from the paper: {len(scores.ranked)} claims with rationales", ""]
    rows: list[Sequence[str]] = [["sentences", "precision", "recall", "F1", "a whole rationale among them"]]
    for place, count in enumerate(QUOTED):
        found = [float(flags[place]) for flags in scores.whole.values()]
        rows.append([str(count), *(f"{value:.3f}" for value in precision_recall(scores, count)), _mean(found)])
    by_label = {
        label: [one.id for one in scores.claims if one.label == label and one.id in scores.support] for label in LABELS
    }
    lines += [aligned(rows), "", "Verification: is the claim supported by the paper that it is put to?", ""]
    rows = [["label", "claims", "called supported", "mean support", "mean confidence"]]
    for label, ids in by_label.items():
        if ids:
            cells = [_mean([float(scores.supported[one]) for one in ids])]
            cells += [f"{np.mean([values[one] for one in ids]):.3f}" for values in (scores.support, scores.confidence)]
            rows.append([label, str(len(ids)), *cells])
    lines += [aligned(rows), ""]
    rows = [["AUC", "support", "confidence"]]
    for first, second in PAIRS:
        if by_label[first] and by_label[second]:
            rows.append([f"{first} against {second}", *_aucs(scores, by_label[first], by_label[second])])
    return "\n".join([*lines, aligned(rows)])


def _aucs(scores: ClaimScores, first: Sequence[str], second: Sequence[str]) -> list[str]:
    cells = []
    for values in (scores.support, scores.confidence):
        sides = [values[one] for one in first], [values[one] for one in second]
        low, high = auc_interval(*sides)
        cells.append(f"{auc(*sides):.3f} [{low:.3f}, {high:.3f}]")
    return cells


def _mean(values: Sequence[float]) -> str:
    interval = bootstrap_interval(values, bounds=(0.0, 1.0))
    return f"{np.mean(values):.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _place(abstract: str, sentence: str) -> tuple[int, int]:
    """Where a sentence stands, whatever white space it was copied with; an empty span if it does not."""
    start = abstract.find(sentence.strip())
    if start >= 0:
        return start, start + len(sentence.strip())
    words = sentence.split()
    begin = abstract.find(" ".join(words[:5]))
    end = abstract.find(" ".join(words[-5:]), max(begin, 0))
    return (begin, end + len(" ".join(words[-5:]))) if 0 <= begin <= end else (0, 0)


def _same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared > 0.5 * min(one[1] - one[0], other[1] - other[0]) > 0
