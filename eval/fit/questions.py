"""What may be fitted on: our development questions, and those of other collections where their files are at hand.

Of our own questions only the ``dev`` split and the ``fit`` half of the natural ones are read, and the contrasting ones,
which are about papers of the ``dev`` split and about abstracts of SciFact that none of its test claims cites. The rest
are SQuAD 2.0 (Rajpurkar, Jia and Liang 2018), PubMedQA (Jin et al. 2019) without its test half, whose questions have
no answer once their abstract is hidden, and the training claims of SciFact (Wadden et al. 2020), where abstracts decide
some of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.gold import GOLD, GoldQuestion, expand, load_gold, load_natural
from eval.lab.beir import objects_of, read_papers
from rag.types import Options, Paper

KINDS = ("single", "fact", "multi", "everyday", "list", "comparison", "unanswerable", "out_of_scope")
OWN = "own"
CONTRAST = GOLD / "contrast" / "questions.jsonl"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question in one asker's words."""

    need: str  # id shared by all phrasings
    text: str
    answerable: bool
    gold: tuple[str, ...] = ()  # ids of the papers that answer
    facts: tuple[tuple[str, ...], ...] = ()
    in_field: bool = True  # False: nothing that the collection is about
    hidden: bool = False  # its papers are not there to be found, which makes it unanswerable
    sentences: tuple[int, ...] = ()  # places of those that answer, where its author pointed at them

    @property
    def options(self) -> Options:
        """How it is to be asked."""
        return Options(exclude=frozenset(self.gold if self.hidden else ()))


@dataclass(frozen=True, slots=True)
class Asked:
    """A collection with its questions."""

    name: str
    papers: tuple[Paper, ...]
    questions: tuple[Labelled, ...]


def held_out(paper_id: str) -> bool:
    """Whether the contrasting questions about a paper are kept from the cross-encoder's training: one paper in four."""
    return int(sha256(f"blind{paper_id}".encode()).hexdigest(), 16) % 4 == 0


def held_out_article(doc_id: str) -> bool:
    """The same of an article of SQuAD: one in three. doc_id: article and paragraph."""
    return int(doc_id.split("_", maxsplit=1)[0]) % 3 == 0


def own(papers: Sequence[Paper]) -> Asked:
    """Our questions. False premises are left out, since either reply is right, and questions with no paper near."""
    natural = [one for one in load_natural("fit") if one.answerable or one.near]
    asked = [one for question in (*natural, *load_gold("dev", KINDS)) for one in _phrasings(question)]
    return Asked(OWN, tuple(papers), tuple(asked))


def contrasting(papers: Sequence[Paper], name: str, file: Path = CONTRAST) -> Asked:
    """The contrasting questions about these papers that the cross-encoder was not trained on.

    All about one paper count as one need.
    """
    known = {paper.id for paper in papers}
    found = tuple(
        _contrasting(record) for _, record in objects_of(file) if record["paper"] in known and held_out(record["paper"])
    )
    return Asked(name, tuple(papers), found)


def contrasting_abstracts(bench: Path, file: Path = CONTRAST) -> Iterator[Asked]:
    """Those about abstracts of SciFact, in a collection of these abstracts alone, if its folder is there."""
    if (bench / "scifact").is_dir():
        asked = {record["paper"] for _, record in objects_of(file)}
        papers = [paper for paper in read_papers(bench / "scifact") if paper.id in asked]
        yield contrasting(papers, "contrast-scifact", file)


def unseen_abstracts(bench: Path) -> Asked:
    """Questions by an author whose others nothing is fitted on, about abstracts that nothing else asks about."""
    file = CONTRAST.with_name("unseen.jsonl")
    records = [record for _, record in objects_of(file)]
    known = {record["paper"] for record in records}
    papers = tuple(paper for paper in read_papers(bench / "scifact") if paper.id in known)
    return Asked("unseen", papers, tuple(_contrasting(record) for record in records))


def others(bench: Path, most: int, seed: int = 0) -> Iterator[Asked]:
    """The other collections whose folder is there, with a maximum number of questions of each class."""
    readers: dict[str, Callable[[Path], Iterable[Labelled]]] = {
        "squad2": _squad2,
        "pubmedqa": _pubmedqa,
        "scifact": _scifact,
    }
    for name, read in readers.items():
        folder = bench / name
        if not folder.is_dir():
            continue
        found = list(read(folder))
        random.Random(seed).shuffle(found)
        classes = [[one for one in found if one.answerable is answerable][:most] for answerable in (True, False)]
        yield Asked(name, read_papers(folder), (*classes[0], *classes[1]))


def strangers(asked: Asked, all_: Sequence[Asked], most: int, seed: int = 1) -> tuple[Labelled, ...]:
    """Questions of the other collections, which this one says nothing about; none of a neighbouring field."""
    medical = {"pubmedqa", "scifact"}
    far = [one for one in all_ if one.name != asked.name and not {one.name, asked.name} <= medical]
    found = [
        Labelled(f"{one.name}:{question.need}", question.text, answerable=False, in_field=False)
        for one in far
        for question in random.Random(seed).sample(one.questions, min(len(one.questions), most // len(far)))
        if question.in_field
    ]
    return tuple(found)


def _contrasting(record: dict[str, Any]) -> Labelled:
    paper, sentences = record["paper"], tuple(record.get("sentences", ()))
    return Labelled(paper, record["question"], record["answerable"], (paper,), sentences=sentences)


def _phrasings(question: GoldQuestion) -> list[Labelled]:
    gold = tuple(paper_id for paper_id, grade in question.gold.items() if grade == 2)
    in_field = question.kind != "out_of_scope"
    return [
        Labelled(question.id, item.turns[-1], question.answerable, gold, question.facts, in_field)
        for item in expand(question)
    ]


def _squad2(folder: Path) -> Iterator[Labelled]:
    for record in _records(folder):
        if not held_out_article(record["doc_id"]):
            continue
        yield Labelled(record["_id"], record["question"], record["answerable"], (record["doc_id"],))


def _pubmedqa(folder: Path) -> Iterator[Labelled]:
    for record in _records(folder):
        if record["split"] != "test":
            for hidden in (False, True):
                gold = tuple(record["doc_ids"])
                yield Labelled(record["_id"], record["question"], not hidden, gold, hidden=hidden)


def _scifact(folder: Path) -> Iterator[Labelled]:
    for record in _records(folder):
        if record["split"] == "train":
            decided = record["label"] != "NOT_ENOUGH_INFO"
            yield Labelled(record["_id"], record["claim"], decided, tuple(record["cited_doc_ids"]))


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    file = next(path for path in (folder / "qa.jsonl", folder / "qa.jsonl.gz") if path.is_file())
    return (record for _, record in objects_of(file))
