"""``readback eval …`` of the lab: other people's data, natural questions, labels and judges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eval.console import FILE, FOLDER, home, opened_setup, progress_bar, run_and_print, settings_of_user

if TYPE_CHECKING:
    from eval.gold import Half
    from eval.lab.verdicts import Task


@click.command("retrieval")
@click.argument("path", type=FOLDER)
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Maximum number of queries; 0: all.")
def retrieval_command(path: Path, limit: int) -> None:
    """Rank the documents of a folder in BEIR's format, with Readback and the baselines."""
    from eval.lab.beir import rankers, read_benchmark
    from eval.lab.benchmark import retrieval_table, run_retrieval

    benchmark = read_benchmark(path).first(limit)
    click.echo(f"{benchmark.name}: {len(benchmark.papers)} documents, {len(benchmark.queries)} queries", err=True)
    folder = home()
    with progress_bar("indexing", "documents", len(benchmark.papers)) as progress:
        started = rankers(benchmark, settings_of_user(), folder / "cache", progress)
        first = next(started)
    with progress_bar("ranking", "queries", 6 * len(benchmark.queries)) as progress:
        scores = run_retrieval(benchmark, first, started, folder, progress)
    click.echo(retrieval_table(scores))


@click.command("claims")
@click.argument("path", type=FOLDER)
@click.option("--split", default="test", show_default=True, help="Of qa.jsonl.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Maximum number of claims; 0: all.")
def claims_command(path: Path, split: str, limit: int) -> None:
    """Choose and verify the evidence for expert claims: a folder with SciFact's corpus and qa.jsonl."""
    from eval.lab.claims import claims_table, measure_claims, read_claims

    papers, claims = read_claims(path, split)
    claims = claims[:limit] if limit else claims
    with progress_bar("indexing", "documents", len(papers)) as indexing:
        from eval.collection import prepare

        own = prepare(settings_of_user(), papers, home() / "cache", indexing)
    with progress_bar("verifying", "claims", len(claims)) as progress:
        scores = measure_claims(own, claims, progress)
    click.echo(claims_table(scores))


@click.command("qa")
@click.argument("path", type=FILE)
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Maximum number of questions; 0: all.")
def qa_command(path: Path, limit: int) -> None:
    """Answer, or decline, the questions of a file in the format of PubMedQA (yes/no/maybe) or SQuAD 2."""
    from eval.config import Config
    from eval.lab.qa import confidence_table, read_dataset
    from eval.run import grade

    dataset = read_dataset(path)
    with opened_setup(Config(limit=limit), settings_of_user(), dataset) as setup:
        run = run_and_print(setup)
        for name, graded in grade(run.rows(), setup.questions).items():
            if text := confidence_table(dataset, graded):
                click.echo(f"\n{name}\n{text}")


@click.command("natural")
@click.option("--half", type=click.Choice(["held-out", "fit"]), default="fit", show_default=True)
def natural_command(half: Half) -> None:
    """Ask the questions that researchers type into a search box. Looking at the held-out half counts as a look."""
    from eval.config import Config
    from eval.gold import Dataset, load_natural
    from rag.corpus import read
    from rag.settings import shipped_corpus

    papers = tuple(read(shipped_corpus()).papers)
    with opened_setup(
        Config(), settings_of_user(), Dataset(f"natural-{half}", papers, load_natural(half), {})
    ) as setup:
        run_and_print(setup)


@click.command("label")
@click.argument("run", default="latest")
@click.option("--against", help="Another run, or RUN:SYSTEM: which of the two replies is better?")
@click.option("--count", default=20, show_default=True, help="Number of labels after which to stop.")
@click.option("--who", envvar="USER", default="someone", help="Who labels.")
def label_command(run: str, against: str | None, count: int, who: str) -> None:
    """Say of stored replies whether they are right, or which is better; and see what that means for all of them."""
    from eval.lab.label import label
    from eval.lab.verdicts import cases

    task = _task(run, against)
    known = cases(task.run.questions(), {paper.id: paper for paper in task.run.papers()})

    def ask(prompt: str) -> str:
        return str(click.prompt(prompt, prompt_suffix=": ", default="", show_default=False))

    done = label(task, known, count=count, who=who, ask=ask, say=click.echo)
    click.echo(f"{done} labels made.", err=True)
    _estimate(task)


@click.command("judge")
@click.argument("run", default="latest")
@click.option("--against", help="Another run, or RUN:SYSTEM: which of the two replies is better?")
@click.option("--model", help="The judge's model; default: the one that the settings name.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Maximum number of verdicts; 0: all.")
def judge_command(run: str, against: str | None, model: str | None, limit: int) -> None:
    """Let a language model judge stored replies, and combine its verdicts with the labels of people."""
    from eval.lab.verdicts import cases, judge
    from rag.chat_model import OpenAIChat

    task = _task(run, against)
    chat = OpenAIChat.from_settings(settings_of_user(), model)
    known = cases(task.run.questions(), {paper.id: paper for paper in task.run.papers()})
    with progress_bar("judging", "replies", min(limit or len(known), len(known))) as progress:
        done, errors = judge(task, chat, known, limit=limit, progress=progress)
    click.echo(f"{done} verdicts, {len(errors)} failed.", err=True)
    for error in errors[:5]:
        click.echo(error, err=True)
    _estimate(task)


def _task(run: str, against: str | None) -> Task:
    from eval.compare import Side
    from eval.lab.verdicts import Task

    folder = home()
    return Task(Side.of(folder, run), Side.of(folder, against) if against else None)


def _estimate(task: Task) -> None:
    from statistics import fmean

    from eval.lab.verdicts import JUDGED, LABELS, estimate, read, said, store

    found = estimate(task)
    if found is not None:
        store(task, found)
        click.echo(f"{task.name}: {said(found)}")
        return
    judged = read(task.run, JUDGED, task)
    if judged:
        click.echo(
            f"{task.name}: {fmean(judged.values()):.3f} in the judge's opinion alone, on {len(judged)} questions."
        )
    few = len(read(task.run, LABELS, task))
    click.echo(f"{few} labels by people: readback eval label makes an estimate that the judge cannot bias.", err=True)


COMMANDS: tuple[click.Command, ...] = (
    retrieval_command,
    claims_command,
    qa_command,
    natural_command,
    label_command,
    judge_command,
)
