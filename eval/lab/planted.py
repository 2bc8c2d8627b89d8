"""Planted errors beside their true twins: how many does the verifier flag, and how many true sentences does it harm?

``eval/gold/verify/cases.jsonl`` holds one true sentence a line, in its author's own words, with the same sentence made
false in one place: ``{"id", "author", "collection", "papers", "true", "planted": [{"kind", "text"}]}``. ``collection``
is ``papers`` for the shipped ones, or a folder of ``--bench`` in BEIR's format. Author "a" wrote while the verifier was
being built, and so did author "c", who aimed at what it did not see; author "b" wrote after it was finished, without
seeing it. Further papers of the collection always stand
beside those of the case.

``eval/gold/verify/attacks.jsonl`` holds attacks in the same form: a link, a made-up name, another measure, the loser as
the winner. Author "work" wrote while the checks were being made, author "after" when they were finished.

``python -m eval.lab.planted --bench FOLDER``, ``python -m eval.lab.planted --attacks``
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.lab.beir import read_papers
from eval.lab.shelf import Shelf
from eval.table import aligned
from rag.corpus import read
from rag.embed.onnx import OnnxEmbedder
from rag.policy import Policy
from rag.settings import shipped_corpus
from rag.verify import EvidenceVerifier, State, Verifier

CASES = Path(__file__).parent.parent / "gold" / "verify" / "cases.jsonl"
ATTACKS = CASES.with_name("attacks.jsonl")
SHIPPED = "papers"
BESIDE = 3  # further papers beside those of a case
STATES: tuple[State, ...] = ("verified", "unchecked", "contradicted")
TRUE = "true"


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence, true or planted, with the papers that the model was shown."""

    id: str
    author: str
    collection: str
    papers: tuple[str, ...]
    kind: str  # TRUE, or what was planted
    text: str


def read_cases(path: Path = CASES) -> list[Case]:
    """All sentences, each true one before its planted twins. Raises ValueError naming the line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            papers = tuple(map(str, record["papers"]))
            for kind, text in ((TRUE, record["true"]), *((one["kind"], one["text"]) for one in record["planted"])):
                found.append(Case(record["id"], record["author"], record["collection"], papers, kind, text))
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path.name}, line {number}: {error!r}") from error
    return found


def shelves(bench: Path | None, collections: Sequence[str]) -> dict[str, Shelf]:
    """The collections that are there, with their papers."""
    embedder = OnnxEmbedder()
    found = {}
    for name in collections:
        if name == SHIPPED:
            found[name] = Shelf(read(shipped_corpus()).papers, embedder)
        elif bench is not None and (bench / name).is_dir():
            found[name] = Shelf(read_papers(bench / name), embedder)
    return found


def judge(cases: Sequence[Case], shelves: Mapping[str, Shelf]) -> dict[Case, tuple[State, str]]:
    """State and reason of every case whose collection is there."""
    verifiers: dict[str, Verifier] = {
        name: EvidenceVerifier(shelf.embed, shelf.idf, Policy.default().verification) for name, shelf in shelves.items()
    }
    found = {}
    for case in cases:
        shelf = shelves.get(case.collection)
        if shelf is not None:
            sources = [shelf.source(paper) for paper in (*case.papers, *_beside(case, shelf))]
            (verdict,) = verifiers[case.collection].verify([case.text], sources)
            found[case] = verdict.state, verdict.why
    return found


def _beside(case: Case, shelf: Shelf) -> list[str]:
    """The next papers of the collection."""
    everything = list(shelf.papers)
    start = everything.index(case.papers[0])
    following = (everything[(start + step) % len(everything)] for step in range(1, len(everything)))
    return [paper for paper in following if paper not in case.papers][:BESIDE]


def table(judged: Mapping[Case, tuple[State, str]]) -> str:
    """Shares of the three states, of true sentences and by kind of error."""
    rows: list[Sequence[str]] = [["", "sentences", *STATES]]
    for author in sorted({case.author for case in judged}):
        own = {case: state for case, (state, _) in judged.items() if case.author == author}
        planted = [state for case, state in own.items() if case.kind != TRUE]
        rows.append(_row(f"{author}: true", [state for case, state in own.items() if case.kind == TRUE]))
        rows.append(_row(f"{author}: planted", planted))
        for kind in sorted({case.kind for case in own} - {TRUE}):
            rows.append(_row(f"   {kind}", [state for case, state in own.items() if case.kind == kind]))
    return aligned(rows)


def _row(label: str, states: Sequence[State]) -> list[str]:
    counted = Counter(states)
    return [label, str(len(states)), *(f"{counted[state] / max(len(states), 1):.3f}" for state in STATES)]


def main() -> None:
    """Print the table; with --list also every sentence that was judged wrongly."""
    parser = argparse.ArgumentParser(description="Planted errors beside their true twins.")
    parser.add_argument("--bench", type=Path, help="folder with other people's collections; theirs are skipped without")
    parser.add_argument("--attacks", action="store_true", help="the attacks instead")
    parser.add_argument("--author", help="only this author's: to leave the blind half unread")
    parser.add_argument("--list", action="store_true", help="print what was judged wrongly")
    options = parser.parse_args()
    cases = read_cases(ATTACKS if options.attacks else CASES)
    cases = [case for case in cases if options.author in (None, case.author)]
    judged = judge(cases, shelves(options.bench, sorted({case.collection for case in cases})))
    print(table(judged))
    if len(judged) < len(cases):
        print(f"{len(cases) - len(judged)} sentences skipped: their collection is not there", file=sys.stderr)
    if options.list:
        for case, (state, why) in judged.items():
            if (case.kind == TRUE) != (state == "verified"):
                print(f"{case.id} {case.kind} {state}: {case.text} ({why})")


if __name__ == "__main__":
    main()
