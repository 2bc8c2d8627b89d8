"""``readback eval …``: results on stdout, messages on stderr; exit code 1 when a floor is broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eval.console import FILE, home, opened_setup, progress_bar, run_and_print, settings_of_user
from eval.lab.commands import COMMANDS

if TYPE_CHECKING:
    from eval.config import Config
    from eval.results import Run
    from eval.run import Setup

SPLIT = click.Choice(["dev", "test"])


@click.group(invoke_without_command=True)
@click.pass_context
def evaluation(context: click.Context) -> None:
    """Measure answers on gold questions, and compare runs.

    Without a command: run the development questions, print the table and write the report.
    """
    if context.invoked_subcommand is None:
        context.invoke(run_command, report=True)


@evaluation.command("run")
@click.option("--config", "file", type=FILE, help="A TOML file; options of the command line go first.")
@click.option(
    "--split", type=SPLIT, help="Which questions; dev by default. Note each look at test in eval/gold/README.md."
)
@click.option("--kinds", help="Of these kinds alone, with commas: single,fact,multi,…")
@click.option("--systems", help="These systems alone, with commas: readback,bm25,embedder,llamaindex,…")
@click.option("--limit", type=click.IntRange(min=0), help="Maximum number of questions, of all kinds in proportion.")
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
    with opened_setup(config, settings_of_user()) as setup:
        run = run_and_print(setup)
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

    click.echo(write_report(find(home(), run)))


@evaluation.command("compare")
@click.argument("before")
@click.argument("after")
def compare_command(before: str, after: str) -> None:
    """Is AFTER better than BEFORE? Each is a run, or RUN:SYSTEM, such as latest:bm25."""
    from eval.compare import Side, cautions, compare_values, comparison_table

    old, new = Side.of(home(), before), Side.of(home(), after)
    for caution in cautions(old, new):
        click.echo(caution, err=True)
    click.echo(f"before: {old}\nafter:  {new}\n")
    click.echo(comparison_table(compare_values(old.values, new.values)))


@evaluation.command("history")
@click.option("--split", type=SPLIT, default="dev", show_default=True)
def history_command(split: str) -> None:
    """Plot the full runs over time into an HTML page."""
    from eval.history import write_history

    click.echo(write_history(home(), split))


for command in COMMANDS:
    evaluation.add_command(command)


@evaluation.group("gold")
def gold_group() -> None:
    """The gold questions."""


@gold_group.command("check")
def gold_check_command() -> None:
    """Read all gold questions strictly, look their facts up, and compare them with the frozen hashes."""
    import json

    from eval.gold import GOLD, load_gold
    from eval.goldcheck import check_facts, current_hashes, read_abstracts

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


@gold_group.command("freeze")
def gold_freeze_command() -> None:
    """Record the content of both splits, so that a later change of a question cannot go unnoticed."""
    from eval.goldcheck import freeze

    click.echo(freeze())


def _blame(setup: Setup, run: Run) -> None:
    from eval.failures import tally
    from eval.lab.blame import blame_run

    with progress_bar("blaming", "failures", None) as progress:
        counts = tally(blame_run(setup, run, progress))
    if counts:
        click.echo("To blame: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def _hold(run: Run, config: Config, *, fast: bool) -> bool:
    """Whether the floors hold. They are for whole runs of all kinds; other slices are not held against them.

    Nor are answers that a language model wrote: how good these are depends on whose model it is.
    """
    from eval.config import READBACK
    from eval.floors import broken

    whole = not config.kinds and (fast or not config.limit) and config.split == "dev"
    if not whole or READBACK not in run.systems or run.meta["mode"] != "extractive":
        return True
    complaints = broken(run.figures(READBACK), "fast" if fast else "full")
    for complaint in complaints:
        click.echo(f"Floor broken: {complaint}.", err=True)
    return not complaints


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text is not None else None
