"""What a format reader hands over, and the one place where it becomes a `Paper`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.corpus.clean import clean
from rag.errors import CorpusError
from rag.types import Paper, title_id

MAX_LINE_BYTES = 1_000_000  # no abstract comes near it; a longer line is a broken file, and reading on would hide that
MAX_TEXT_CHARS = 100_000  # of a title or an abstract, also where a format spreads it over many lines
MAX_AUTHORS = 10_000  # the longest list of a real paper has about half of that
MAX_ID_CHARS = 300
FIRST_YEAR, LAST_YEAR = 1000, 2999

# What exporters write where there is no abstract.
_PLACEHOLDERS = frozenset(
    {"no abstract available", "no abstract", "abstract not available", "not available", "n/a", "na", "none", "null"}
    | {"nan"}
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as its format gives it: nothing cleaned, nothing checked."""

    line: int  # where it begins, from 1
    title: str | None
    abstract: str | None
    id: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    url: str | None = None
    source: str | None = None
    latex_source: bool = False  # the format is LaTeX by definition
    last_line: int | None = None  # None: the record is one line


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that its reader cannot make sense of."""

    line: int
    reason: str
    last_line: int | None = None


Item = Record | Fault
Items = Iterator[Item]


def to_paper(record: Record, file: str) -> Paper:
    """Clean and check a record. Raises CorpusError naming file, line and reason."""

    def cleaned(text: str | None) -> str:
        return clean(text or "", latex_source=record.latex_source)

    size = max(len(record.title or ""), len(record.abstract or ""))
    if size > MAX_TEXT_CHARS:
        raise CorpusError(file, record.line, f"{size:,} characters are too many for a title or an abstract")
    if len(record.authors) > MAX_AUTHORS:
        raise CorpusError(file, record.line, f"more than {MAX_AUTHORS:,} authors cannot be one paper's")
    title, abstract = cleaned(record.title), cleaned(record.abstract)
    if not title or _is_placeholder(title):
        raise CorpusError(file, record.line, "the title is missing or empty")
    if not abstract or _is_placeholder(abstract):
        raise CorpusError(file, record.line, f'the abstract of "{shortened(title)}" is missing or empty')
    authors = (cleaned(author) for author in record.authors)
    paper_id = None if record.id is None else " ".join(clean_id(record.id).split())
    if paper_id is not None and not 0 < len(paper_id) <= MAX_ID_CHARS:
        raise CorpusError(file, record.line, f"an id has 1 to {MAX_ID_CHARS} visible characters")
    return Paper(
        id=paper_id or title_id(title),
        title=title,
        abstract=abstract,
        authors=tuple(author for author in authors if author),
        year=record.year,
        url=record.url,
        source=clean(record.source) or None if record.source else None,
    )


def clean_id(text: str) -> str:
    """An id without the characters that nobody can see. Markup is not resolved: an id is compared, not read."""
    return "".join(char if char.isprintable() else " " for char in text)


def _is_placeholder(text: str) -> bool:
    return text.strip("[]().- ").casefold() in _PLACEHOLDERS or not text.strip("[]().- \u2013—")


def shortened(text: str, limit: int = 60) -> str:
    """Text for a message: one line, at most limit characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def year_in(text: str | None) -> int | None:
    """The first plausible year in a date of any style, or None."""
    match = re.search(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)", text or "")
    return int(match[0]) if match else None


def web_address(text: str | None) -> str | None:
    """Text if it is an http(s) address, else None: pages make links of it, so nothing else may pass."""
    text = (text or "").strip()
    return text if re.fullmatch(r"https?://[^\s\"'<>\x00-\x1f]+", text, re.IGNORECASE) else None


def given_name_first(name: str) -> str:
    """ "Lovelace, Ada" as "Ada Lovelace"; any other form unchanged."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2 and all(parts):
        return f"{parts[1]} {parts[0]}"
    if len(parts) == 3 and all(parts):  # "King, Jr., Martin Luther"
        return f"{parts[2]} {parts[0]} {parts[1]}"
    return name.strip()
