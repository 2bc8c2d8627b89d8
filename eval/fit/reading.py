"""What the cross-encoder is trained on: questions, each with an excerpt and the sentences of it that answer, or none.

Of our own questions only the contrasting ones are used, and of these only those about papers that ``held_out`` does not
keep for the fits that come after: whatever is fitted on top of the reader must see it as it is with papers that are new
to it. The rest are public sets, in a folder whose README names their licences: questions on whole papers about COVID-19
(Möller et al. 2020), SelQA (Jurczyk, Zhai and Choi 2016), QED (Lamm et al. 2021), SciFact's training claims (Wadden et
al. 2020), titles of abstracts, and SQuAD 2.0 (Rajpurkar, Jia and Liang 2018) without the articles that
``held_out_article`` keeps.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.fit.questions import CONTRAST, held_out, held_out_article
from eval.lab.beir import objects_of, read_papers
from rag.ports import Embedder, Excerpt
from rag.text import sentences
from rag.types import Paper

SETS = ("covidqa", "selqa", "qed", "scifact", "titles")
SHOWN = (4, 5, 5, 7)  # sentences of an excerpt, drawn anew for each
NEAR, FAR = 3, 12  # places in the ranking that papers come from which do not answer
TWO_SENTENCES = 2  # an answer that stands in more than so many is no sign of which one answers
_WORD = re.compile(r"[a-z0-9]{3,}")
_STEM = 6  # letters


@dataclass(frozen=True, slots=True)
class Example:
    """One question with one excerpt."""

    set: str
    question: str
    excerpt: Excerpt
    answers: bool
    sentences: tuple[int, ...] | None  # places of those that answer; None: not known


def examples(train: Path, bench: Path, papers: Sequence[Paper], embedder: Embedder, seed: int) -> list[Example]:
    """All of them. train and bench: the folders of the public sets. papers: ours."""
    rng = random.Random(seed)
    found = [*_public(train), *_squad(bench / "squad2", rng)]
    shortened = _shortened(found, rng)
    abstracts = read_papers(bench / "scifact")
    for name, collection in (("contrast", papers), ("contrast-scifact", abstracts)):
        shortened += _contrasting(name, collection, embedder, rng)
    return shortened


def _public(folder: Path) -> Iterator[Example]:
    for name in SETS:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                title = "" if name == "titles" else record["title"]  # the title is the question there
                known = None if record.get("norel") and record["ans"] else tuple(record["rel"])
                excerpt = Excerpt(title, tuple(record["sents"]))
                yield Example(name, record["q"], excerpt, bool(record["ans"]), known)


def _squad(folder: Path, rng: random.Random) -> Iterator[Example]:
    texts = {paper.id: paper for paper in read_papers(folder)}
    neighbours: dict[str, list[str]] = {}
    for doc_id in texts:
        neighbours.setdefault(doc_id.split("_")[0], []).append(doc_id)
    for _, record in objects_of(folder / "qa.jsonl.gz"):
        doc_id, question = record["doc_id"], record["question"]
        if held_out_article(doc_id):
            continue
        excerpt = _whole(texts[doc_id])
        yield Example("squad", question, excerpt, record["answerable"], _holding(record, excerpt.sentences))
        other = rng.choice(neighbours[doc_id.split("_")[0]])
        if record["answerable"] and other != doc_id and rng.random() < 0.25:
            yield Example("squad-other", question, replace(_whole(texts[other]), title=""), False, None)


def _whole(paper: Paper) -> Excerpt:
    return Excerpt(paper.title, tuple(span.of(paper.abstract) for span in sentences(paper.abstract)))


def _holding(record: dict[str, Any], texts: Sequence[str]) -> tuple[int, ...] | None:
    if not record["answerable"]:
        return ()
    places = tuple(place for place, text in enumerate(texts) if any(answer in text for answer in record["answers"]))
    return places if 0 < len(places) <= TWO_SENTENCES else None


def _contrasting(name: str, papers: Iterable[Paper], embedder: Embedder, rng: random.Random) -> list[Example]:
    """Each question with its own paper, and the answerable ones with two that are close but do not answer."""
    known = {paper.id: paper for paper in papers}
    records = [record for _, record in objects_of(CONTRAST) if record["paper"] in known]
    ids = sorted({record["paper"] for record in records})
    wholes = {one: _whole(known[one]) for one in ids}
    vectors = {one: embedder.embed(wholes[one].sentences, "document") for one in ids}
    passages = embedder.embed([f"{known[one].title}. {known[one].abstract}" for one in ids], "document")
    found = []
    for record in records:
        if held_out(record["paper"]):
            continue
        asked = embedder.embed([record["question"]], "query")[0]

        def shown(paper_id: str, asked: NDArray[np.float32] = asked) -> tuple[Excerpt, list[int]]:
            return _cut(wholes[paper_id], vectors[paper_id] @ asked, rng)

        excerpt, places = shown(record["paper"])
        answering = _kept(record.get("sentences", ()), places)
        sure = None if record["answerable"] and not answering else answering
        found.append(Example(name, record["question"], excerpt, record["answerable"], sure))
        if record["answerable"]:
            others = [ids[place] for place in np.argsort(-(passages @ asked)) if ids[place] != record["paper"]]
            for other in {rng.choice(others[:NEAR]), rng.choice(others[NEAR:FAR])}:
                found.append(Example(f"{name}-other", record["question"], shown(other)[0], False, ()))
    return found


def _shortened(found: Sequence[Example], rng: random.Random) -> list[Example]:
    """The same with as many sentences as are read when an answer is made: those that share most with the question."""
    counts = Counter(word for one in found for word in set(_WORD.findall(one.question.casefold())))
    shortened = []
    for one in found:
        worth = {word[:_STEM]: 1 / np.log(2 + counts[word]) for word in _WORD.findall(one.question.casefold())}
        scores = np.array(
            [
                sum(worth.get(stem, 0.0) for stem in {word[:_STEM] for word in _WORD.findall(text.casefold())})
                + rng.random() * 0.1
                for text in one.excerpt.sentences
            ]
        )
        if one.sentences and rng.random() < 0.7:
            scores[list(one.sentences)] += 0.5
        excerpt, places = _cut(one.excerpt, scores, rng)
        answering = None if one.sentences is None else _kept(one.sentences, places)
        if one.answers and one.sentences and not answering:
            continue  # what answered was cut away
        shortened.append(replace(one, excerpt=excerpt, sentences=answering))
    return shortened


def _cut(excerpt: Excerpt, scores: NDArray[Any], rng: random.Random) -> tuple[Excerpt, list[int]]:
    """The best sentences in the order in which they stand, and their places."""
    places = sorted(np.argsort(-scores, kind="stable")[: rng.choice(SHOWN)].tolist())
    return Excerpt(excerpt.title, tuple(excerpt.sentences[place] for place in places)), places


def _kept(answering: Sequence[int], places: Sequence[int]) -> tuple[int, ...]:
    return tuple(places.index(place) for place in answering if place in places)
