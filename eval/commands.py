"""``readback eval …``: results on stdout, messages on stderr; exit code 1 when a floor is broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from eval.config import Config
    from eval.results import Run
    from rag.settings import Settings

KINDS = ("single", "fact", "multi", "unanswerable", "false_premise", "out_of_scope", "conversation")


@click.group(invoke_without_command=True)
@click.pass_context
def evaluation(context: click.Context) -> None:
    """Measure answers on gold questions, and compare runs.

    Without a command: run the test questions, print the table and write the report.
    """
    if context.invoked_subcommand is None:
        context.invoke(run_command)


def run_options(command: Any) -> Any:
    """What an evaluation can be told on the command line."""
    for option in reversed(
        (
            click.option(
                "--config", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file."
            ),
            click.option("--split", type=click.Choice(["dev", "test"]), help="Which questions; test by default."),
            click.option("--kinds", help=f"Of these kinds alone, with commas: {', '.join(KINDS)}."),
            click.option("--systems", help="These systems alone, with commas."),
            click.option("--limit", type=click.IntRange(min=0), help="So many questions at most, of all kinds alike."),
            click.option("--fast", is_flag=True, help="A subset of the development questions that takes seconds."),
            click.option("--floors/--no-floors", default=True, help="Fail if eval/floors.toml is broken."),
        )
    ):
        command = option(command)
    return command


@evaluation.command("run")
@run_options
def run_command(
    file: Path | None = None,
    split: str | None = None,
    kinds: str | None = None,
    systems: str | None = None,
    limit: int | None = None,
    fast: bool = False,
    floors: bool = True,
) -> None:
    """Ask the gold questions, print the table and store the results. Interrupted, it goes on where it stopped."""
    from eval.config import Config

    config = Config.read(file) if file else Config()
    given = {"split": split, "kinds": _names(kinds), "systems": _names(systems), "limit": limit}
    config = _changed(config, {key: value for key, value in given.items() if value is not None})
    if fast:
        config = config.fast()
    run = _execute(config, _settings())
    if floors and not _hold(run, config, fast=fast):
        raise SystemExit(1)


def _execute(config: Config, settings: Settings) -> Run:
    from tqdm import tqdm

    from eval.config import READBACK
    from eval.run import execute, open_setup
    from eval.table import table

    with tqdm(desc="indexing", unit=" papers", leave=False, disable=None) as bar:
        opened = open_setup(config, settings, progress=bar.update)
        setup = opened.__enter__()
    try:
        total = len(setup.items) * len(setup.systems)
        with tqdm(total=total, desc="asking", unit=" replies", leave=False, disable=None) as bar:
            run = execute(setup, progress=bar.update)
    finally:
        opened.__exit__(None, None, None)
    click.echo(table({name: run.figures(name) for name in run.systems}))
    meta = run.meta
    click.echo(f"\n{len(meta['questions'])} questions of the {config.split} split. Stored in {run.folder}", err=True)
    crashed = [row for row in run.rows() if row.error]
    for row in crashed[:5]:
        click.echo(f"{row.system} crashed on {row.item}: {row.error}", err=True)
    if len(crashed) > 5:
        click.echo(f"… and {len(crashed) - 5} more", err=True)
    if READBACK not in run.systems:
        click.echo("Readback itself was not asked.", err=True)
    return run


def _hold(run: Run, config: Config, *, fast: bool) -> bool:
    """Whether the floors hold. They are for whole runs of all kinds; other slices are not held against them."""
    from eval.config import READBACK
    from eval.floors import broken

    whole = not config.kinds and (fast or not config.limit) and config.split == ("dev" if fast else "test")
    if not whole or READBACK not in run.systems:
        return True
    complaints = broken(run.figures(READBACK), "fast" if fast else "full")
    for complaint in complaints:
        click.echo(f"Floor broken: {complaint}.", err=True)
    return not complaints


def _settings() -> Settings:
    from rag.settings import Settings

    return Settings.load()


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text is not None else None


def _changed(config: Config, given: dict[str, Any]) -> Config:
    from dataclasses import replace

    return replace(config, **given)
