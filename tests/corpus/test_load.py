"""Files, encodings, sizes, duplicates and writing: the decided behaviours of the public face."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag.corpus
from rag.corpus import MAX_LINE_BYTES, Limits, merge, read, read_all, read_bytes, write_jsonl
from rag.errors import CorpusError
from rag.types import Paper, title_id

DATA = Path(__file__).parents[2] / "data" / "papers.jsonl"


def line(title: str, abstract: str, **more: object) -> str:
    return json.dumps({"title": title, "abstract": abstract, **more}, ensure_ascii=False) + "\n"


# The shipped corpus


def test_the_shipped_corpus_is_clean_and_round_trips(tmp_path: Path) -> None:
    reading = read(DATA)
    assert len(reading.papers) == 119
    assert all(paper.id == title_id(paper.title) for paper in reading.papers)
    write_jsonl(reading.papers, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == DATA.read_bytes()
    text = "".join(paper.title + paper.abstract for paper in reading.papers)
    assert not set("\\{}`~$").intersection(text.replace("~5", "").replace("0.002$", ""))
    assert not any(paper.title.startswith("Subscribe") for paper in reading.papers)


# Faults


def test_the_first_fault_is_raised_with_file_line_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(line("A", "a") + line("B", "") + "nonsense\n")
    with pytest.raises(CorpusError) as caught:
        read(path)
    assert str(caught.value) == f'{path}, line 2: the abstract of "B" is missing or empty'
    assert (caught.value.file, caught.value.line) == (str(path), 2)


def test_with_skip_bad_faults_are_collected_in_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(line("A", "a") + line("B", "") + "nonsense\n" + line("C", "c"))
    reading = read(path, skip_bad=True)
    assert [paper.title for paper in reading.papers] == ["A", "C"]
    assert reading.lines == (1, 4)
    assert [fault.line for fault in reading.faults] == [2, 3]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\t\n", "the file is empty"),
        (b"\xef\xbb\xbf\n", "the file is empty"),
        (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "this is a PDF file, not text. Readback reads JSON lines"),
        (b"PK\x03\x04xyz", "this is a zip archive"),
        (b"\x89PNG\r\n\x1a\n", "this is a PNG image"),
        (gzip.compress(b"x"), "this is a gzip archive: unpack it first"),
        (bytes(range(256)), "this is a binary file"),
        (b"Dear Sir,\nplease find attached.\n", "unknown format. Readback reads JSON lines"),
        (b'[{"title": "T", "abstract": "A"}]', "unknown format"),
        (b"title,abstract\n", "no papers in it"),
    ],
)
def test_a_file_that_holds_no_papers_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason) as caught:
        read_bytes("upload.txt", data)
    assert caught.value.line is None
    reading = read_bytes("upload.txt", data, skip_bad=True)
    assert reading.papers == ()
    assert [fault.reason for fault in reading.faults] == [caught.value.reason]


def test_missing_files_and_folders_are_faults(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no such file"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(CorpusError, match="this is a folder"):
        read(tmp_path)


# Sizes


def test_a_line_of_five_megabytes_is_a_fault_and_not_a_paper() -> None:
    data = (line("A", "a") + line("B", "x" * 5_000_000) + line("C", "c")).encode()
    reading = read_bytes("big.jsonl", data, skip_bad=True)
    assert [paper.title for paper in reading.papers] == ["A", "C"]
    (fault,) = reading.faults
    assert fault.line == 2
    assert "more than 1,000,000 cannot be one paper" in fault.reason
    with pytest.raises(CorpusError, match=r"big\.jsonl, line 2: the line has 5,000,0\d\d bytes"):
        read_bytes("big.jsonl", data)


@pytest.mark.parametrize(
    "text",
    [
        "@article{a, title={A}, abstract={a}}\n@article{b, title={B},\nabstract={" + "x " * 600_000 + "}}\n",
        "TY  - JOUR\nTI  - A\nAB  - a\nER  - \nTY  - JOUR\nTI  - B\nAB  - " + "x " * 600_000 + "\nER  - \n",
        "PMID- 1\nTI  - A\nAB  - a\n\nPMID- 2\nTI  - B\nAB  - " + "x " * 600_000 + "\n",
        'title,abstract\nA,a\nB,"' + "x " * 600_000 + '"\n',
    ],
    ids=["bibtex", "ris", "medline", "csv"],
)
def test_the_limit_holds_inside_records_of_many_lines(text: str) -> None:
    reading = read_bytes("big", text.encode(), skip_bad=True)
    assert [paper.title for paper in reading.papers] == ["A"]
    assert [fault.line for fault in reading.faults] == [1 + text[: text.index("x x")].count("\n")]
    assert "bytes" in reading.faults[0].reason


def test_limits_are_settable(tmp_path: Path) -> None:
    text = line("A", "a" * 100)
    assert len(text) < MAX_LINE_BYTES
    with pytest.raises(CorpusError, match="more than 50 cannot be one paper"):
        read_bytes("x", text.encode(), limits=Limits(line_bytes=50))
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(CorpusError, match="split the file"):
        read(tmp_path / "x.jsonl", limits=Limits(file_bytes=50))


# Encodings

FRENCH = "title,abstract\nÉtude,Nous étudions les modèles de langue à grande échelle et leur évaluation. Les résultats"
FRENCH += " montrent que la méthode proposée améliore la précision.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings_that_are_certain(encoding: str) -> None:
    (paper,) = read_bytes("x.csv", FRENCH.encode(encoding)).papers
    assert paper.title == "Étude"
    assert "modèles de langue à grande échelle" in paper.abstract


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(newline: str) -> None:
    text = (line("A", "a") + line("B", "")).replace("\n", newline)
    reading = read_bytes("x", text.encode(), skip_bad=True)
    assert (reading.lines, [fault.line for fault in reading.faults]) == ((1,), [2])


def test_an_uncertain_encoding_is_a_fault_with_line_and_offset_and_never_a_guess() -> None:
    data = "title,abstract\nA,a café is small\nB,fine\n".encode("cp1252")
    reading = read_bytes("x.csv", data, skip_bad=True)
    assert [paper.title for paper in reading.papers] == ["B"]
    (fault,) = reading.faults
    assert fault.line == 2
    assert fault.reason.startswith(f"byte {data.index(0xE9)} of the file is not UTF-8")


def test_one_broken_byte_does_not_turn_utf8_into_another_encoding() -> None:
    data = line("É", "café, naïve, Gödel").encode() + b'{"title": "B", "abstract": "b\xff"}\n' + line("C", "ç").encode()
    reading = read_bytes("x.jsonl", data, skip_bad=True)
    assert [paper.title for paper in reading.papers] == ["É", "C"]
    assert [fault.line for fault in reading.faults] == [2]
    assert f"byte {data.index(0xFF)} " in reading.faults[0].reason


def test_utf16_that_is_cut_off_is_a_fault() -> None:
    with pytest.raises(CorpusError, match="line 2: not valid UTF-16 at byte"):
        read_bytes("x.csv", "title,abstract\nA,a".encode("utf-16")[:-1])


def test_control_characters_are_removed() -> None:
    (paper,) = read_bytes("x.csv", b"title,abstract\nA\x00B,a\x07b\x1b c\n").papers
    assert (paper.title, paper.abstract) == ("AB", "ab c")


# Duplicates


def test_the_same_record_twice_is_one_paper() -> None:
    reading = read_bytes("x", (line("A", "a  b") + line("A", "a b") + line("B", "b")).encode())
    assert [paper.title for paper in reading.papers] == ["A", "B"]
    assert (reading.merged, reading.lines) == (1, (1, 3))


def test_one_id_with_two_texts_names_both_lines_and_keeps_the_first() -> None:
    data = (line("A", "first", id="x") + "\n" + line("A", "second", id="x")).encode()
    with pytest.raises(CorpusError, match='f, line 3: the id "x" belongs to a record with different text on line 1'):
        read_bytes("f", data)
    reading = read_bytes("f", data, skip_bad=True)
    assert [paper.abstract for paper in reading.papers] == ["first"]
    assert len(reading.faults) == 1


def test_several_files_are_merged(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.csv"
    one.write_text(line("A", "a") + line("B", "b"))
    two.write_text("title,abstract\nB,b\nA,other\nC,c\n")
    with pytest.raises(CorpusError, match=r"two\.csv, line 3: the id .* different text in .*one\.jsonl, line 1"):
        read_all([one, two])
    both = read_all([one, two, tmp_path / "missing"], skip_bad=True)
    assert [paper.title for paper in both.papers] == ["A", "B", "C"]
    assert (both.merged, len(both.faults)) == (1, 2)
    assert both.papers[2].source == "two.csv"  # without the folders, which mean nothing to other people
    assert [reading.format for reading in both.readings] == ["jsonl", "csv", None]
    again = merge(both.readings, skip_bad=True)
    assert again.papers == both.papers
    assert list(map(str, again.faults)) == list(map(str, both.faults))


# Writing


def test_written_papers_read_back_equal(tmp_path: Path) -> None:
    papers = (
        Paper("doi:10.1/é", "É “x” \u2028"[:-2], "a < b", ("Ada L", "B"), 1999, "https://x.org/a", "s"),
        Paper("b", "B", "b"),
    )
    path = tmp_path / "out.jsonl"
    write_jsonl(papers, path)
    assert read(path).papers == papers
    assert [list(json.loads(text)) for text in path.read_text().splitlines()] == [
        ["id", "title", "abstract", "authors", "year", "url", "source"],
        ["id", "title", "abstract"],
    ]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def broken() -> Iterator[Paper]:
        yield Paper("a", "A", "a")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_jsonl(broken(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_public_names_are_sorted_and_exist() -> None:
    assert sorted(rag.corpus.__all__, key=lambda name: (not name.isupper(), name.islower(), name)) == rag.corpus.__all__
    assert all(hasattr(rag.corpus, name) for name in rag.corpus.__all__)


@pytest.mark.parametrize("records", ['{"title": "A", "abstract": "a"}\n', "nonsense\n", "{}\n"])
def test_a_file_of_too_many_records_is_refused_as_a_whole(records: str) -> None:
    data = (line("A", "a") + records * 20).encode()
    assert read_bytes("f.jsonl", data, skip_bad=True, limits=Limits(records=21)).papers
    refused = read_bytes("f.jsonl", data, skip_bad=True, limits=Limits(records=20))
    assert (refused.papers, [str(fault) for fault in refused.faults]) == (
        (),
        ["f.jsonl: more than 20 records: split the file"],
    )


def test_a_file_of_empty_lines_alone_is_refused_before_they_are_read() -> None:
    data = (line("A", "a") + "\n" * 2000).encode()
    with pytest.raises(CorpusError, match="more than 3 records"):
        read_bytes("f.jsonl", data, limits=Limits(records=3))


def test_a_long_file_in_an_unknown_encoding_is_one_fault() -> None:
    data = b"title,abstract\n" + b"A\xff,\x81\xfe\n" * 10_001
    reading = read_bytes("x.csv", data, skip_bad=True)
    assert [(fault.line, fault.reason.split(",")[0]) for fault in reading.faults] == [(2, "more than 10")]
    assert reading.papers == ()


def test_an_endless_list_of_authors_is_a_fault() -> None:
    reading = read_bytes("x.jsonl", line("A", "a", authors=["Ada"] * 10_001).encode(), skip_bad=True)
    assert [fault.reason for fault in reading.faults] == ["more than 10,000 authors cannot be one paper's"]
