"""Properties of the readers: round trips, and no input that makes them fail in any way but the agreed one."""

import csv
import io
from pathlib import Path

import rispy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.corpus import clean, read, read_bytes, write_jsonl
from rag.errors import CorpusError
from rag.types import Paper

WORDS = st.text(alphabet="abcdefgXYZ 0123.,;:!?()éüß字'\"&<>%$#_^-+=@", min_size=1, max_size=60)
TITLES = WORDS.map(clean).filter(lambda text: any(char.isalpha() for char in text))
RECORDS = st.lists(st.tuples(TITLES, TITLES), min_size=1, max_size=6, unique_by=lambda record: _key(record[0]))
EXTENSIONS = st.sampled_from(["", ".txt", ".jsonl", ".csv", ".bib", ".ris", ".nbib", ".json"])
BEGINNINGS = st.sampled_from(
    [b"", b"{", b'{"title": "T", "abstract": "A", ', b'{"id": "0704.0001", "versions": [', b"title,abstract\n",
     b"title;abstract\n\"", b"@article{a, title={", b"@article{a, title={T}, abstract={A}, year = ", b"@string{",
     b"TY  - JOUR\nTI  - T\nAB  - A\n", b"PMID- 1\nTI  - ", b"Get trending papers in your email inbox\nSubscribe",
     b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\x00\x00"]
)  # fmt: skip
PIECES = st.lists(
    st.sampled_from(
        [b"ER  - \n", b"TY  - JOUR\n", b"DO  - 10.1234/x\n", b"UR  - a;b\n", b"  - ", b"\n", b"\r", b"\x00", b"{", b"}",
         b'"', b",", b"@article{", b"=", b"#", b"PMID- 2\n", b"AB  - x\n", b"\xe9", b"\xff", b"title", b"abstract",
         b'"abstract": "x"}\n', b"[", b"]", b":", b"\\", b"(", b")", b"@comment{", b"@string{a = ", b"null", b"1e999"]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip
ANY_BYTES = st.one_of(st.binary(max_size=300), st.tuples(BEGINNINGS, PIECES, st.binary(max_size=20)).map(b"".join))


def _key(title: str) -> str:
    from rag.types import title_id

    return title_id(title)


@settings(max_examples=600, deadline=None)
@given(ANY_BYTES, EXTENSIONS)
@example(b"@article{" + b"{" * 5000, ".bib")
@example(b'{"title": ' * 5000, ".jsonl")
@example(b"%\xd8", ".jsonl")  # two characters of EBCDIC, the first a line end
def test_arbitrary_bytes_fail_with_a_corpus_error_or_not_at_all(data: bytes, extension: str) -> None:
    name = f"upload{extension}"
    reading = read_bytes(name, data, skip_bad=True)
    assert reading.papers or reading.faults
    total = data.count(b"\n") + data.count(b"\r") + 1
    assert all(fault.file == name and (fault.line is None or 1 <= fault.line <= total) for fault in reading.faults)
    assert len({paper.id for paper in reading.papers}) == len(reading.papers) == len(reading.lines)
    assert all(paper.title and paper.abstract for paper in reading.papers)
    try:
        strict = read_bytes(name, data)
    except CorpusError:
        assert reading.faults
    else:
        assert strict == reading


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_BYTES, EXTENSIONS)
def test_what_was_read_is_written_and_read_again_unchanged(tmp_path: Path, data: bytes, extension: str) -> None:
    papers = read_bytes(f"upload{extension}", data, skip_bad=True).papers
    if papers:
        write_jsonl(papers, tmp_path / "papers.jsonl")
        assert read(tmp_path / "papers.jsonl").papers == papers


def _texts(papers: tuple[Paper, ...]) -> list[tuple[str, str]]:
    return [(paper.title, paper.abstract) for paper in papers]


def _real(records: list[tuple[str, str]]) -> list[tuple[str, str]]:
    placeholders = {"na", "n/a", "nan", "none", "null"}
    return [record for record in records if not {text.strip("[]().- ").casefold() for text in record} & placeholders]


@settings(deadline=None)
@given(RECORDS, st.sampled_from([",", ";", "\t", "|"]))
def test_csv_round_trip(records: list[tuple[str, str]], delimiter: str) -> None:
    records = _real(records) or [("T", "A")]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([("Title", "Abstract"), *records])
    assert _texts(read_bytes("x", out.getvalue().encode()).papers) == records


@settings(deadline=None)
@given(RECORDS)
def test_ris_round_trip(records: list[tuple[str, str]]) -> None:
    records = _real(records) or [("T", "A")]
    text = rispy.dumps([{"type_of_reference": "JOUR", "title": title, "abstract": abs} for title, abs in records])
    assert _texts(read_bytes("x", text.encode()).papers) == records


@settings(deadline=None)
@given(RECORDS)
def test_medline_round_trip(records: list[tuple[str, str]]) -> None:
    records = _real(records) or [("T", "A")]
    text = "\n".join(
        f"PMID- {number}\nTI  - {title}\nAB  - {abstract}\n" for number, (title, abstract) in enumerate(records, 1)
    )
    assert _texts(read_bytes("x", text.encode()).papers) == records


@settings(deadline=None)
@given(RECORDS)
def test_bibtex_round_trip(records: list[tuple[str, str]]) -> None:
    records = _real(records) or [("T", "A")]

    def field(text: str) -> str:
        return "".join(f"\\{char}" if char in "%&#_$" else char for char in text)

    text = "\n".join(
        f"@article{{k{number},\n title = {{{field(title)}}},\n abstract = {{{field(abstract)}}},\n}}"
        for number, (title, abstract) in enumerate(records)
    )
    assert _texts(read_bytes("x", text.encode()).papers) == records
