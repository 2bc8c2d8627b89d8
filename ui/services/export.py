"""Conversations and papers as files to take along: Markdown, and BibTeX for what was cited."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from rag.events.records import Conversation, Episode
from rag.types import Answer, Citation, Paper

# what would become markup in CommonMark; a marker like [1] and an underscore within a word would not
_MARKUP = re.compile(
    r"[\\`*~|]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w{1,40};)|!(?=\[)|\[(?!\d{1,4}\](?![:(\[]))|(?<=\])[:(\[]|(?<=\w)@"
)
_LINE_START = re.compile(r"^([ \t]{0,200})([-+=#>]|\d{1,9}(?=[.)]))", re.MULTILINE)
_ALIVE = re.compile(
    r"\\[!-/:-@\[-`{-~]|<(?=[A-Za-z/!?])|!(?=\[)|\[(?!\d{1,4}\](?![:(\[]))|(?<=\])[:(\[]|&(?=#?\w{1,40};)"
)
_ARXIV = re.compile(r"arxiv:(\d{4}\.\d{4,5})(v\d+)?", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:|https?://doi\.org/)(10\.\d{4,9}/\S+)", re.IGNORECASE)


def cited_papers(conversation: Conversation, find: Callable[[str], Paper | None]) -> list[Paper]:
    """The papers that the conversation cites, each once, in the order in which they came up.

    find: looks a paper up; one that has left the collection is listed with what the answer knew: id and title.
    """
    found: dict[str, Paper] = {}
    for turn in conversation.turns:
        for citation in _citations(turn):
            if citation.paper_id not in found:
                known = find(citation.paper_id)
                found[citation.paper_id] = known or Paper(citation.paper_id, citation.title, "")
    return list(found.values())


def conversation_markdown(conversation: Conversation, papers: Sequence[Paper]) -> str:
    """The conversation as Markdown: questions as headings, answers with their quotes, and BibTeX at the end.

    papers: those cited, as ``cited_papers`` finds them. Whatever people, papers and models wrote stays plain text.
    """
    summary = conversation.summary
    parts = [f"# {plain(summary.title or 'Conversation')}", f"*Readback, {summary.started:%Y-%m-%d %H:%M} UTC*"]
    by_id = {paper.id: paper for paper in papers}
    for turn in conversation.turns:
        answer = turn.interaction.answer
        parts.append(f"## {plain(turn.interaction.question or 'A question that was not kept')}")
        parts += ["*The answer was not kept.*"] if answer is None else [answer_markdown(answer, by_id)]
    if papers:
        entries = bibtex(papers).strip()
        longest = max((len(run) for run in re.findall("`+", entries)), default=0)
        fence = "`" * max(3, longest + 1)  # longer than any in an abstract, which could otherwise end the block
        parts += ["## BibTeX of the papers cited", f"{fence}bibtex\n{entries}\n{fence}"]
    return "\n\n".join(parts) + "\n"


def answer_markdown(answer: Answer, papers: dict[str, Paper]) -> str:
    """One answer with a list of what its markers rest on. papers: by id, for addresses and years.

    What a model wrote is Markdown already, and stays it, but for links, pictures and HTML.
    """
    written = answer.mode == "generative"
    parts = [inert(answer.text) if written else _told(answer.text)] if answer.text else []
    if answer.notice:
        parts.append(f"*{plain(answer.notice)}*")
    sources: dict[str, list[str]] = {}
    for citation in answer.citations:
        quotes = sources.setdefault(_source(citation, papers.get(citation.paper_id)), [])
        if written:  # else the quote stands in the answer already
            quotes.append(f"“{plain(citation.quote)}”")
    if sources:
        parts.append(
            "\n".join(source + (f": {' '.join(quotes)}" if quotes else "") for source, quotes in sources.items())
        )
    return "\n\n".join(parts)


def inert(markdown: str) -> str:
    """Markdown without links, pictures, addresses and HTML: those stay text."""
    return _ALIVE.sub(lambda one: one[0] if one[0][0] == "\\" else f"\\{one[0]}", _visible(markdown))


def conversation_ris(papers: Sequence[Paper]) -> str:
    """RIS of these papers, for reference managers."""
    import rispy

    class Writer(rispy.RisWriter):  # type: ignore[misc]
        def set_header(self, _count: int) -> str:  # rispy's own numbers the records, which is no RIS
            return ""

    def entry(paper: Paper) -> dict[str, Any]:
        doi = _DOI.match(paper.id) or _DOI.match(paper.url or "")
        fields = {
            "type_of_reference": "JOUR" if doi else "GEN",
            "title": _visible(paper.title).replace("\n", " "),
            "authors": [_visible(name).replace("\n", " ") for name in paper.authors],
            "year": str(paper.year) if paper.year else "",
            "abstract": _visible(paper.abstract).replace("\n", " "),
            "doi": doi[1] if doi else "",
            "urls": [paper.url] if paper.url and re.fullmatch(r"https?://[^\s<>]+", paper.url) else [],
            "id": paper.id,
        }
        return {name: value for name, value in fields.items() if value}

    return str(rispy.dumps([entry(paper) for paper in papers], implementation=Writer)) if papers else ""


def conversation_bibtex(papers: Sequence[Paper]) -> str:
    """BibTeX of these papers; a comment if there are none."""
    return bibtex(papers) if papers else "% This conversation cites no papers.\n"


def bibtex(papers: Iterable[Paper]) -> str:
    """BibTeX entries that LaTeX can read, in the order given, with distinct keys."""
    import bibtexparser
    from bibtexparser.bibdatabase import BibDatabase
    from bibtexparser.bwriter import BibTexWriter

    database, writer = BibDatabase(), BibTexWriter()
    writer.order_entries_by = None
    keys: set[str] = set()
    database.entries = [_entry(paper, _key(paper, keys)) for paper in papers]
    return str(bibtexparser.dumps(database, writer))


def plain(text: str) -> str:
    """Text that Markdown shows as it is: no link, picture, heading, list or HTML comes out of it."""
    escaped = _MARKUP.sub(r"\\\g<0>", _visible(text))
    return _LINE_START.sub(_escaped_start, escaped)


def _told(text: str) -> str:
    """What Readback itself put together: its lists stay lists, what it quotes is plain."""
    lines = text.split("\n")
    return "\n".join(f"- {plain(line[2:].lstrip())}" if line.startswith("- ") else plain(line) for line in lines)


def _escaped_start(match: re.Match[str]) -> str:
    space, sign = match.groups()
    return f"{space}{sign}\\" if sign[0].isdigit() else f"{space}\\{sign}"


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def _citations(turn: Episode) -> Sequence[Citation]:
    return turn.interaction.answer.citations if turn.interaction.answer else ()


def _source(citation: Citation, paper: Paper | None) -> str:
    """What a line of the list of sources begins with: the paper."""
    year = f" ({paper.year})" if paper and paper.year else ""
    link = f" <{paper.url}>" if paper and paper.url and re.fullmatch(r"https?://[^\s<>]+", paper.url) else ""
    return f"- [{citation.marker}] **{plain(citation.title)}**{year}{link}"


def _entry(paper: Paper, key: str) -> dict[str, str]:
    doi, arxiv = _DOI.match(paper.id) or _DOI.match(paper.url or ""), _ARXIV.match(paper.id)
    fields: dict[str, Any] = {
        "title": "{" + _latex(paper.title) + "}",  # braces keep the capitals
        "author": " and ".join("{" + _latex(name) + "}" if " and " in name else _latex(name) for name in paper.authors),
        "year": str(paper.year) if paper.year else "",
        "doi": _address(doi[1] if doi else ""),
        "eprint": arxiv[1] if arxiv else "",
        "archiveprefix": "arXiv" if arxiv else "",
        "url": _address(paper.url or ""),
        "abstract": _latex(paper.abstract),
    }
    entry = {"ENTRYTYPE": "misc", "ID": key} | {name: value for name, value in fields.items() if value}
    return entry if paper.url or doi or arxiv else entry | {"note": _latex(f"Readback: {paper.id}")}


def _address(text: str) -> str:
    """An address or DOI: LaTeX takes them as they are, but for these."""
    return re.sub(r"[{}\\\s]", "", text)


def _key(paper: Paper, taken: set[str]) -> str:
    """surname2024word, made distinct by a letter."""
    surname = paper.authors[0].split()[-1] if paper.authors and paper.authors[0].split() else ""
    words = [word for word in (_ascii(word) for word in paper.title.split()) if len(word) > 3]
    stem = f"{_ascii(surname)}{paper.year or ''}{words[0] if words else ''}" or "paper"
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    taken.add(key)
    return key


def _ascii(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)


def _latex(text: str) -> str:
    pieces = (text[start : start + 500] for start in range(0, len(text), 500))  # its time grows with the square
    return "".join(_encoder().unicode_to_latex(piece) for piece in pieces)


@cache
def _encoder() -> Any:
    from pylatexenc.latexencode import RULE_DICT, UnicodeToLatexConversionRule, UnicodeToLatexEncoder

    # BibTeX counts braces without regard to a backslash before them, so text must not bring any of its own
    braces = UnicodeToLatexConversionRule(RULE_DICT, {ord("{"): r"\textbraceleft", ord("}"): r"\textbraceright"})
    # braces around macros keep entries balanced and words apart; what has no macro stays as it is: engines read UTF-8
    return UnicodeToLatexEncoder(
        conversion_rules=[braces, "defaults"],
        replacement_latex_protection="braces-all",
        unknown_char_policy="keep",
        unknown_char_warning=False,
    )
