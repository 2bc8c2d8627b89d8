"""``readback events …``: results on stdout, messages on stderr."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.settings import Settings

if TYPE_CHECKING:
    from rag.events import Counts, EventStore


@click.group()
def events() -> None:
    """The record of questions, answers and feedback."""


@events.command("export")
@click.option("--format", type=click.Choice(["jsonl", "parquet"]), default="jsonl", show_default=True)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder; without it, JSON lines on stdout."
)
@click.option("--user", help="Only what belongs to this user.")
def export_command(format: str, out: Path | None, user: str | None) -> None:
    """Write all interactions, feedback and conversations."""
    if out is None and format != "jsonl":
        raise click.UsageError("Parquet needs a folder: --out FOLDER.")
    with opened() as store:
        if out is None:
            for line in store.export_lines(user=user):
                click.echo(line)
        else:
            for path in store.export(out, format, user=user):
                click.echo(path)


@events.command("forget")
@click.option("--user", required=True, help="Whose data.")
@click.option(
    "--export", "out", type=click.Path(file_okay=False, path_type=Path), help="First write the data into this folder."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_command(user: str, out: Path | None, yes: bool) -> None:
    """Delete everything about one user, after handing it over if a folder is given."""
    with opened() as store:
        if not yes:
            click.confirm(f"Delete everything that {user} asked and said?", abort=True, err=True)
        if out is not None:
            for path in store.export(out, "jsonl", user=user):
                click.echo(f"written: {path}", err=True)
        click.echo(deleted(store.forget(user)))


@events.command("purge")
@click.option(
    "--older-than-days", type=click.FloatRange(min=0, min_open=True), help="Default: the retention that is set."
)
def purge_command(older_than_days: float | None) -> None:
    """Delete what is older than a number of days."""
    with opened() as store:
        if older_than_days is None:
            older_than_days = Settings.load().retention_days
        if older_than_days is None:
            raise click.UsageError("No retention is set: name the days with --older-than-days.")
        click.echo(deleted(store.purge(older_than_days)))


@events.command("stats")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def stats_command(as_json: bool) -> None:
    """What the record holds, in numbers."""
    with opened() as store:
        stats = asdict(store.stats())
    if as_json:
        click.echo(json.dumps(stats, default=str))
        return
    said = stats.pop("feedback")
    for name, value in stats.items():
        click.echo(f"{name.replace('_', ' '):32}{'-' if value is None else value}")
    for kind, number in said.items():
        click.echo(f"{'feedback ' + kind:32}{number}")


def opened() -> EventStore:
    """The record that the settings mean. Raises EventError."""
    from rag.events.opening import open_store  # which takes its time

    return open_store(Settings.load())


def deleted(counts: Counts) -> str:
    """What was deleted, in one line."""
    return (
        f"deleted: {counts.interactions} interactions, {counts.feedback} feedback, {counts.conversations} conversations"
    )
