"""arXiv's metadata snapshot: one JSON object per line, with the keys arXiv itself uses."""

from __future__ import annotations

from typing import Any

from rag.corpus import ids
from rag.corpus.blocks import lines
from rag.corpus.jsonl import parse_object
from rag.corpus.record import Fault, Items, Record, given_name_first, year_in

SOURCE = "arXiv"
_TELLING_KEYS = ("authors_parsed", "versions", "categories", "update_date", "submitter", "journal-ref", "report-no")
_LINES_TO_LOOK_AT = 20


def matches(head: str) -> bool:
    """Whether the first readable line looks like arXiv's and not like ours."""
    for line in head.split("\n")[:_LINES_TO_LOOK_AT]:
        try:
            value = parse_object(line)
        except ValueError:
            continue
        return "id" in value and any(key in value for key in _TELLING_KEYS)
    return any(f'"{key}"' in head for key in _TELLING_KEYS[:2])


def read(text: str, file: str) -> Items:  # noqa: ARG001 - all readers share one signature
    """Yield the records; a line that is no JSON object or has no arXiv id is a fault."""
    for number, line in lines(text):
        if line.strip():
            try:
                yield _record(parse_object(line), number)
            except ValueError as error:
                yield Fault(number, str(error))


def _record(value: dict[str, Any], number: int) -> Record:
    given = value.get("id")
    paper_id = ids.arxiv_id(given) if isinstance(given, str) else None
    if paper_id is None:
        raise ValueError(f"{str(given)[:40]!r} is not an arXiv id such as 0704.0001 or hep-th/9901001")
    return Record(
        number,
        _text(value, "title"),
        _text(value, "abstract"),
        id=paper_id,
        authors=_authors(value),
        year=_year(value),
        url=ids.address(paper_id),
        source=SOURCE,
    )


def _text(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise ValueError(f'"{key}" must be a string')
    return text


def _authors(value: dict[str, Any]) -> tuple[str, ...]:
    parsed = value.get("authors_parsed")
    if isinstance(parsed, list) and parsed:
        names = []
        for parts in parsed:  # [family, given, suffix, …]
            if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
                raise ValueError('"authors_parsed" must be a list of lists of strings')
            family, given, suffix = ([*parts, "", "", ""])[:3]
            names.append(" ".join(part for part in (given, family, suffix) if part))
        return tuple(names)
    authors = value.get("authors")
    if isinstance(authors, list) and all(isinstance(author, str) for author in authors):
        return tuple(given_name_first(author) for author in authors)
    if isinstance(authors, str):
        return tuple(part.strip() for part in authors.replace(" and ", ", ").split(",") if part.strip())
    return ()


def _year(value: dict[str, Any]) -> int | None:
    """Of the first version; the update date is all that some records have."""
    versions = value.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], dict):
        created = year_in(str(versions[0].get("created", "")))
        if created is not None:
            return created
    return year_in(str(value.get("update_date") or ""))
