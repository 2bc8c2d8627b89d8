"""Our own format: one JSON object per line. What `write_jsonl` writes, `read` reads back unchanged."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.corpus.blocks import lines
from rag.corpus.record import FIRST_YEAR, LAST_YEAR, Fault, Item, Items, Record, web_address
from rag.types import Paper

KEYS = ("id", "title", "abstract", "authors", "year", "url", "source")  # in the order they are written
REQUIRED = ("title", "abstract")


def read(text: str, file: str) -> Items:  # noqa: ARG001 - all readers share one signature
    """Yield the records. Unknown, missing, doubled and wrongly typed keys are faults; blank lines do not count."""
    for number, line in lines(text):
        if line.strip():
            try:
                yield _record(parse_object(line), number)
            except ValueError as error:
                yield Fault(number, str(error))


def parse_object(line: str) -> dict[str, Any]:
    """One JSON object. Raises ValueError with a reason for the user."""
    try:
        value = json.loads(line, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("not valid JSON: nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object: every line holds one paper as {…}")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        doubled = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f'the key "{doubled}" appears twice in one object')
    return result


def _record(value: dict[str, Any], number: int) -> Item:  # noqa: PLR0911 - one check, one return
    unknown = [key for key in value if key not in KEYS]
    if unknown:
        return Fault(number, f'unknown key "{unknown[0]}"; the keys are {", ".join(KEYS)}')
    missing = [key for key in REQUIRED if value.get(key) is None]
    if missing:
        return Fault(number, f'the key "{missing[0]}" is missing')
    for key in ("id", "title", "abstract", "url", "source"):
        if not isinstance(value.get(key), str | None):
            return Fault(number, f'"{key}" must be a string')
    authors = value.get("authors") or []
    if not isinstance(authors, list) or not all(isinstance(author, str) for author in authors):
        return Fault(number, '"authors" must be a list of strings')
    year = value.get("year")
    if year is not None and (type(year) is not int or not FIRST_YEAR <= year <= LAST_YEAR):
        return Fault(number, f'"year" must be a whole number from {FIRST_YEAR} to {LAST_YEAR}')
    url = value.get("url") or None
    if url is not None and web_address(url) is None:
        return Fault(number, '"url" must begin with http:// or https:// and hold no spaces or quotes')
    return Record(
        number,
        value["title"],
        value["abstract"],
        id=value.get("id"),
        authors=tuple(authors),
        year=year,
        url=web_address(url),
        source=value.get("source"),
    )


def to_line(paper: Paper) -> str:
    """One paper as one line, without the line end. Keys come in the order of KEYS; empty ones are left out."""
    values = {key: getattr(paper, key) for key in KEYS}
    return json.dumps({key: value for key, value in values.items() if value not in (None, ())}, ensure_ascii=False)


def write_jsonl(papers: Iterable[Paper], path: Path) -> None:
    """Write papers to path, which is replaced at once when all of them are written, or not at all.

    Raises OSError if the folder cannot be written to.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for paper in papers:
                file.write(to_line(paper) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
