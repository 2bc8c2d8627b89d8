"""Other people's questions: files in the format of SQuAD 2 (with unanswerable ones) and PubMedQA (yes, no, maybe).

They become papers and gold questions, so everything that is measured on our own is measured on them: every paragraph or
abstract is a paper, and whoever is asked has to find it among all others.

- SQuAD 2: ``{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "is_impossible", "answers":
  [{"text"}]}]}]}]}``. The accepted answers are the forms of one fact. Rajpurkar, Jia and Liang 2018, arXiv:1806.03822.
- PubMedQA: ``{pmid: {"QUESTION", "CONTEXTS": [...], "final_decision"}}``. A paper is its contexts, without the
  conclusion; its title would be the question, so it has none. A reply is right if it quotes that paper; "maybe" marks
  the questions that the paper leaves open. Jin et al. 2019, arXiv:1909.06146.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.gold import Dataset, Expects, GoldQuestion
from eval.graded import Graded
from eval.stats import auc, auc_interval
from eval.table import aligned
from rag.errors import CorpusError
from rag.types import Paper

DECISIONS = ("yes", "no", "maybe")


def read_dataset(file: Path) -> Dataset:
    """Read a file of either format. Raises CorpusError naming what cannot be read."""
    try:
        record = json.loads(file.read_text("utf-8"))
        if not isinstance(record, dict) or not record:
            raise ValueError("expected a JSON object")
        read = _squad if isinstance(record.get("data"), list) else _pubmedqa
        found = read(file.stem, record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise CorpusError(str(file), None, f"neither SQuAD 2 nor PubMedQA: {what}") from error
    if not found.questions:
        raise CorpusError(str(file), None, "holds no question")
    return found


def confidence_table(dataset: Dataset, graded: Sequence[Graded]) -> str:
    """Does confidence tell the questions that have an answer from the others, and those decided from the open ones?"""
    sure = {one.question.id: one.answer.confidence for one in graded if one.asker is None and one.answer}
    answerable = {one.question.id: one.question.answerable for one in graded}
    rows: list[Sequence[str]] = [["confidence", "questions", "AUC"]]
    pairs = [("answerable against not", answerable)]
    if dataset.decisions:
        pairs.append(("yes or no against maybe", {one: said != "maybe" for one, said in dataset.decisions.items()}))
    for name, flags in pairs:
        sides = [sure[one] for one in sure if flags.get(one)], [sure[one] for one in sure if not flags.get(one)]
        if all(sides):
            low, high = auc_interval(*sides)
            rows.append(
                [name, f"{len(sides[0])} against {len(sides[1])}", f"{auc(*sides):.3f} [{low:.3f}, {high:.3f}]"]
            )
    return aligned(rows) if len(rows) > 1 else ""


def _squad(name: str, record: Mapping[str, Any]) -> Dataset:
    papers, questions = [], []
    for article in record["data"]:
        for number, paragraph in enumerate(article["paragraphs"], start=1):
            paper = Paper(f"{article['title']}-{number}", str(article["title"]).replace("_", " "), paragraph["context"])
            papers.append(paper)
            questions += list(_squad_questions(paper, paragraph["qas"]))
    return Dataset(name, tuple(papers), tuple(questions), {})


def _squad_questions(paper: Paper, entries: Sequence[Mapping[str, Any]]) -> Iterator[GoldQuestion]:
    for entry in entries:
        forms = tuple(dict.fromkeys(str(one["text"]).strip() for one in entry["answers"] if str(one["text"]).strip()))
        impossible = bool(entry.get("is_impossible", False))
        if not impossible and not forms:
            raise ValueError(f"the question {entry['id']} is answerable and has no answer")
        yield _question(
            str(entry["id"]), entry["question"], paper, () if impossible else (forms,), answerable=not impossible
        )


def _pubmedqa(name: str, record: Mapping[str, Any]) -> Dataset:
    papers, questions, decisions = [], [], {}
    for pmid, entry in record.items():
        decision = str(entry["final_decision"]).casefold()
        if decision not in DECISIONS:
            raise ValueError(f"{pmid} decides {decision!r}, which is none of {', '.join(DECISIONS)}")
        paper = Paper(str(pmid), f"PubMed {pmid}", " ".join(entry["CONTEXTS"]))
        papers.append(paper)
        questions.append(_question(str(pmid), entry["QUESTION"], paper, (), answerable=True))
        decisions[str(pmid)] = decision
    return Dataset(name, tuple(papers), tuple(questions), decisions)


def _question(
    name: str, text: str, paper: Paper, facts: tuple[tuple[str, ...], ...], *, answerable: bool
) -> GoldQuestion:
    expects: Expects = "answer" if answerable else "abstain"
    return GoldQuestion(
        id=name,
        kind="fact" if facts else "single" if answerable else "unanswerable",
        expects=expects,
        turns=(text.strip(),),
        standalone=text.strip(),
        gold={paper.id: 2} if answerable else {},
        facts=facts,
        phrasings=(),
        near=() if answerable else (paper.id,),
        note="",
        split="test",
        topic=paper.title,
    )
