"""Which format a text is in: its content decides, and its name only where the content cannot."""

from __future__ import annotations

import re
from pathlib import PurePath

from rag.corpus import arxiv, bibtex, csv_, jsonl, listing, medline, ris
from rag.corpus.record import Items

LOOK_CHARS = 200_000  # of the beginning
FORMATS = {
    "listing": listing.read,
    "jsonl": jsonl.read,
    "arxiv": arxiv.read,
    "csv": csv_.read,
    "bibtex": bibtex.read,
    "ris": ris.read,
    "medline": medline.read,
}
FORMAT_NAMES = (
    "JSON lines (one paper per line), arXiv metadata JSON lines, CSV with title and abstract columns, BibTeX, RIS,"
    " PubMed/MEDLINE (nbib) and the trending-papers listing"
)
_EXTENSIONS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".bib": "bibtex", ".bibtex": "bibtex",
    ".ris": "ris", ".nbib": "medline", ".medline": "medline",
}  # fmt: skip
_JSON_OBJECT = re.compile(r'\s*\{\s*("|\})')


def sniff(text: str, file: str) -> str | None:
    """The name of the format (a key of FORMATS), or None if nothing fits."""
    head = text[:LOOK_CHARS]
    if listing.matches(head):
        return "listing"
    if _JSON_OBJECT.match(head):
        return "arxiv" if arxiv.matches(head) else "jsonl"
    for name, module in (("ris", ris), ("medline", medline), ("csv", csv_), ("bibtex", bibtex)):
        if module.matches(head):
            return name
    return _EXTENSIONS.get(PurePath(file).suffix.casefold())


def items(text: str, file: str, format_name: str) -> Items:
    """Read text as the named format; file is what papers without a better source name as theirs."""
    return FORMATS[format_name](text, file)
