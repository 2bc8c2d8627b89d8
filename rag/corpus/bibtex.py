"""BibTeX, read entry by entry, so that one bad entry spoils no other.

Scanned here and not by bibtexparser: its grammar takes the square of an entry's length (5 s for 5,000 spaces), and
files come from anybody. This one is linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.corpus import ids
from rag.corpus.blocks import Block, split
from rag.corpus.record import Fault, Items, Record, given_name_first, shortened, web_address, year_in

MAX_LINES_ABOVE = 10
_BEGINS = re.compile(r"\s*@\s*[A-Za-z]+\s*[{(]")
_ENTRY = re.compile(r"\s*@\s*([A-Za-z]+)\s*[{(]")
_KEY = re.compile(r"[^,={}\"#]*+,")
_FIELD = re.compile(r"[\s,]*+([^\s,={}()\"#]++)\s*+=")
_END = re.compile(r"[\s,]*+[})]")
_NEXT_PART = re.compile(r"\s*+#")
_OPENS = re.compile(r"\s*+[{\"]")
_BARE = re.compile(r"\s*+([^\s,{}()\"#]++)")
_MONTHS = {month: month for month in "jan feb mar apr may jun jul aug sep oct nov dec".split()}


def matches(head: str) -> bool:
    """Whether a line begins an entry, below nothing but comments: lines with a %, or a few words by the exporter."""
    match = re.search(r"^[ \t]*@\s*[A-Za-z]+\s*[{(]", head, re.MULTILINE)
    if match is None:
        return False
    above = [line for line in head[: match.start()].split("\n") if line.strip()]
    return len(above) <= MAX_LINES_ABOVE or all(line.lstrip().startswith("%") for line in above)


def read(text: str, file: str) -> Items:
    """Yield the records; an entry that does not parse is a fault. Strings, preambles and comments are no records."""
    strings = dict(_MONTHS)
    for block in split(text, _BEGINS):
        begins = _ENTRY.match(block.text)
        kind = begins[1].casefold() if begins else ""
        if begins is None or kind in ("comment", "preamble"):
            continue
        try:
            fields = _fields(block.text, begins.end(), strings, has_key=kind != "string")
        except ValueError as error:
            yield Fault(block.line, f"the BibTeX entry does not parse: {error}", block.last_line)
            continue
        if kind == "string":
            strings.update(fields)
        else:
            yield _record(fields, block, file)


def _fields(text: str, start: int, strings: Mapping[str, str], *, has_key: bool) -> dict[str, str]:
    """The fields of one entry by name, in lower case. Raises ValueError with a reason for the user."""
    key = _KEY.match(text, start) if has_key else None
    place = key.end() if key else start
    fields: dict[str, str] = {}
    while not _END.match(text, place):
        name = _FIELD.match(text, place)
        if name is None:
            raise ValueError(f'is a brace, quote or comma missing before "{shortened(text[place : place + 100], 30)}"?')
        value, place = _value(text, name.end(), strings)
        fields[name[1].casefold()] = value
    return fields


def _value(text: str, place: int, strings: Mapping[str, str]) -> tuple[str, int]:
    """A value of one or more parts joined by #, and where it ends."""
    parts: list[str] = []
    while True:
        if opens := _OPENS.match(text, place):
            end = _closing(text, opens.end() - 1)
            parts.append(text[opens.end() : end])
            place = end + 1
        elif bare := _BARE.match(text, place):
            known = bare[1] if bare[1].isdigit() else strings.get(bare[1].casefold())
            if known is None:
                raise ValueError(f'the string "{shortened(bare[1], 30)}" is not defined')
            parts.append(known)
            place = bare.end()
        else:
            raise ValueError("a field has no value")
        following = _NEXT_PART.match(text, place)
        if following is None:
            return "".join(parts), place
        place = following.end()


def _closing(text: str, start: int) -> int:
    """Where the brace or quote that opens at start is closed; quotes inside braces are text."""
    quoted = text[start] == '"'
    depth = 0 if quoted else 1
    for match in re.compile('[{}"]' if quoted else "[{}]").finditer(text, start + 1):
        depth += (match[0] == "{") - (match[0] == "}")
        if depth == 0 and match[0] == ('"' if quoted else "}"):
            return match.start()
    raise ValueError(f"a {'quote' if quoted else 'brace'} is never closed")


def _record(values: Mapping[str, str], block: Block, file: str) -> Record:
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
