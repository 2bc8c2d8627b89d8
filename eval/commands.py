"""``readback eval …``: results on stdout, messages on stderr; exit code 1 when a floor is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from eval.config import Config
    from eval.gold import Dataset
    from eval.lab.verdicts import Task
    from eval.results import Run
    from eval.run import Setup
    from rag.settings import Settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SPLIT = click.Choice(["dev", "test"])


@click.group(invoke_without_command=True)
@click.pass_context
def evaluation(context: click.Context) -> None:
    """Measure answers on gold questions, and compare runs.

    Without a command: run the test questions, print the table and write the report.
    """
    if context.invoked_subcommand is None:
        context.invoke(run_command, report=True)


@evaluation.command("run")
@click.option("--config", "file", type=FILE, help="A TOML file; options of the command line go first.")
@click.option("--split", type=SPLIT, help="Which questions; test by default.")
@click.option("--kinds", help="Of these kinds alone, with commas: single,fact,multi,…")
@click.option("--systems", help="These systems alone, with commas: readback,bm25,embedder,llamaindex,…")
@click.option("--limit", type=click.IntRange(min=0), help="So many questions at most, of all kinds alike.")
@click.option("--fast", is_flag=True, help="A subset of the development questions that takes seconds.")
@click.option("--report/--no-report", default=False, help="Also write the HTML report.")
@click.option("--blame/--no-blame", default=None, help="Find the stage to blame; default: unless a model is asked.")
@click.option("--floors/--no-floors", default=True, help="Fail if eval/floors.toml is broken.")
def run_command(
    file: Path | None = None,
    split: str | None = None,
    kinds: str | None = None,
    systems: str | None = None,
    limit: int | None = None,
    fast: bool = False,
    report: bool = False,
    blame: bool | None = None,
    floors: bool = True,
) -> None:
    """Ask the gold questions, print the table and store the results. Interrupted, it goes on where it stopped."""
    from dataclasses import replace

    from eval.config import Config

    given: dict[str, Any] = {"split": split, "kinds": _names(kinds), "systems": _names(systems), "limit": limit}
    config = Config.read(file) if file else Config()
    config = replace(config, **{key: value for key, value in given.items() if value is not None})
    config = config.fast() if fast else config
    with _opened(config, _settings()) as setup:
        run = _execute(setup)
        if blame or (blame is None and not setup.settings.writes):
            _blame(setup, run)
        if report:
            from eval.report import write_report

            click.echo(f"Report: {write_report(run)}", err=True)
    if floors and not _hold(run, config, fast=fast):
        raise SystemExit(1)


@evaluation.command("report")
@click.argument("run", default="latest")
def report_command(run: str) -> None:
    """Write the HTML report of a run: its id, the beginning of it, or "latest"."""
    from eval.report import write_report
    from eval.results import find

    click.echo(write_report(find(_home(), run)))


@evaluation.command("compare")
@click.argument("before")
@click.argument("after")
def compare_command(before: str, after: str) -> None:
    """Is AFTER better than BEFORE? Each is a run, or RUN:SYSTEM, such as latest:bm25."""
    from eval.compare import Side, cautions, compare_values, comparison_table

    old, new = Side.of(_home(), before), Side.of(_home(), after)
    for caution in cautions(old, new):
        click.echo(caution, err=True)
    click.echo(f"before: {old}\nafter:  {new}\n")
    click.echo(comparison_table(compare_values(old.values, new.values)))


@evaluation.command("history")
@click.option("--split", type=SPLIT, default="test", show_default=True)
def history_command(split: str) -> None:
    """Plot the full runs over time into an HTML page."""
    from eval.history import write_history

    click.echo(write_history(_home(), split))


@evaluation.command("retrieval")
@click.argument("path", type=FOLDER)
@click.option("--limit", type=click.IntRange(min=0), default=0, help="So many queries at most; 0: all.")
def retrieval_command(path: Path, limit: int) -> None:
    """Rank the documents of a folder in BEIR's format, with Readback and the baselines."""
    from eval.lab.beir import rankers, read_benchmark
    from eval.lab.benchmark import retrieval_table, run_retrieval

    benchmark = read_benchmark(path).first(limit)
    click.echo(f"{benchmark.name}: {len(benchmark.papers)} documents, {len(benchmark.queries)} queries", err=True)
    home = _home()
    with _bar("indexing", "documents", len(benchmark.papers)) as progress:
        started = rankers(benchmark, _settings(), home / "cache", progress)
        first = next(started)
    with _bar("ranking", "queries", 5 * len(benchmark.queries)) as progress:
        scores = run_retrieval(benchmark, first, started, home, progress)
    click.echo(retrieval_table(scores))


@evaluation.command("claims")
@click.argument("path", type=FOLDER)
@click.option("--split", default="test", show_default=True, help="Of qa.jsonl.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="So many claims at most; 0: all.")
def claims_command(path: Path, split: str, limit: int) -> None:
    """Choose and verify the evidence for expert claims: a folder with SciFact's corpus and qa.jsonl."""
    from eval.lab.claims import claims_table, measure_claims, read_claims

    papers, claims = read_claims(path, split)
    claims = claims[:limit] if limit else claims
    with _bar("indexing", "documents", len(papers)) as indexing:
        from eval.collection import prepare

        own = prepare(_settings(), papers, _home() / "cache", indexing)
    with _bar("verifying", "claims", len(claims)) as progress:
        scores = measure_claims(own, claims, progress)
    click.echo(claims_table(scores))


@evaluation.command("qa")
@click.argument("path", type=FILE)
@click.option("--limit", type=click.IntRange(min=0), default=0, help="So many questions at most; 0: all.")
def qa_command(path: Path, limit: int) -> None:
    """Answer, or decline, the questions of a file in the format of PubMedQA (yes/no/maybe) or SQuAD 2."""
    from eval.config import Config
    from eval.lab.qa import confidence_table, read_dataset
    from eval.run import grade

    dataset = read_dataset(path)
    with _opened(Config(limit=limit), _settings(), dataset) as setup:
        run = _execute(setup)
        for name, graded in grade(run.rows(), setup.questions).items():
            if text := confidence_table(dataset, graded):
                click.echo(f"\n{name}\n{text}")


@evaluation.command("label")
@click.argument("run", default="latest")
@click.option("--against", help="Another run, or RUN:SYSTEM: which of the two replies is better?")
@click.option("--count", default=20, show_default=True, help="Stop after so many.")
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


@evaluation.command("judge")
@click.argument("run", default="latest")
@click.option("--against", help="Another run, or RUN:SYSTEM: which of the two replies is better?")
@click.option("--model", help="The judge's model; default: the one that the settings name.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="So many verdicts at most; 0: all.")
def judge_command(run: str, against: str | None, model: str | None, limit: int) -> None:
    """Let a language model judge stored replies, and combine its verdicts with the labels of people."""
    from eval.lab.verdicts import cases, judge
    from rag.chat_model import OpenAIChat

    task = _task(run, against)
    chat = OpenAIChat.from_settings(_settings(), model)
    known = cases(task.run.questions(), {paper.id: paper for paper in task.run.papers()})
    with _bar("judging", "replies", min(limit or len(known), len(known))) as progress:
        done, errors = judge(task, chat, known, limit=limit, progress=progress)
    click.echo(f"{done} verdicts, {len(errors)} failed.", err=True)
    for error in errors[:5]:
        click.echo(error, err=True)
    _estimate(task)


@evaluation.group("gold")
def gold_group() -> None:
    """The gold questions."""


@gold_group.command("check")
def gold_check_command() -> None:
    """Read all gold questions strictly, look their facts up, and compare them with the frozen hashes."""
    import json

    from eval.gold import GOLD, check_facts, current_hashes, load_gold, read_abstracts

    questions = load_gold()
    complaints = check_facts(questions, read_abstracts())
    frozen = json.loads((GOLD / "HASHES.json").read_text("utf-8"))
    changed = [split for split, now in current_hashes().items() if frozen.get(split) != now]
    complaints += [f"the {split} questions are not those of HASHES.json" for split in changed]
    for complaint in complaints:
        click.echo(complaint, err=True)
    if complaints:
        raise SystemExit(1)
    click.echo(f"{len(questions)} questions, every fact found, hashes as frozen")


@contextmanager
def _opened(config: Config, settings: Settings, others: Dataset | None = None) -> Iterator[Setup]:
    from eval.run import open_setup

    with _bar("indexing", "papers", None) as progress:
        opened = open_setup(config, settings, others=others, progress=progress)
        setup = opened.__enter__()
    try:
        yield setup
    finally:
        opened.__exit__(None, None, None)


def _execute(setup: Setup) -> Run:
    from eval.config import READBACK
    from eval.run import execute, grade
    from eval.slices import slices
    from eval.table import aligned, table

    with _bar("asking", "replies", len(setup.items) * len(setup.systems)) as progress:
        run = execute(setup, progress=progress)
    click.echo(table({name: run.figures(name) for name in run.systems}))
    rows = run.rows()
    for title, part in slices(grade(rows, setup.questions).get(READBACK, [])).items():
        click.echo(f"\n{title}\n{aligned(part)}")
    click.echo(f"\n{len(setup.questions)} questions, run {run.id}.", err=True)
    crashed = [row for row in rows if row.error]
    for row in crashed[:5]:
        click.echo(f"{row.system} crashed on {row.item}: {row.error}", err=True)
    if len(crashed) > 5:
        click.echo(f"… and {len(crashed) - 5} more", err=True)
    return run


def _blame(setup: Setup, run: Run) -> None:
    from eval.failures import tally
    from eval.lab.blame import blame_run

    with _bar("blaming", "failures", None) as progress:
        counts = tally(blame_run(setup, run, progress))
    if counts:
        click.echo("To blame: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def _hold(run: Run, config: Config, *, fast: bool) -> bool:
    """Whether the floors hold. They are for whole runs of all kinds; other slices are not held against them.

    Nor are answers that a language model wrote: how good these are depends on whose model it is.
    """
    from eval.config import READBACK
    from eval.floors import broken

    whole = not config.kinds and (fast or not config.limit) and config.split == ("dev" if fast else "test")
    if not whole or READBACK not in run.systems or run.meta["mode"] != "extractive":
        return True
    complaints = broken(run.figures(READBACK), "fast" if fast else "full")
    for complaint in complaints:
        click.echo(f"Floor broken: {complaint}.", err=True)
    return not complaints


def _task(run: str, against: str | None) -> Task:
    from eval.compare import Side
    from eval.lab.verdicts import Task

    home = _home()
    return Task(Side.of(home, run), Side.of(home, against) if against else None)


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


def _settings() -> Settings:
    from rag.settings import Settings

    return Settings.load()


def _home() -> Path:
    from eval.run import HOME

    return _settings().data_dir / HOME


@contextmanager
def _bar(what: str, unit: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr where someone is looking; what it gives is told how much more is done."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=f" {unit}", leave=False, disable=None) as bar:
        yield lambda count: (bar.update(count), None)[1]


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text is not None else None
