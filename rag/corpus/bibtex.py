"""BibTeX, cut into entries here and parsed by bibtexparser.

Cutting first gives line numbers, and one bad entry spoils no other.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

from rag.corpus import ids
from rag.corpus.blocks import Block, split
from rag.corpus.record import Fault, Items, Record, given_name_first, web_address, year_in

MAX_NESTED_BRACES = 50  # bibtexparser recurses; no field of a real entry is deeper than a handful
MAX_LINES_ABOVE = 10
_BEGINS = re.compile(r"\s*@\s*[A-Za-z]+\s*[{(]")
_KIND = re.compile(r"\s*@\s*([A-Za-z]+)")
_NOT_PAPERS = frozenset({"comment", "preamble", "string"})


def matches(head: str) -> bool:
    """Whether a line begins an entry, below nothing but comments: lines with a %, or a few words by the exporter."""
    match = re.search(r"^[ \t]*@\s*[A-Za-z]+\s*[{(]", head, re.MULTILINE)
    if match is None:
        return False
    above = [line for line in head[: match.start()].split("\n") if line.strip()]
    return len(above) <= MAX_LINES_ABOVE or all(line.lstrip().startswith("%") for line in above)


def read(text: str, file: str) -> Items:
    """Yield the records; an entry that does not parse is a fault. Strings, preambles and comments are no records."""
    parser = _parser()
    for block in split(text, _BEGINS):
        match = _KIND.match(block.text)
        kind = match[1].casefold() if match else ""
        if kind in ("comment", "preamble"):
            continue
        if _depth(block.text) > MAX_NESTED_BRACES:
            yield Fault(block.line, f"braces are nested more than {MAX_NESTED_BRACES} deep", block.last_line)
            continue
        parser.bib_database.entries.clear()
        try:
            parser.parse(block.text.strip() + "\n")
        except Exception as error:  # whatever a foreign parser raises, it is this entry that is at fault
            yield Fault(block.line, f"not a BibTeX entry ({type(error).__name__}: {error})"[:200], block.last_line)
            continue
        entries = parser.bib_database.entries
        if entries:
            yield _record(entries[0], block, file)
        elif kind not in _NOT_PAPERS:
            yield Fault(
                block.line, "the BibTeX entry does not parse: is a brace, quote or comma missing?", block.last_line
            )


def _parser() -> Any:
    from bibtexparser.bparser import BibTexParser

    with warnings.catch_warnings():  # under "python -W", pyparsing comments on how bibtexparser names its results
        warnings.simplefilter("ignore")
        parser = BibTexParser(common_strings=True, ignore_nonstandard_types=False)
    parser.expect_multiple_parse = True
    return parser


def _depth(text: str) -> int:
    depth = deepest = 0
    for brace in re.findall(r"[{}]", text):
        depth += 1 if brace == "{" else -1
        deepest = max(deepest, depth)
    return deepest


def _record(entry: Mapping[str, Any], block: Block, file: str) -> Record:
    values = {str(name).casefold(): str(value) for name, value in entry.items()}
    paper_id = _id(values)
    return Record(
        block.line,
        values.get("title"),
        values.get("abstract"),
        id=paper_id,
        authors=_authors(values.get("author", "")),
        year=year_in(values.get("year")) or year_in(values.get("date")),
        url=web_address(_unescaped(values.get("url", ""))) or ids.address(paper_id),
        source=file,
        latex_source=True,
        last_line=block.last_line,
    )


def _id(values: Mapping[str, str]) -> str | None:
    found = ids.doi_id(_unescaped(values.get("doi", "")))
    archive = values.get("archiveprefix", values.get("eprinttype", "arxiv")).casefold()
    if found is None and archive == "arxiv":
        found = ids.arxiv_id(values.get("eprint"))
    return found or ids.pmid_id(values.get("pmid"))


def _unescaped(text: str) -> str:
    r"""An address or DOI without the escapes that LaTeX wants in it, such as ``\_``."""
    text = re.sub(r"^\\url\{(.*)\}$", r"\1", text.strip())
    return re.sub(r"\\([%&#_~])", r"\1", text).strip("{} ")


def _authors(text: str) -> tuple[str, ...]:
    """Names from "Last, First and First Last"; an "and" inside braces is part of a name."""
    names: list[str] = []
    depth = start = 0
    text = " ".join(text.split())
    for match in re.finditer(r"[{}]| and ", text):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
        elif depth <= 0:
            names.append(text[start : match.start()])
            start = match.end()
    names.append(text[start:])
    kept = (name.strip() for name in names)
    return tuple(
        name if name.startswith("{") else given_name_first(name) for name in kept if name not in ("", "others")
    )
