"""What the commands of the core and of the lab share: settings, progress, a run that is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from eval.config import Config
    from eval.gold import Dataset
    from eval.results import Run
    from eval.run import Setup
    from rag.settings import Settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@contextmanager
def opened_setup(config: Config, settings: Settings, others: Dataset | None = None) -> Iterator[Setup]:
    from eval.run import open_setup

    with progress_bar("indexing", "papers", None) as progress:
        opened = open_setup(config, settings, others=others, progress=progress)
        setup = opened.__enter__()
    try:
        yield setup
    finally:
        opened.__exit__(None, None, None)


def run_and_print(setup: Setup) -> Run:
    from eval.config import READBACK
    from eval.run import execute, grade
    from eval.slices import slices
    from eval.table import aligned, table

    with progress_bar("asking", "replies", len(setup.items) * len(setup.systems)) as progress:
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


def settings_of_user() -> Settings:
    from rag.settings import Settings

    return Settings.load()


def home() -> Path:
    from eval.run import HOME

    return settings_of_user().data_dir / HOME


@contextmanager
def progress_bar(what: str, unit: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr where someone is looking; what it gives is told how much more is done."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=f" {unit}", leave=False, disable=None) as bar:
        yield lambda count: (bar.update(count), None)[1]
