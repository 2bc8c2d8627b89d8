"""The gold questions: one reviewable JSON line each in ``eval/gold/*.jsonl``, loaded strictly.

A line holds ``id``, ``kind``, ``expects``, ``turns`` ([{"question"}], the last one is graded), ``gold`` ({paper id:
grade 1..2}), ``facts`` (each a list of accepted forms), ``phrasings`` ([{"asker", "question"}]), ``near`` (papers that
tempt, or that an unanswerable question is about), and where useful ``standalone``, ``note`` and ``style`` (how the
graded turn is typed: plain, terse, typo or chatty). Unknown keys are refused. ``split.json`` gives every paper a
topic and one of the splits; a question follows its papers.

    python -m eval.gold check     # read everything, and look the facts up in the abstracts
    python -m eval.gold freeze    # record the content of both splits in HASHES.json
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from eval.metrics.facts import holds_fact
from rag.errors import CorpusError
from rag.types import Paper

Expects = Literal["answer", "abstain", "correct"]
Split = Literal["dev", "test"]
Style = Literal["plain", "terse", "typo", "chatty"]

GOLD = Path(__file__).parent / "gold"
PAPERS = Path(__file__).parents[1] / "data" / "papers.jsonl"
SPLITS: tuple[Split, ...] = get_args(Split)
STYLES: tuple[Style, ...] = get_args(Style)
STANDALONE = "standalone"  # asker of a conversation's stand-alone form
EXPECTS: Mapping[str, tuple[Expects, ...]] = MappingProxyType(
    {
        "single": ("answer",),
        "fact": ("answer",),
        "multi": ("answer",),
        "everyday": ("answer",),
        "list": ("answer",),
        "comparison": ("answer",),
        "unanswerable": ("abstain",),
        "false_premise": ("correct",),
        "out_of_scope": ("abstain",),
        "conversation": ("answer", "abstain"),
    }
)
_REQUIRED = frozenset({"id", "kind", "expects", "turns", "gold", "facts", "phrasings", "near"})
_ALLOWED = _REQUIRED | {"standalone", "note", "style"}


@dataclass(frozen=True, slots=True)
class Phrasing:
    """The same need in the words of another asker: terse, vague, expert, typos…"""

    asker: str
    question: str


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """One question with all that is needed to grade an answer to it."""

    id: str
    kind: str  # a key of EXPECTS
    expects: Expects  # correct: answer by correcting the false premise
    turns: tuple[str, ...]  # the last is the question, the others are asked before it
    standalone: str  # the last turn, understandable without the others
    gold: Mapping[str, int]  # paper id -> 2 central, 1 useful; empty where nothing answers
    facts: tuple[tuple[str, ...], ...]  # each a choice of accepted forms
    phrasings: tuple[Phrasing, ...]
    near: tuple[str, ...]  # ids of papers that tempt
    note: str
    split: Split
    topic: str | None  # None where no paper is near
    style: str | None = None  # one of STYLES; None where nobody said

    @property
    def question(self) -> str:
        """The graded turn."""
        return self.turns[-1]

    @property
    def answerable(self) -> bool:
        """Whether silence would be wrong."""
        return self.expects != "abstain"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, for hashing and for reports."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to ask: a gold question in one asker's words."""

    id: str  # "single-001", or "single-001#terse"
    question_id: str
    asker: str | None  # None: the question as written
    turns: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """One input line of ``readback ask --batch``."""
        return {"id": self.id, "turns": [{"question": turn} for turn in self.turns]}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Papers, and questions about them."""

    name: str
    papers: tuple[Paper, ...]
    questions: tuple[GoldQuestion, ...]
    decisions: Mapping[str, str]  # question id -> yes, no or maybe; empty where the format has none


def load_gold(
    split: Split | None = None, kinds: Collection[str] | None = None, *, folder: Path = GOLD
) -> tuple[GoldQuestion, ...]:
    """The gold questions of a split (None: both) and of some kinds (None: all), sorted by id.

    Every file is checked whatever is asked for. Raises CorpusError naming file and line, ValueError for an unknown
    split or kind.
    """
    if split is not None and split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: choose from {', '.join(SPLITS)}")
    if kinds is not None and (unknown := set(kinds) - set(EXPECTS)):
        raise ValueError(f"unknown kind {', '.join(sorted(unknown))}: choose from {', '.join(EXPECTS)}")
    papers = _read_split(folder / "split.json")
    found: dict[str, tuple[GoldQuestion, str]] = {}
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise CorpusError(str(folder), None, "no gold questions (*.jsonl) here")
    for file in files:
        for number, record in _records(file):
            try:
                question = _parse(record, papers)
                if question.id in found:
                    raise ValueError(f"the id {question.id!r} is used before, in {found[question.id][1]}")
            except ValueError as error:
                raise CorpusError(str(file), number, str(error)) from error
            found[question.id] = (question, f"{file}, line {number}")
    return tuple(
        question
        for _, (question, _) in sorted(found.items())
        if split in (None, question.split) and (kinds is None or question.kind in kinds)
    )


def expand(question: GoldQuestion, *, standalone: bool = False) -> Iterator[Item]:
    """The question as written, then one item per phrasing, which takes the place of the last turn.

    standalone: also the stand-alone form of a conversation, asked with no history, as "conv-001#standalone".
    """
    yield Item(question.id, question.id, None, question.turns)
    for phrasing in question.phrasings:
        turns = (*question.turns[:-1], phrasing.question)
        yield Item(f"{question.id}#{phrasing.asker}", question.id, phrasing.asker, turns)
    if standalone and len(question.turns) > 1:
        yield Item(f"{question.id}#{STANDALONE}", question.id, STANDALONE, (question.standalone,))


def check_facts(questions: Iterable[GoldQuestion], abstracts: Mapping[str, str]) -> list[str]:
    """One complaint per fact that stands in no gold paper's abstract, or gold paper that has none. abstracts: by id."""
    complaints = []
    for question in questions:
        missing = [paper for paper in (*question.gold, *question.near) if paper not in abstracts]
        complaints += [f"{question.id}: the collection has no paper {paper!r}" for paper in missing]
        texts = [abstracts[paper] for paper in question.gold if paper in abstracts]
        complaints += [
            f"{question.id}: no gold abstract holds the fact {' | '.join(forms)}"
            for forms in question.facts
            if not any(holds_fact(text, forms) for text in texts)
        ]
    return complaints


def gold_hash(split: Split, *, folder: Path = GOLD) -> str:
    """SHA-256 of all that the questions of a split say, whatever their order, file or spacing."""
    content = [question.to_dict() for question in load_gold(split, folder=folder)]
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def current_hashes(folder: Path = GOLD) -> dict[str, dict[str, Any]]:
    """What HASHES.json should hold: per split, its hash and how many questions it has."""
    return {
        split: {"questions": len(load_gold(split, folder=folder)), "sha256": gold_hash(split, folder=folder)}
        for split in SPLITS
    }


def freeze(folder: Path = GOLD) -> Path:
    """Write HASHES.json, so that a later change of a question cannot go unnoticed."""
    file = folder / "HASHES.json"
    file.write_text(json.dumps(current_hashes(folder), indent=2) + "\n", encoding="utf-8")
    return file


def read_abstracts(file: Path = PAPERS) -> dict[str, str]:
    """Abstracts by paper id, from a file of JSON lines with "id" and "abstract". Raises CorpusError."""
    abstracts = {}
    for number, record in _records(file):
        try:
            abstracts[_text(record, "id")] = _text(record, "abstract")
        except ValueError as error:
            raise CorpusError(str(file), number, str(error)) from error
    return abstracts


def _records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(str(file), None, f"cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_no_repeats)
        except ValueError as error:
            raise CorpusError(str(file), number, f"not one JSON object: {error}") from error
        if not isinstance(record, dict):
            raise CorpusError(str(file), number, "not one JSON object")
        yield number, record


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if repeated := [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
        raise ValueError(f"the key {repeated[0]!r} is given twice")
    return dict(pairs)


def _read_split(file: Path) -> dict[str, tuple[str, Split]]:
    """Topic and split by paper id."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_no_repeats)
        topics, papers = record["topics"], record["papers"]
        for paper, entry in papers.items():
            if entry["topic"] not in topics or entry["split"] not in SPLITS:
                raise ValueError(f"paper {paper!r} has an unknown topic or split")
        return {paper: (entry["topic"], entry["split"]) for paper, entry in papers.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(str(file), None, f"not a split of papers: {error}") from error


def _parse(record: Mapping[str, Any], papers: Mapping[str, tuple[str, Split]]) -> GoldQuestion:
    """Raises ValueError saying what is wrong."""
    if unknown := sorted(set(record) - _ALLOWED):
        raise ValueError(f"unknown key {', '.join(unknown)}")
    if missing := sorted(_REQUIRED - set(record)):
        raise ValueError(f"missing key {', '.join(missing)}")
    name, kind, expects = _text(record, "id"), _text(record, "kind"), _text(record, "expects")
    if "#" in name or name.split() != [name]:
        raise ValueError(f"the id {name!r} must hold neither '#' nor white space")
    if expects not in EXPECTS.get(kind, ()):
        raise ValueError(f"kind {kind!r} with expects {expects!r} is not known")
    turns = tuple(_text(turn, "question", only=True) for turn in _list(record, "turns"))
    if not turns or (len(turns) > 1) != (kind == "conversation"):
        raise ValueError(f"kind {kind!r} cannot have {len(turns)} turns")
    if kind == "conversation" and "standalone" not in record:
        raise ValueError("a conversation needs 'standalone'")
    near = tuple(_strings(record["near"], "near"))
    gold, facts = _gold(record["gold"]), tuple(tuple(_strings(forms, "facts")) for forms in _list(record, "facts"))
    if not all(facts):
        raise ValueError("a fact has no accepted form")
    if expects == "abstain" and (gold or facts):
        raise ValueError("a question to abstain from has neither gold papers nor facts")
    if expects != "abstain" and not (2 in gold.values() and facts):
        raise ValueError("a question to answer needs a gold paper of grade 2 and a fact")
    if stranger := next((paper for paper in (*gold, *near) if paper not in papers), None):
        raise ValueError(f"split.json does not know the paper {stranger!r}")
    style = _text(record, "style") if "style" in record else None
    if style is not None and style not in STYLES:
        raise ValueError(f"style {style!r} is not known: choose from {', '.join(STYLES)}")
    split, topic = _place(name, gold, near, papers)
    return GoldQuestion(
        id=name,
        kind=kind,
        expects=expects,
        turns=turns,
        standalone=_text(record, "standalone") if "standalone" in record else turns[-1],
        gold=gold,
        facts=facts,
        phrasings=_phrasings(record),
        near=near,
        note=_text(record, "note") if "note" in record else "",
        split=split,
        topic=topic,
        style=style,
    )


def _place(
    name: str, gold: Mapping[str, int], near: Sequence[str], papers: Mapping[str, tuple[str, Split]]
) -> tuple[Split, str | None]:
    deciding = [paper for paper, grade in gold.items() if grade == 2] or list(near[:1])
    if not deciding:  # by a hash, so that it is the same on every machine and does not depend on the other questions
        return SPLITS[sha256(name.encode()).digest()[0] % 2], None
    splits = {papers[paper][1] for paper in deciding}
    if len(splits) > 1:
        placed = ", ".join(f"{paper} in {papers[paper][1]}" for paper in deciding)
        raise ValueError(f"the central gold papers are of different splits: {placed}")
    return splits.pop(), Counter(papers[paper][0] for paper in deciding).most_common(1)[0][0]


def _phrasings(record: Mapping[str, Any]) -> tuple[Phrasing, ...]:
    entries = _list(record, "phrasings")
    phrasings = tuple(Phrasing(_text(entry, "asker"), _text(entry, "question")) for entry in entries)
    if any(set(entry) != {"asker", "question"} for entry in entries):
        raise ValueError("a phrasing has 'asker' and 'question' and nothing else")
    askers = [phrasing.asker for phrasing in phrasings]
    if len(set(askers)) < len(askers) or any("#" in asker or asker == STANDALONE for asker in askers):
        raise ValueError(f"askers must differ, hold no '#', and not be {STANDALONE!r}: {', '.join(askers)}")
    return phrasings


def _gold(value: object) -> dict[str, int]:
    if not isinstance(value, dict) or any(type(grade) is not int or grade not in (1, 2) for grade in value.values()):
        raise ValueError("'gold' must map paper ids to grades 1 or 2")
    return value


def _text(record: object, key: str, *, only: bool = False) -> str:
    if not isinstance(record, dict) or (only and set(record) != {key}):
        raise ValueError(f"expected an object with {key!r}{' and nothing else' if only else ''}")
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key!r} must be a text that is not empty")
    return value


def _list(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record[key]
    if not isinstance(value, list):
        raise ValueError(f"{key!r} must be a list")
    return value


def _strings(value: object, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) and entry.strip() for entry in value):
        raise ValueError(f"{key!r} must hold lists of texts that are not empty")
    return value


def main(arguments: Sequence[str]) -> int:
    """``python -m eval.gold check|freeze``. Returns the exit status."""
    try:
        if list(arguments) == ["freeze"]:
            print(f"wrote {freeze()}")
            return 0
        if list(arguments) == ["check"]:
            questions = load_gold()
            complaints = check_facts(questions, read_abstracts())
            print("\n".join(complaints or [f"{len(questions)} questions, every fact found"]))
            return int(bool(complaints))
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    print("usage: python -m eval.gold check|freeze", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
