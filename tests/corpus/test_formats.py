"""Every format through the public face: content, ids, line numbers and faults."""

from pathlib import Path

import pytest

from rag.corpus import FORMATS, Reading, read, read_bytes
from rag.errors import CorpusError
from rag.types import title_id

DATA = Path(__file__).parents[2] / "data" / "papers.jsonl"
HEADER = "Get trending papers in your email inbox once a day!\nGet trending papers in your email inbox!\nSubscribe"
ABSTRACT = "We study how feedback helps retrieval, and find that it helps more than anybody had thought before. " * 5


def lenient(text: str, name: str = "upload") -> Reading:
    return read_bytes(name, text.encode(), skip_bad=True)


def complaints(reading: Reading) -> list[tuple[int | None, str]]:
    return [(fault.line, fault.reason) for fault in reading.faults]


# The listing


def test_listing_drops_the_header_and_the_button_that_sticks_to_the_first_title() -> None:
    reading = lenient(f"{HEADER}Memory Networks\n{ABSTRACT}\nSubscribe to Feedback\n{ABSTRACT}\n", "x.pdf")
    assert reading.format == "listing"
    assert [paper.title for paper in reading.papers] == ["Memory Networks", "Subscribe to Feedback"]
    assert reading.lines == (3, 5)
    assert reading.papers[0].abstract == ABSTRACT.strip()
    assert reading.papers[0].source == "trending papers listing"


def test_listing_finds_its_pairs_again_after_a_missing_abstract_or_title() -> None:
    reading = lenient(f"{HEADER}A\nTitle B\n{ABSTRACT}\n{ABSTRACT}\nTitle C\n\n{ABSTRACT}\nTitle D")
    assert [paper.title for paper in reading.papers] == ["Title B", "Title C"]
    assert [fault.line for fault in reading.faults] == [3, 6, 10]
    assert 'the abstract of "A" is missing' in str(reading.faults[0])
    assert "the title above" in str(reading.faults[1])


def test_the_shipped_corpus_survives_a_trip_through_the_listing() -> None:
    shipped = read(DATA).papers
    listing = HEADER + "\n".join(f"{paper.title}\n{paper.abstract}" for paper in shipped)
    assert lenient(listing).papers == shipped


# JSON lines


def test_jsonl_reads_every_key() -> None:
    line = (
        '{"id": "x1", "title": "T", "abstract": "A.", "authors": ["Ada"], "year": 1843,'
        ' "url": "https://x.org/1", "source": "s"}'
    )
    (paper,) = lenient(line).papers
    assert (paper.id, paper.title, paper.abstract, paper.authors) == ("x1", "T", "A.", ("Ada",))
    assert (paper.year, paper.url, paper.source) == (1843, "https://x.org/1", "s")


def test_jsonl_without_an_id_gets_one_from_the_cleaned_title() -> None:
    (paper,) = lenient(r'{"title": "{\\em Memory} Networks", "abstract": "A."}').papers
    assert paper.id == title_id("Memory Networks")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"title": "T", "abstract": "A", "keywords": []}', 'unknown key "keywords"'),
        ('{"title": "T"}', 'the key "abstract" is missing'),
        ('{"title": "T", "abstract": null}', 'the key "abstract" is missing'),
        ('{"title": "T", "abstract": " "}', 'the abstract of "T" is missing or empty'),
        ('{"title": "T", "abstract": "[No abstract available]"}', "missing or empty"),
        ('{"title": "\\u0000", "abstract": "A"}', "the title is missing or empty"),
        ('{"title": 5, "abstract": "A"}', '"title" must be a string'),
        ('{"title": "T", "abstract": "A", "authors": "Ada"}', '"authors" must be a list'),
        ('{"title": "T", "abstract": "A", "year": "1843"}', '"year" must be a whole number'),
        ('{"title": "T", "abstract": "A", "year": true}', '"year" must be a whole number'),
        ('{"title": "T", "abstract": "A", "url": "javascript:alert(1)"}', '"url" must begin with http'),
        ('{"title": "T", "abstract": "A", "id": " "}', "an id has 1 to 300 visible characters"),
        ('{"title": "T", "title": "U", "abstract": "A"}', 'the key "title" appears twice'),
        ('{"title": "T", "abstract": "A"', "not valid JSON"),
        ('["T", "A"]', "not a JSON object"),
        ('{"title": ' + "[" * 100_000, "not valid JSON"),
        ('{"title": "T", "abstract": "A", "year": ' + "9" * 5000 + "}", ""),
    ],
)
def test_jsonl_names_what_is_wrong(line: str, reason: str) -> None:
    reading = lenient('{"title": "Good", "abstract": "Fine."}\n\n' + line)
    assert [paper.title for paper in reading.papers] == ["Good"]
    ((at, said),) = complaints(reading)
    assert at == 3
    assert reason in said


# arXiv


def test_arxiv_metadata() -> None:
    line = (
        '{"id": "0704.0001", "submitter": "P", "authors": "C. Bal\\\\\'azs", "title": "Diphoton\\n  production",'
        ' "abstract": "  We find $\\\\alpha > 5\\\\%$\\nfor 50% of it.\\n", "doi": "10.1103/x",'
        ' "update_date": "2008-11-26",'
        ' "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],'
        ' "authors_parsed": [["Bal\\\\\'azs", "C.", ""], ["King", "M. L.", "Jr."]]}'
    )
    reading = lenient(line, "snapshot.json")
    (paper,) = reading.papers
    assert reading.format == "arxiv"
    assert paper.id == "arXiv:0704.0001"
    assert paper.url == "https://arxiv.org/abs/0704.0001"
    assert paper.title == "Diphoton production"
    assert paper.abstract == "We find α > 5% for 50% of it."
    assert paper.authors == ("C. Balázs", "M. L. King Jr.")
    assert (paper.year, paper.source) == (2007, "arXiv")


@pytest.mark.parametrize(("given", "kept"), [("hep-th/9901001", "hep-th/9901001"), ("2301.00001v3", "2301.00001")])
def test_arxiv_ids_lose_their_version_only(given: str, kept: str) -> None:
    (paper,) = lenient(f'{{"id": "{given}", "title": "T", "abstract": "A", "update_date": "2020-01-01"}}').papers
    assert (paper.id, paper.year) == (f"arXiv:{kept}", 2020)


def test_an_arxiv_id_that_became_a_number_is_a_fault() -> None:
    good = '{"id": "0704.0001", "title": "T", "abstract": "A", "categories": "x"}'
    reading = lenient(f'{good}\n{{"id": 704.0002, "title": "T", "abstract": "A", "categories": "x"}}')
    assert len(reading.papers) == 1
    assert complaints(reading) == [(2, "'704.0002' is not an arXiv id such as 0704.0001 or hep-th/9901001")]


# CSV

CSV = 'Title{0}Abstract Note{0}Authors{0}Publication Year{0}DOI{0}Unheard of\n"A{0} b"{0}"one\ntwo ""q"""{0}'
CSV += '"Lovelace, Ada; Doe, J."{0}2020-01-02{0}https://doi.org/10.1234/Q{0}x\n\nB{0}second\n'


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "\n", "sep={0}\n"])
def test_csv_with_any_delimiter(delimiter: str, first: str) -> None:
    reading = lenient((first + CSV).format(delimiter), "export.dat")
    one, two = reading.papers
    above = first.count("\n")
    assert (reading.format, reading.lines) == ("csv", (2 + above, 5 + above))
    assert (one.id, one.title, one.abstract) == ("doi:10.1234/q", " ".join(f"A{delimiter} b".split()), 'one two "q"')
    assert (one.authors, one.year, one.url) == (("Ada Lovelace", "J. Doe"), 2020, "https://doi.org/10.1234/q")
    assert (two.id, two.source) == (title_id("B"), "export.dat")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (
            '"Ada Lovelace, Charles Babbage, and Mary Somerville"',
            ("Ada Lovelace", "Charles Babbage", "Mary Somerville"),
        ),
        ('"Lovelace, Ada"', ("Ada Lovelace",)),
        ("Lovelace A. and Babbage C.", ("Lovelace A.", "Babbage C.")),
        ("Ada", ("Ada",)),
        ("", ()),
    ],
)
def test_csv_authors(given: str, names: tuple[str, ...]) -> None:
    assert lenient(f"title,abstract,author\nT,A,{given}").papers[0].authors == names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("7", title_id("T")),
        ("paper-7", "paper-7"),
        ("2301.00001v2", "arXiv:2301.00001"),
        ("10.1234/X", "doi:10.1234/x"),
    ],
)
def test_csv_row_numbers_are_no_ids(given: str, kept: str) -> None:
    assert lenient(f"id,title,abstract\n{given},T,A").papers[0].id == kept


def test_csv_faults_name_the_line_where_the_row_begins() -> None:
    reading = lenient('title,abstract\nA,"two\nlines"\nB,b,c\nC,"bad" x\nD,\nE,"never closed\nF,f\n')
    assert [paper.title for paper in reading.papers] == ["A"]
    assert [line for line, _ in complaints(reading)] == [4, 5, 6, 7]
    assert "3 cells, but the header names 2" in reading.faults[0].reason
    assert "never closed" in reading.faults[3].reason


def test_csv_without_the_needed_columns_says_so() -> None:
    with pytest.raises(CorpusError, match=r'export\.csv, line 1: no "title" and "abstract" columns in .*"name,text"'):
        read_bytes("export.csv", b"name,text\na,b\n")


# BibTeX

BIB = r"""% Encoding: UTF-8
@comment{jabref-meta: x}
@string{conf = "Foo Conf"}

@inproceedings{a1,
  title     = {{BERT}: Pre-training of {D}eep {3}D Models},
  author    = {M{\"u}ller, J{\'o}zef and {Barnes and Noble} and Ada Lovelace and others},
  abstract  = {We show $\alpha > 5\%$ gains~\cite{foo} on 50\% of tasks,
               for \{a, b\}.},
  booktitle = conf # " 2019", month = jan, year = 2019, doi = {10.1000/ABC\_1},
}
@misc{b, title="Second", abstract="With {"}quotes{"}.", eprint={2301.00001v2}, archivePrefix={arXiv}, year={in press}}
@ARTICLE(c, title={Third}, abstract={Text.}, url={https://a.b/c\_d}, date={2021-05})
"""


def test_bibtex() -> None:
    reading = lenient(BIB)
    one, two, three = reading.papers
    assert (reading.format, reading.lines, reading.faults) == ("bibtex", (5, 12, 13), ())
    assert one.id == "doi:10.1000/abc_1"
    assert one.title == "BERT: Pre-training of Deep 3D Models"
    assert one.abstract == "We show α > 5% gains [foo] on 50% of tasks, for {a, b}."
    assert one.authors == ("Józef Müller", "Barnes and Noble", "Ada Lovelace")
    assert (one.year, one.url) == (2019, "https://doi.org/10.1000/abc_1")
    assert (two.id, two.abstract, two.year) == ("arXiv:2301.00001", 'With "quotes".', None)
    assert (three.id, three.url, three.year) == (title_id("Third"), "https://a.b/c_d", 2021)


def test_a_broken_bibtex_entry_spoils_no_other() -> None:
    deep = "{" * 60 + "x" + "}" * 60
    reading = lenient(
        "@article{a, title={Open, abstract={x}\n@article{b, title={B}, abstract={b}}\n@article{c, title={C}}\n"
        f"@article{{d, title={{D}}, abstract={deep}}}\n@article{{e, title={{E}}, abstract={{e}}, month=nosuch}}\n"
    )
    assert [(paper.title, paper.abstract) for paper in reading.papers] == [("B", "b"), ("D", "x")]
    assert [line for line, _ in complaints(reading)] == [1, 3, 5]
    assert [reading.faults[at].reason.split(": ")[-1] for at in (0, 2)] == [
        "a brace is never closed",
        'the string "nosuch" is not defined',
    ]


# RIS


def test_ris() -> None:
    reading = lenient(
        "exported today\n\nTY  - JOUR\nAU  - Lovelace, Ada\nAU  - Doe, J.\nTI  - A title\nAB  - An abstract that\n"
        "goes on <i>here</i>.\nPY  - 2020/01/02\nDO  - 10.1234/X\nUR  - https://x.y/z\nZZ  - odd\nER  - \n\n"
        "TY - CONF\nT1 - Other\nN2 - Abstract two.\nY1 - 1999\nER -\nTY  - JOUR\nTI  - Cut\nAB  - off"
    )
    one, two = reading.papers
    assert (reading.format, reading.lines) == ("ris", (3, 15))
    assert (one.id, one.title, one.abstract) == ("doi:10.1234/x", "A title", "An abstract that goes on here.")
    assert (one.authors, one.year, one.url) == (("Ada Lovelace", "J. Doe"), 2020, "https://x.y/z")
    assert (two.id, two.abstract, two.year) == (title_id("Other"), "Abstract two.", 1999)
    assert complaints(reading) == [(20, 'the record has no end line "ER  -": is the file cut off?')]


# MEDLINE


def test_medline() -> None:
    reading = lenient(
        "\nPMID- 123\nOWN - NLM\nDP  - 2005 Spring\nTI  - A title that\n      goes on.\nAB  - BACKGROUND: x < 5.\n"
        "      - a dash, and more.\nFAU - Lovelace, Ada\nAU  - Lovelace A\nLID - 10.1/x [doi]\n\nPMID- 124\nTI  - T\n\n"
        "PMID- x\nTI  - T\nAB  - A\n"
    )
    (paper,) = reading.papers
    assert (reading.format, reading.lines) == ("medline", (2,))
    assert (paper.id, paper.url) == ("PMID:123", "https://pubmed.ncbi.nlm.nih.gov/123/")
    assert (paper.title, paper.abstract) == ("A title that goes on.", "BACKGROUND: x < 5. - a dash, and more.")
    assert (paper.authors, paper.year, paper.source) == (("Ada Lovelace",), 2005, "PubMed")
    assert [line for line, _ in complaints(reading)] == [13, 16]


# What all of them share


def test_one_paper_has_one_id_in_every_format() -> None:
    texts = [
        '{"id": "2301.00001v1", "title": "T", "abstract": "A", "categories": "x"}',
        "title,abstract,doi\nT,A,https://doi.org/10.48550/arXiv.2301.00001",
        "@misc{x, title={T}, abstract={A}, doi={10.48550/ARXIV.2301.00001}}",
        "TY  - JOUR\nTI  - T\nAB  - A\nDO  - doi:10.48550/arXiv.2301.00001\nER  - ",
    ]
    assert {lenient(text).papers[0].id for text in texts} == {"arXiv:2301.00001"}


def test_every_format_is_named_and_can_be_called() -> None:
    assert set(FORMATS) == {"listing", "jsonl", "arxiv", "csv", "bibtex", "ris", "medline"}
