"""CSV and its relatives, with a header line: any common delimiter, any of the column names that exporters use."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping

from rag.corpus import ids
from rag.corpus.blocks import lines
from rag.corpus.record import Fault, Items, Record, given_name_first, shortened, web_address, year_in

DELIMITERS = ",;\t|"
COLUMNS = {  # field -> header names that mean it, best first, in lower case without spaces and punctuation
    "title": ("title", "articletitle", "documenttitle", "papertitle", "primarytitle", "papername"),
    "abstract": ("abstract", "abstractnote", "abstracttext", "paperabstract", "summary"),
    "id": ("id", "paperid", "identifier"),
    "doi": ("doi", "articledoi", "doilink"),
    "arxiv": ("arxivid", "arxiv", "eprint"),
    "pmid": ("pmid", "pubmedid"),
    "authors": ("authors", "author", "authorfullnames", "authornames", "creators"),
    "year": ("year", "publicationyear", "pubyear", "publishedyear", "date", "publicationdate", "published"),
    "url": ("url", "link", "paperurl", "articleurl", "urls"),
    "source": ("source",),
}
_SEP_LINE = re.compile(r"sep=.?\s*$", re.IGNORECASE)  # Excel's first line


def matches(head: str) -> bool:
    """Whether the first line names a title and an abstract column."""
    return _dialect(head) is not None


def read(text: str, file: str) -> Items:
    """Yield the records. A row that csv refuses, or with more cells than the header, is a fault."""
    found = _dialect(text)
    if found is None:
        header = text.lstrip().split("\n", 1)[0]
        line = text[: len(text) - len(text.lstrip())].count("\n") + 1
        yield Fault(line, f'no "title" and "abstract" columns in the header line "{shortened(header, 80)}"')
        return
    delimiter, columns, width, header_line = found
    for line, last_line, cells in _rows(text, delimiter):
        if line <= header_line:
            continue
        if isinstance(cells, str):
            yield Fault(line, cells, last_line)
        elif len(cells) > width and any(cell.strip() for cell in cells[width:]):
            reason = f"{len(cells)} cells, but the header names {width}: is a {delimiter!r} in a cell without quotes?"
            yield Fault(line, reason, last_line)
        elif any(cell.strip() for cell in cells):
            values = {name: cells[at].strip() for name, at in columns.items() if at < len(cells)}
            yield _record(values, file, line, last_line)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, int, list[str] | str]]:
    """First line, last line and cells (or the reason why there are none) of every row."""
    # Strict, because otherwise a quote that nobody closes swallows the rest of the file in silence.
    reader = csv.reader((line + "\n" for _, line in lines(text)), delimiter=delimiter, strict=True)
    while True:
        before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield before + 1, reader.line_num, _reason(str(error))
        else:
            yield before + 1, reader.line_num, cells


def _reason(message: str) -> str:
    if "unexpected end" in message:
        return "a quote that opens in this row is never closed"
    if "field larger" in message:
        return f"a cell has more than {csv.field_size_limit():,} characters: is a quote not closed?"
    return f"not a CSV row: {message}"


def _dialect(text: str) -> tuple[str, dict[str, int], int, int] | None:
    """Delimiter, columns by field, number of columns and line number of the header."""
    start, header = next(
        (found for found in lines(text) if found[1].strip() and not _SEP_LINE.match(found[1].strip())), (1, "")
    )
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader([header], delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            continue
        columns = _columns(names)
        if "title" in columns and "abstract" in columns:
            return delimiter, columns, len(names), start
    return None


def _columns(names: list[str]) -> dict[str, int]:
    plain = [re.sub(r"[\W_]+", "", name).casefold() for name in names]
    columns = {}
    for name, aliases in COLUMNS.items():
        at = next((plain.index(alias) for alias in aliases if alias in plain), None)
        if at is not None:
            columns[name] = at
    return columns


def _record(values: Mapping[str, str], file: str, line: int, last_line: int) -> Record:
    paper_id = _id(values)
    return Record(
        line,
        values.get("title"),
        values.get("abstract"),
        id=paper_id,
        authors=_authors(values.get("authors", "")),
        year=year_in(values.get("year")),
        url=web_address(values.get("url")) or ids.address(paper_id),
        source=values.get("source") or file,
        last_line=last_line,
    )


def _id(values: Mapping[str, str]) -> str | None:
    own = values.get("id", "")
    # A bare number is most likely the row's: it changes with every export and means nothing beside another file.
    if own and not re.fullmatch(r"\d+(\.0)?", own):
        return ids.arxiv_id(own) or ids.doi_id(own) or own
    return ids.doi_id(values.get("doi")) or ids.arxiv_id(values.get("arxiv")) or ids.pmid_id(values.get("pmid"))


def _authors(text: str) -> tuple[str, ...]:
    """Names from "A; B", "A and B", "A, B" or "Last, First"."""
    for separator in (";", "|", " and ", " & "):
        if separator in text:
            parts = text.split(separator)
            if separator in (" and ", " & ") and parts[0].count(",") > 1:  # A B, C D, and E F
                parts = [*parts[0].split(","), *parts[1:]]
            return tuple(given_name_first(part) for part in parts if part.strip(" ,"))
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) == 2 and not all(" " in part for part in parts):
        return (given_name_first(text),)
    return tuple(parts)
