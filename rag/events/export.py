"""The record in the formats that other programs read: JSON Lines and Parquet."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import select

from rag.events.codec import answer_json, options_json
from rag.events.database import Database
from rag.events.errors import EventRefused, EventsUnavailable
from rag.events.reading import episodes
from rag.events.records import Feedback, Interaction
from rag.events.schema import conversations

Format = Literal["jsonl", "parquet"]
SORTS = ("interactions", "feedback", "conversations")
ROWS = 1_000  # in one Parquet row group


def lines(database: Database, user: str | None) -> Iterator[str]:
    """Every record as one line of JSON, without the line end; ``type`` says which sort it is."""
    for sort, row in records(database, user):
        yield json.dumps({"type": sort, **row}, default=_json, ensure_ascii=False, allow_nan=False)


def files(database: Database, folder: Path, format: str, user: str | None) -> list[Path]:
    """One file for each sort of record; a file appears under its name when it is complete.

    Raises EventRefused for an unknown format, EventsUnavailable if the folder cannot be written.
    """
    if format not in get_args(Format):
        raise EventRefused(f"Unknown format of export: use one of {', '.join(get_args(Format))}.")
    paths = {sort: folder / f"{sort}.{format}" for sort in SORTS}
    parts = {sort: path.with_name(f".{path.name}.{os.getpid()}.part") for sort, path in paths.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.callback(_remove, parts.values())
            if format == "jsonl":
                _write_jsonl(records(database, user), parts)
            else:
                _write_parquet(records(database, user), parts)
            for sort, path in paths.items():
                parts[sort].replace(path)
    except OSError as error:
        raise EventsUnavailable(f"{folder} cannot be written: {error.strerror}.") from error
    return list(paths.values())


def records(database: Database, user: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """All records as plain dictionaries with their sort. feedback follows the interaction it is on."""
    for episode in episodes(database, 0, None, user):
        yield "interactions", _interaction(episode.interaction)
        for feedback in episode.feedback:
            yield "feedback", _feedback(feedback)
    yield from (("conversations", row) for row in _conversations(database, user))


def _interaction(interaction: Interaction) -> dict[str, Any]:
    row = {name: getattr(interaction, name) for name in interaction.__slots__}
    row["papers"] = [{**asdict(paper), "shown": paper.shown} for paper in interaction.papers]
    row["options"] = json.loads(options_json(interaction.options, keep_texts=True) or "{}")
    row["answer"] = None if interaction.answer is None else json.loads(answer_json(interaction.answer))
    return row


def _feedback(feedback: Feedback) -> dict[str, Any]:
    return {name: getattr(feedback, name) for name in feedback.__slots__}


def _conversations(database: Database, user: str | None) -> list[dict[str, Any]]:
    column = conversations.c
    wanted = select(column.id, column.user_id.label("user"), column.title, column.started, column.updated)
    wanted = wanted.where(column.deleted.is_(None)).order_by(column.user_id, column.id)
    if user is not None:
        wanted = wanted.where(column.user_id == user)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(wanted).mappings()]


def _write_jsonl(rows: Iterable[tuple[str, Mapping[str, Any]]], parts: Mapping[str, Path]) -> None:
    with contextlib.ExitStack() as stack:
        open_files = {
            sort: stack.enter_context(os.fdopen(_private(path), "w", encoding="utf-8")) for sort, path in parts.items()
        }
        for sort, row in rows:
            open_files[sort].write(json.dumps(row, default=_json, ensure_ascii=False, allow_nan=False) + "\n")


def _write_parquet(rows: Iterator[tuple[str, dict[str, Any]]], parts: Mapping[str, Path]) -> None:
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")  # heavy, and without types

    schemas = _schemas()
    with contextlib.ExitStack() as stack:
        writers = {}
        for sort, path in parts.items():
            os.close(_private(path))
            writers[sort] = stack.enter_context(pq.ParquetWriter(path, schemas[sort], compression="zstd"))
        while chunk := list(islice(rows, ROWS)):
            for sort in SORTS:
                mine = [_parquet_row(row) for kind, row in chunk if kind == sort]
                if mine:
                    writers[sort].write_table(pa.Table.from_pylist(mine, schema=schemas[sort]))


def _parquet_row(row: dict[str, Any]) -> dict[str, Any]:
    """Columns have one type each: the answer is JSON text, stage scores are a map, and dwell is a column of its own."""
    row = dict(row)
    if row.get("answer") is not None:
        row["answer"] = json.dumps(row["answer"], allow_nan=False)
    if "options" in row:
        row["options"] = json.dumps(row["options"])
    for paper in row.get("papers", ()):
        paper["scores"] = list(paper["scores"].items())
    if "kind" in row:
        number = isinstance(row["value"], float)
        row["seconds"] = row["value"] if number else None
        row["value"] = None if number else row["value"]
    return row


COLUMNS = {
    "interactions": "id:text position:whole at:moment user:text conversation:text turn:whole source:text question:text "
    "standalone_question:text answer:text papers:papers mode:text model:text abstained:flag policy_version:text "
    "latency_ms:real prompt_tokens:whole completion_tokens:whole cost_usd:real parent:text options:text",
    "feedback": "id:text position:whole at:moment interaction_id:text user:text kind:text value:text seconds:real "
    "paper_id:text",
    "conversations": "id:text user:text title:text started:moment updated:moment",
}
PAPER = "paper_id:text rank:whole score:real position:whole cited:flag scores:scores shown:flag"


def _schemas() -> dict[str, Any]:
    pa = import_module("pyarrow")

    types = {"text": pa.string(), "moment": pa.timestamp("us", tz="UTC"), "whole": pa.int64(), "real": pa.float64()}
    types |= {"flag": pa.bool_(), "scores": pa.map_(pa.string(), pa.float64())}

    def fields(columns: str) -> list[tuple[str, Any]]:
        return [(name, types[kind]) for name, kind in (column.split(":") for column in columns.split())]

    types["papers"] = pa.list_(pa.struct(fields(PAPER)))
    return {sort: pa.schema(fields(columns)) for sort, columns in COLUMNS.items()}


def _json(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _private(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
