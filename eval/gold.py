"""The gold questions: one reviewable JSON line each in ``eval/gold/*.jsonl``, loaded strictly.

A line holds ``id``, ``kind``, ``expects``, ``turns`` ([{"question"}], the last one is graded), ``gold`` ({paper id:
grade 1..2}), ``facts`` (each a list of accepted forms), ``phrasings`` ([{"asker", "question"}]), ``near`` (papers that
tempt, or that an unanswerable question is about), and where useful ``standalone``, ``note`` and ``style`` (how the
graded turn is typed: plain, terse, typo or chatty). Unknown keys are refused. ``split.json`` gives every paper a
topic and one of the splits; a question follows its papers.

``readback eval gold check`` reads everything and looks the facts up in the abstracts; ``readback eval gold freeze``
records the content of both splits in HASHES.json.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rag.errors import CorpusError
from rag.types import Paper

Expects = Literal["answer", "abstain", "correct"]
Split = Literal["dev", "test"]
Style = Literal["plain", "terse", "typo", "chatty"]
Half = Literal["fit", "held-out"]

GOLD = Path(__file__).parent / "gold"
NATURAL = GOLD / "natural" / "questions.jsonl"
NATURAL_SPLITS: Mapping[Half, Split] = MappingProxyType({"fit": "dev", "held-out": "test"})
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

    @property
    def central(self) -> tuple[str, ...]:
        """Ids of the papers that a complete answer must use."""
        return tuple(paper for paper, grade in self.gold.items() if grade == 2)

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


Text = Annotated[str, StringConstraints(pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Turn(_Strict):
    question: Text


class _Phrasing(_Strict):
    asker: Annotated[str, StringConstraints(pattern=r"^[^#]+$")]
    question: Text


class _Line(_Strict):
    """A line of a file of gold questions, checked."""

    id: Annotated[str, StringConstraints(pattern=r"^[^#\s]+$")]
    kind: str
    expects: Expects
    turns: Annotated[list[_Turn], Field(min_length=1)]
    gold: dict[str, Literal[1, 2]]
    facts: list[Annotated[list[Text], Field(min_length=1)]]
    phrasings: list[_Phrasing]
    near: list[Text]
    standalone: Text | None = None
    note: str = ""
    style: Style | None = None
    half: Half | None = None  # of a natural question

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.expects not in EXPECTS.get(self.kind, ()):
            raise ValueError(f"kind {self.kind!r} with expects {self.expects!r} is not known")
        if (len(self.turns) > 1) != (self.kind == "conversation"):
            raise ValueError(f"kind {self.kind!r} cannot have {len(self.turns)} turns")
        if self.kind == "conversation" and self.standalone is None:
            raise ValueError("a conversation needs 'standalone'")
        if self.expects == "abstain" and (self.gold or self.facts):
            raise ValueError("a question to abstain from has neither gold papers nor facts")
        if self.expects != "abstain" and not (2 in self.gold.values() and self.facts):
            raise ValueError("a question to answer needs a gold paper of grade 2 and a fact")
        askers = [phrasing.asker for phrasing in self.phrasings]
        if len({*askers, STANDALONE}) <= len(askers):
            raise ValueError(f"askers must differ, and not be {STANDALONE!r}: {', '.join(askers)}")
        return self

    def question(self, papers: Mapping[str, tuple[str, Split]], split: Split | None = None) -> GoldQuestion:
        """papers: topic and split by id. split: instead of the papers' own. Raises ValueError for unknown papers."""
        if stranger := next((paper for paper in (*self.gold, *self.near) if paper not in papers), None):
            raise ValueError(f"split.json does not know the paper {stranger!r}")
        placed = _place(self.id, self.gold, self.near, papers) if split is None else (split, None)
        return GoldQuestion(
            id=self.id,
            kind=self.kind,
            expects=self.expects,
            turns=tuple(turn.question for turn in self.turns),
            standalone=self.standalone or self.turns[-1].question,
            gold=dict(self.gold),
            facts=tuple(tuple(forms) for forms in self.facts),
            phrasings=tuple(Phrasing(one.asker, one.question) for one in self.phrasings),
            near=tuple(self.near),
            note=self.note,
            split=placed[0],
            topic=placed[1],
            style=self.style,
        )


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
        for number, record in records(file):
            try:
                question = _Line.model_validate(record).question(papers)
                if question.id in found:
                    raise ValueError(f"the id {question.id!r} is used before, in {found[question.id][1]}")
            except ValueError as error:
                raise CorpusError(str(file), number, _reason(error)) from error
            found[question.id] = (question, f"{file}, line {number}")
    return tuple(
        question
        for _, (question, _) in sorted(found.items())
        if split in (None, question.split) and (kinds is None or question.kind in kinds)
    )


def load_natural(half: Half) -> tuple[GoldQuestion, ...]:
    """The questions that researchers type: the half that may be fitted on, or the one held out. Raises CorpusError."""
    papers = _read_split(GOLD / "split.json")
    found = []
    for number, record in records(NATURAL):
        try:
            line = _Line.model_validate(record)
            if line.half == half:
                found.append(line.question(papers, NATURAL_SPLITS[half]))
        except ValueError as error:
            raise CorpusError(str(NATURAL), number, _reason(error)) from error
    return tuple(found)


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


def records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
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


def _reason(error: ValueError) -> str:
    """What is wrong with a line, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


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
