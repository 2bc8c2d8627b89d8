"""RIS, what reference managers export: tagged lines from ``TY  -`` to ``ER  -``. Parsed by rispy, record by record."""

from __future__ import annotations

import re
from typing import Any

from rag.corpus import ids
from rag.corpus.blocks import Block, split
from rag.corpus.record import Fault, Item, Items, Record, given_name_first, web_address, year_in

_BEGINS = re.compile(r"TY {1,2}-(?: |$)")
_END = re.compile(r"^ER {1,2}-\s*$", re.MULTILINE)
_LOOSE_TAG = re.compile(r"^([A-Z][A-Z0-9]) {1,2}-(?: |$)", re.MULTILINE)  # some exporters save a space


def matches(head: str) -> bool:
    """Whether any line begins a record."""
    return re.search(_BEGINS.pattern, head, re.MULTILINE) is not None


def read(text: str, file: str) -> Items:
    """Yield the records; one without its end line is a fault, since its abstract may be cut off."""
    for block in split(text, _BEGINS):
        yield _record(block, file)


def _record(block: Block, file: str) -> Item:
    import rispy

    if _END.search(block.text) is None:
        return Fault(block.line, 'the record has no end line "ER  -": is the file cut off?', block.last_line)
    try:
        (entry,) = rispy.loads(_LOOSE_TAG.sub(r"\1  - ", block.text))
    except Exception as error:  # whatever a foreign parser raises, it is this record that is at fault
        return Fault(block.line, f"not a RIS record ({type(error).__name__})", block.last_line)
    paper_id = ids.doi_id(_text(entry, "doi"))
    urls = [web_address(url) for url in entry.get("urls", ())]
    return Record(
        block.line,
        _text(entry, "title", "primary_title"),
        _text(entry, "abstract", "notes_abstract"),
        id=paper_id,
        authors=tuple(given_name_first(name) for name in entry.get("authors") or entry.get("first_authors") or ()),
        year=year_in(_text(entry, "year", "publication_year", "date")),
        url=next(filter(None, urls), None) or ids.address(paper_id),
        source=file,
        last_line=block.last_line,
    )


def _text(entry: dict[str, Any], *names: str) -> str | None:
    return next((entry[name] for name in names if isinstance(entry.get(name), str) and entry[name].strip()), None)
