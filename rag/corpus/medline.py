"""PubMed's own text format (MEDLINE, nbib): tags of four characters, values that go on below themselves.

Parsed here and not by the nbib package: that one keeps only the last of several article ids, gives up a record over a
date such as "2005 Spring", and knows no line numbers.
"""

from __future__ import annotations

import re

from rag.corpus import ids
from rag.corpus.blocks import Block, split
from rag.corpus.record import Fault, Item, Items, Record, given_name_first, year_in

SOURCE = "PubMed"
_BEGINS = re.compile(r"PMID- ")
_TAG = re.compile(r"([A-Z][A-Z0-9]{1,3}) *- ?(.*)")
_TAG_WIDTH = 4


def matches(head: str) -> bool:
    """Whether any line begins a record."""
    return re.search(rf"^{_BEGINS.pattern}\s*\d", head, re.MULTILINE) is not None


def read(text: str, file: str) -> Items:  # noqa: ARG001 - all readers share one signature
    """Yield the records; one whose PMID is no number is a fault."""
    for block in split(text, _BEGINS):
        yield _record(block)


def _record(block: Block) -> Item:
    fields = _fields(block.text)
    paper_id = ids.pmid_id(fields["PMID"][0])
    if paper_id is None:
        return Fault(block.line, f'"{fields["PMID"][0][:40]}" is not a PubMed id', block.last_line)
    authors = fields.get("FAU") or fields.get("AU") or []
    return Record(
        block.line,
        _first(fields, "TI", "BTI", "TT"),
        _first(fields, "AB", "OAB"),
        id=paper_id,
        authors=tuple(given_name_first(author) for author in authors),
        year=year_in(_first(fields, "DP", "DEP", "CRDT")),
        url=ids.address(paper_id),
        source=SOURCE,
        last_line=block.last_line,
    )


def _fields(text: str) -> dict[str, list[str]]:
    """Values by tag, in order. A line without a tag continues the value above it."""
    fields: dict[str, list[list[str]]] = {}
    pieces: list[str] = []
    for line in text.split("\n"):
        match = _TAG.match(line) if line[_TAG_WIDTH : _TAG_WIDTH + 1] == "-" else None
        if match:
            pieces = [match[2].strip()]
            fields.setdefault(match[1], []).append(pieces)
        elif pieces and line.strip():
            pieces.append(line.strip())
    return {tag: [" ".join(value) for value in values] for tag, values in fields.items()}


def _first(fields: dict[str, list[str]], *tags: str) -> str | None:
    return next((fields[tag][0] for tag in tags if fields.get(tag)), None)
