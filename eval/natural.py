"""The natural questions: what researchers type into a search box, answered by ``readback ask --batch`` and scored.

    python -m eval.natural              # the held-out half, never fitted on
    python -m eval.natural --half fit

Prints one table: Readback beside BM25 alone and dense search alone, all over the same index in the same run. The lines
of ``gold/natural/questions.jsonl`` are gold questions with one more key, the half; questions on paper details that no
abstract states, on neighbouring topics and out of scope are among them.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from eval.gold import GOLD
from eval.metrics import cited_precision, fact_coverage, recall
from rag.index.ports import Row
from rag.text import content_stems
from rag.types import Options

NATURAL = GOLD / "natural" / "questions.jsonl"


@dataclass(frozen=True, slots=True)
class NaturalQuestion:
    """One question with what a right answer to it holds."""

    id: str
    kind: str  # single, fact, multi or unanswerable
    text: str
    gold: dict[str, int]  # paper id → grade; 2 answers, 1 is partially relevant
    facts: tuple[tuple[str, ...], ...]

    @property
    def answerable(self) -> bool:
        """Whether silence would be wrong."""
        return bool(self.gold)

    @property
    def central(self) -> tuple[str, ...]:
        """Ids of the papers that answer."""
        return tuple(paper_id for paper_id, grade in self.gold.items() if grade == 2)


def load_natural(half: str) -> list[NaturalQuestion]:
    """One half of the natural questions: "fit" or "held-out"."""
    records = [json.loads(line) for line in NATURAL.read_text(encoding="utf-8").splitlines()]
    return [
        NaturalQuestion(
            record["id"],
            record["kind"],
            record["turns"][-1]["question"],
            record["gold"],
            tuple(tuple(forms) for forms in record["facts"]),
        )
        for record in records
        if record["half"] == half
    ]


@click.command()
@click.option("--half", type=click.Choice(["held-out", "fit"]), default="held-out", show_default=True)
def main(half: str) -> None:
    """Ask one half of the natural questions and print the scores."""
    from rag.batch import run_batch
    from rag.collection import Collection
    from rag.engine import Assistant
    from rag.settings import Settings

    questions = load_natural(half)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), mode="extractive")
        batch, out = Path(folder) / "questions.jsonl", Path(folder) / "answers.jsonl"
        lines = [json.dumps({"id": one.id, "turns": [{"question": one.text}]}) for one in questions]
        batch.write_text("\n".join(lines), encoding="utf-8")
        with Assistant.open(settings) as assistant:
            run_batch(assistant, batch, out, Options())
            abstracts = {paper.id: paper.abstract for paper in assistant.papers()}
        answers = [json.loads(line)["result"] for line in out.read_text(encoding="utf-8").splitlines()]
        collection = Collection.open(settings)
        view = collection.view()
        searches: dict[str, Callable[[str], list[str]]] = {
            "BM25 alone": lambda text: _ids(view.matching(Counter(content_stems(text)), {}, 100, Options())),
            "dense alone": lambda text: _ids(view.nearest(view.embed(text), 100, Options())),
        }
        baselines = {name: [search(one.text) for one in questions] for name, search in searches.items()}
        collection.close()
    ours = [[paper["paper_id"] for paper in answer["retrieved"]] for answer in answers]
    _rankings(questions, {"Readback": ours, **baselines})
    _answers(questions, answers, abstracts)


def _ids(rows: Sequence[tuple[Row, float]]) -> list[str]:
    return list(dict.fromkeys(row[0] for row, _ in rows))


def _rankings(questions: Sequence[NaturalQuestion], systems: dict[str, list[list[str]]]) -> None:
    one = [place for place, question in enumerate(questions) if len(question.central) == 1]
    several = [place for place, question in enumerate(questions) if len(question.central) > 1]
    click.echo(f"{'':<14}{'R@1':>7}{'R@5':>7}{'R@10':>7}   ({len(one)} questions with one right paper)", nl=False)
    click.echo(f"{'all@10':>9}   ({len(several)} with several)")
    for name, ranked in systems.items():
        found = [_mean([recall(ranked[i], questions[i].gold, k, min_grade=2) for i in one]) for k in (1, 5, 10)]
        whole = _mean([recall(ranked[i], questions[i].gold, 10, min_grade=2) == 1.0 for i in several])
        click.echo(f"{name:<14}" + "".join(f"{value:>7.3f}" for value in found) + f"{whole:>44.3f}")


def _answers(
    questions: Sequence[NaturalQuestion], answers: Sequence[dict[str, Any]], abstracts: dict[str, str]
) -> None:
    pairs = list(zip(questions, answers, strict=True))
    asked = [(question, answer) for question, answer in pairs if question.answerable]
    said = [(question, answer) for question, answer in asked if not answer["abstained"]]
    facts = [fact_coverage(_said(answer), question.facts) for question, answer in asked if question.kind != "multi"]
    cited = [
        cited_precision(list(dict.fromkeys(one["paper_id"] for one in answer["citations"])), question.gold)
        for question, answer in said
    ]
    quotes = [one for answer in answers for one in (*answer["citations"], *answer["closest"])]
    exact = [abstracts[one["paper_id"]][one["start"] : one["end"]] == one["quote"] for one in quotes]
    refused = [answer["abstained"] for _, answer in asked]
    invented = [answer["verdict"] == "answered" for question, answer in pairs if not question.answerable]
    warm = [answer["timings_ms"]["total"] for answer in answers[1:]]
    for name, value, count in (
        ("asked-for facts quoted (a refusal has none)", _mean(facts), len(facts)),
        ("cited papers that are right", _mean(cited), len(cited)),
        ("quotes that stand exactly in their abstract", _mean(exact), len(exact)),
        ("wrongly refused", _mean(refused), len(refused)),
        ("invented: answered though nothing answers it", _mean(invented), len(invented)),
    ):
        click.echo(f"{name:<46}{value:>7.3f}   of {count}")
    click.echo(f"{'milliseconds an answer, median':<46}{float(np.median(warm)):>7.1f}")


def _said(answer: dict[str, Any]) -> str:
    return "" if answer["abstained"] else " ".join(one["quote"] for one in answer["citations"])


def _mean(values: Sequence[float | bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


if __name__ == "__main__":
    main()
