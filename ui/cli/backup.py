"""``readback backup`` and ``restore``: the data folder of a live installation, whole or not at all.

Copied is what cannot be made again: the catalog with its vectors, the record of events, policies, users and the key of
the logins. SQLite files are copied by its own backup, which waits for nobody and sees one moment. The vectors in Chroma
are made again from the catalog at the first search after a restore.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from rag.errors import ReadbackError
from rag.settings import Settings

DATABASES = ("catalog.sqlite3", "events.db")
FILES = ("users.json", "server.key", "revoked.json")
FOLDERS = ("policies",)


class BackupError(ReadbackError):
    """A backup cannot be made or restored where it was asked for."""


@click.command()
@click.argument("destination", type=click.Path(file_okay=False, path_type=Path))
def backup(destination: Path) -> None:
    """Copy the data folder to DESTINATION, which must not exist yet. Servers and indexers may go on meanwhile."""
    settings = Settings.load()
    if not (settings.data_dir / DATABASES[0]).is_file():
        raise BackupError(f"There is nothing to back up: {settings.data_dir} holds no index. Run: readback index")
    _whole(destination, lambda fresh: _copy(settings.data_dir, fresh))
    click.echo(f"{destination} holds the installation as it was.")
    if settings.events_url is not None:
        click.echo("The record of events is in a database of its own: back that up with its own tools.", err=True)


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(source: Path) -> None:
    """Put the backup SOURCE where the settings look for data; nothing may be there yet."""
    settings = Settings.load()
    if not (source / DATABASES[0]).is_file():
        raise BackupError(f"{source} is no backup of Readback: it holds no {DATABASES[0]}.")
    _whole(settings.data_dir, lambda fresh: _copy(source, fresh))
    click.echo(f"{settings.data_dir} holds what was backed up.")


def _whole(target: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder that appears with everything in it: a run that is killed leaves only a hidden one beside it."""
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty. Name another folder, or move this one away.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            fresh = Path(folder) / "whole"
            fresh.mkdir(mode=0o700)
            fill(fresh)
            if target.exists():
                target.rmdir()
            fresh.replace(target)
    except (OSError, sqlite3.DatabaseError) as error:
        raise BackupError(f"{target} could not be written: {error}. Nothing was changed.") from error


def _copy(source: Path, fresh: Path) -> None:
    for name in DATABASES:
        if (source / name).is_file():
            with closing(sqlite3.connect(source / name)) as old, closing(sqlite3.connect(fresh / name)) as new:
                old.backup(new)
            (fresh / name).chmod((source / name).stat().st_mode & 0o777)
    for name in FILES:
        if (source / name).is_file():
            shutil.copy2(source / name, fresh / name)
    for name in FOLDERS:
        if (source / name).is_dir():
            shutil.copytree(source / name, fresh / name)
