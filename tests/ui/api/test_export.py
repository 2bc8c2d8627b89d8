"""Conversations as files: nothing in them comes alive, and LaTeX can read the BibTeX."""

from __future__ import annotations

import re
import string

import bibtexparser
import pytest
import rispy
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.types import Answer, Paper
from tests.ui.samples import PAPERS, REWRITES
from ui.services.export import answer_markdown, bibtex, conversation_bibtex, inert, plain


def test_markdown_has_questions_quotes_and_bibtex(client: TestClient) -> None:
    reply = client.post("/api/ask", json={"question": REWRITES}).json()
    address = f"/api/conversations/{reply['conversation']}/export"
    export = client.get(address)
    assert export.headers["content-type"].startswith("text/markdown")
    assert "attachment" in export.headers["content-disposition"]
    assert f"## {REWRITES}" in export.text
    assert f"<{PAPERS[0].url}>" in export.text
    assert "```bibtex\n@misc{" in export.text
    alone = client.get(address, params={"format": "bibtex"})
    entries = bibtexparser.loads(alone.text).entries
    assert {one["url"] for one in entries} >= {PAPERS[0].url}
    assert alone.text.strip() in export.text
    tagged = client.get(address, params={"format": "ris"}).text
    assert tagged.startswith("TY  - ")
    ris = rispy.loads(tagged)
    assert {one["title"] for one in ris} == {one["title"].strip("{}") for one in entries}
    quote = reply["answer"]["citations"][0]["quote"]
    assert export.text.partition("## BibTeX")[0].count(quote) == 1
    assert "\\" not in export.text.partition("## BibTeX")[0]
    assert client.get(address, params={"format": "exe"}).status_code == 422
    assert client.get("/api/conversations/nobodys/export").status_code == 404


def test_a_hostile_abstract_stays_text(client: TestClient) -> None:
    reply = client.post("/api/ask", json={"question": "What stops attacks on web pages?"}).json()
    assert "hostile-1" in {one["paper_id"] for one in reply["answer"]["citations"]}
    text = client.get(f"/api/conversations/{reply['conversation']}/export").text
    html = MarkdownIt("commonmark").render(text.partition("## BibTeX")[0])
    assert "<script" not in html
    assert "<img" not in html


def test_a_list_of_readback_stays_a_list_and_brings_nothing_else() -> None:
    text = "Two:\n- One: “# no heading”\n- # none\n- - none\n1. none"
    answer = Answer("a", "q", "q", text, False, None, (), (), (), "extractive", None)
    html = MarkdownIt("commonmark").render(answer_markdown(answer, {}))
    assert re.findall(r"<(\w+)", html) == ["p", "ul", "li", "li", "li"]


def test_a_removed_paper_is_still_named(client: TestClient) -> None:
    assert conversation_bibtex([]).startswith("%")
    assert "Gone" in bibtex([Paper("gone-1", "Gone", "")])


def test_bibtex_fields() -> None:
    entries = {one["ID"]: one for one in bibtexparser.loads(bibtex(PAPERS[:3])).entries}
    first, second, hostile = entries["muller2021selflearning"], entries["ruiz2019stance"], entries["attacks"]
    assert (first["eprint"], first["archiveprefix"], first["year"]) == ("2101.00001", "arXiv", "2021")
    assert first["author"] == r"Ada M{\"u}ller and Bo {\&} Co Li"
    assert second["doi"] == "10.1234/abc/5"
    assert "100{\\%}" in hostile["title"]
    assert "{\\_}Links{\\_}" in hostile["title"]
    assert hostile["note"] == "Readback: hostile-1"


def test_keys_are_distinct() -> None:
    papers = [Paper(f"p{number}", "Same Title", "Text.", ("Same Name",), 2020) for number in range(3)]
    assert [one["ID"] for one in bibtexparser.loads(bibtex(papers)).entries] == [
        "name2020same",
        "name2020same-2",
        "name2020same-3",
    ]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")), max_size=40), max_size=4))
def test_any_title_gives_balanced_bibtex(titles: list[str]) -> None:
    papers = [Paper(f"p{number}", f"T{title}", title, (title,)) for number, title in enumerate(titles)]
    text = bibtex(papers)  # BibTeX counts braces, escaped or not
    assert text.count("{") == text.count("}")
    assert len(bibtexparser.loads(text).entries) == len(papers)


@settings(deadline=None)
@given(st.text(st.sampled_from(string.punctuation + "ab1 \n"), max_size=60))
def test_any_text_stays_plain(text: str) -> None:
    html = MarkdownIt("commonmark").render(plain(text))
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "br", "pre", "code"}


@settings(deadline=None)
@given(st.text(st.sampled_from(string.punctuation + "ab1 \n"), max_size=60))
def test_a_models_markdown_brings_no_link_picture_or_html(text: str) -> None:
    html = MarkdownIt("commonmark").render(inert(text))
    assert not set(re.findall(r"<(\w+)", html)) - {
        *(
            "p",
            "br",
            "pre",
            "code",
            "em",
            "strong",
            "ul",
            "ol",
            "li",
            "hr",
            "blockquote",
            *(f"h{n}" for n in range(1, 7)),
        )
    }


@pytest.mark.parametrize("text", ["snake_case and x < y & z", "see [1], [12].", "100% (about 3.5)", "a - b", "C++ #1"])
def test_ordinary_text_needs_no_escapes(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "text", ["# no heading", "- no item", "1. no item", "12) no item", "![x](http://e.example)", "<b>"]
)
def test_markup_shows_as_it_was_written(text: str) -> None:
    import html as entities

    assert entities.unescape(re.sub("<[^>]+>", "", MarkdownIt("commonmark").render(plain(text)))).strip() == text
