"""``readback events …``: results on stdout, messages on stderr."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

import rag.events
from rag.errors import ReadbackError
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
@click.pass_context
def export_command(context: click.Context, format: str, out: Path | None, user: str | None) -> None:
    """Write all interactions, feedback and conversations."""
    if out is None and format != "jsonl":
        raise click.UsageError("Parquet needs a folder: --out FOLDER.")
    with store_of(context) as store:
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
@click.pass_context
def forget_command(context: click.Context, user: str, out: Path | None, yes: bool) -> None:
    """Delete everything about one user, after handing it over if a folder is given."""
    with store_of(context) as store:
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
@click.pass_context
def purge_command(context: click.Context, older_than_days: float | None) -> None:
    """Delete what is older than a number of days."""
    with store_of(context) as store:
        if older_than_days is None:
            older_than_days = getattr(Settings.load(), "retention_days", None)
        if older_than_days is None:
            raise click.UsageError("No retention is set: name the days with --older-than-days.")
        click.echo(deleted(store.purge(older_than_days)))


@events.command("stats")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_context
def stats_command(context: click.Context, as_json: bool) -> None:
    """What the record holds, in numbers."""
    with store_of(context) as store:
        stats = asdict(store.stats())
    if as_json:
        click.echo(json.dumps(stats, default=str))
        return
    said = stats.pop("feedback")
    for name, value in stats.items():
        click.echo(f"{name.replace('_', ' '):32}{'-' if value is None else value}")
    for kind, number in said.items():
        click.echo(f"{'feedback ' + kind:32}{number}")


@contextlib.contextmanager
def store_of(context: click.Context) -> Iterator[EventStore]:
    """The store that ``context.obj.event_store()`` gives, left open; else one from the settings, closed afterwards."""
    with _complaining():
        given = getattr(context.obj, "event_store", None)
        if given is not None:
            yield given()
        else:
            with rag.events.open_store(Settings.load()) as store:
                yield store


@contextlib.contextmanager
def _complaining() -> Iterator[None]:
    try:
        yield
    except ReadbackError as error:
        raise click.ClickException(str(error)) from error


def deleted(counts: Counts) -> str:
    """What was deleted, in one line."""
    return (
        f"deleted: {counts.interactions} interactions, {counts.feedback} feedback, {counts.conversations} conversations"
    )
