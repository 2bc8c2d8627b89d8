"""What the page is made of, without a browser: escaping, highlighting, words, and the map."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.told import Told
from rag.types import Answer, Citation, Paper, Sentence, SentenceVerdict, TextDelta
from ui.api.chat import annotations_of, whole
from ui.page import arguments
from ui.page.arguments import BadRequest
from ui.page.atlas import Atlas, Cluster, Layout, Point, draw, extended
from ui.page.blocks import asset, look, script, shell
from ui.page.evidence import Card, evidence_of, segments
from ui.page.layout import LayoutFile
from ui.page.map import map_drawing
from ui.page.prose import growing, marked_up, with_markers
from ui.page.turns import copy_text
from ui.page.uploads import taken
from ui.render import render, web_link
from ui.services.export import answer_markdown
from ui.words import shortened


class Seen(HTMLParser):
    """The elements and the text that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


ANY = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u202a\u202b\u202c\u202d\u202e"))


@given(ANY)
def test_text_stays_text_in_content_and_attributes(text: str) -> None:
    paper = Paper("p", text, text, source=text)
    seen = Seen(render("paper", paper=paper, source="", fixed=True))
    assert set(seen.tags) <= {"article", "h3", "span", "p", "div", "button"}
    shown = text.translate(dict.fromkeys(range(0x2066, 0x206A)))
    assert seen.text.count(shown) >= 2
    assert seen.attributes["data-title"] == shown


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "//evil",
        "ftp://a/b",
        "http:x",
        "http://[",
        None,
        "",
    ],
)
def test_no_other_address_becomes_a_link(url: str | None) -> None:
    assert web_link(url) is None


def test_web_addresses_become_links() -> None:
    assert web_link(" https://arxiv.org/abs/1706.03762 ") == "https://arxiv.org/abs/1706.03762"


def test_only_known_markers_are_links() -> None:
    html = with_markers("It works [1][7]. See [x].", 2, [1])
    assert html.count("<a ") == 1
    assert 'href="#quote-2-1"' in html
    assert Seen(html).text == "It works[1][7]. See [x]."


def cited(marker: int, abstract: str, quote: str) -> Citation:
    start = abstract.index(quote)
    return Citation(marker, "p", "Title", quote, start, start + len(quote), 0.9)


def test_overlapping_quotes_keep_the_abstract_whole() -> None:
    abstract = "One two three. Four <five> six. Seven."
    quotes = (
        cited(1, abstract, "two three. Four <five>"),
        cited(1, abstract, "Four <five> six."),
        cited(1, abstract, "One"),
    )
    assert "".join(one.text for one in segments(abstract, dict(enumerate(quotes)))) == abstract
    answer = replace(answer_of("generative", text=""), citations=quotes)
    html = evidence_of(1, answer, {"p": Paper("p", "Title", abstract)}, {})
    assert abstract in Seen(html).text
    assert [html.count(f'<mark data-quotes="{places}"') for places in ("0", "1", "2", "0 1")] == [1, 1, 1, 1]
    assert html.count('id="quote-1-1"') == html.count(">1</button>") == 1, "one number for all quotes of a paper"


def test_a_quote_that_is_not_there_word_for_word_is_not_marked() -> None:
    abstract = "The abstract was corrected."
    assert [one.places for one in segments(abstract, {0: Citation(1, "p", "T", "was wrong", 4, 13, 1.0)})] == [()]


def answer_of(mode: str, *sentences: Sentence, text: str) -> Answer:
    citation = Citation(1, "p", "A <b>title", "quote", 0, 5, 0.2)
    return Answer("a" * 32, "q", "q", text, False, None, sentences, (citation,), (), mode, None)  # type: ignore[arg-type]


def test_unsupported_sentences_are_marked() -> None:
    good = Sentence("Good [1]", (1,), True, 0.9)
    bad = Sentence("Made up. (not supported by the abstracts)", (), False, 0.1)
    html = marked_up(1, answer_of("generative", good, bad, text=f"{good.text} {bad.text}"))
    assert html.count("contradicted") == 1
    assert ">not supported by the abstracts</span>" in html
    assert html.count("<p>") == 1


MARKDOWN = """# Findings

**Rewrites help.** They *save* time [1].

- One `[1]` thing [1]
- Two <b>things</b>

| a | b |
|---|---|
| 1 | 2 |

![x](http://evil.example/p.png) [click](http://evil.example) <http://evil.example> <script>alert(1)</script>

[1]: http://evil.example
"""


def test_what_a_model_writes_is_markdown_that_loads_and_opens_nothing() -> None:
    said = [Sentence("**Rewrites help.**", (1,), True, 0.9), Sentence("They *save* time [1].", (1,), True, 0.9)]
    html = marked_up(1, answer_of("generative", *said, Sentence("- Two <b>things</b>", (), False, 0.1), text=MARKDOWN))
    seen = Seen(html)
    assert {"h1", "strong", "em", "ul", "li", "code", "table", "td"} <= set(seen.tags)
    assert not {"img", "script", "b"} & set(seen.tags)
    assert {link for link in seen.links if link} == {"#quote-1-1"}
    assert "<code>[1]</code>" in html
    assert '<strong><span class="said" data-leans="0">Rewrites help.</span></strong>' in html
    assert '<li><span class="said contradicted" data-leans="">Two &lt;b&gt;things&lt;/b&gt;</span>' in html
    assert "⸨" not in html


@given(ANY)
def test_any_text_of_a_model_is_inert(text: str) -> None:
    told = Told()
    told.hear(TextDelta(text, draft=True))
    for html in (growing(told), marked_up(1, answer_of("generative", Sentence(text, (1,), False, 0.5), text=text))):
        assert not {"img", "script", "style", "iframe", "input"} & set(Seen(html).tags)
        assert {link for link in Seen(html).links if link} <= {"#quote-1-1"}


def test_what_is_written_is_pale_until_it_is_judged_and_struck_where_it_is_wrong() -> None:
    told = Told()
    for event in (
        TextDelta("Good.", draft=True),
        TextDelta(" [1]", draft=True),
        SentenceVerdict(0, 9, Sentence("Good. [1]", (1,), True, 0.9)),
        TextDelta(" Made up.", draft=True),
        SentenceVerdict(10, 18, Sentence("Made up. (not supported by the abstracts)", (), False, 0.0, "contradicted")),
        TextDelta(" Obeying.", draft=True),
        SentenceVerdict(19, 27, None),
        TextDelta(" And now", draft=True),
    ):
        told.hear(event)
    html = growing(told)
    assert [html.count(f'class="said{state}"') for state in ("", " contradicted", " drafted")] == [1, 1, 1]
    assert html.count(">not supported by the abstracts<") == 1
    assert Seen(html).text.strip().startswith("Good.[1] Made up.")
    assert "Obeying" not in html
    assert "And now" in html


def test_quotes_stand_below_the_title_of_their_paper() -> None:
    said = Sentence("“quote” [1] — A <b>title", (1,), True, 1.0)
    html = marked_up(1, answer_of("extractive", said, text=said.text))
    assert html.startswith('<p class="source"><cite dir="auto">A &lt;b&gt;title</cite></p><p class="quoted">')
    assert "—" not in html


def test_a_sentence_leads_to_its_own_quotes_among_those_of_its_paper() -> None:
    quotes = tuple(Citation(1, "p", "Title", text, 0, len(text), 0.9) for text in ("first", "second"))
    one = Sentence("One [1]", (1,), True, 0.9, quotes=(0,))
    other = Sentence("Another [1]", (1,), True, 0.9, quotes=(1,))
    answer = replace(answer_of("generative", one, other, text="One [1] Another [1]"), citations=quotes)
    html = marked_up(1, answer)
    assert [html.count(f'data-leans="{place}"') for place in (0, 1)] == [1, 1]
    assert copy_text(answer).endswith("\n\n[1] Title. “first” “second”")
    assert answer_markdown(answer, {}).endswith("\n\n- [1] **Title**: “first” “second”")
    markers = [one.paper_citation.quote for one in annotations_of(answer, *whole(answer), answer.text, {})]
    assert markers == ["first", "second"]
    before = replace(answer, sentences=tuple(replace(each, quotes=()) for each in answer.sentences))
    assert 'data-leans="0 1"' in marked_up(1, before), "older records know the marker alone"


@pytest.mark.parametrize(("support", "words"), [(0.9, "Strong support"), (0.6, "Fair support"), (0.2, "Weak support")])
def test_support_is_said_in_words(support: float, words: str) -> None:
    answer = answer_of("generative", Sentence("Good [1]", (1,), True, support), text="Good [1]")
    assert Card(answer, dict(enumerate(answer.citations)), None, None).strength[1] == words


def test_texts_are_cut_at_words() -> None:
    assert shortened("a short text", 20) == "a short text"
    assert shortened("a rather long text about papers", 20) == "a rather long text…"
    assert len(shortened("x" * 100, 20)) == 20


@pytest.mark.parametrize(
    "bad", [{"run": "../../x"}, {"run": 7}, {"run": ""}, {}, {"run": "x" * 65}, {"run": "<script>alert(1)</script>"}]
)
def test_odd_ids_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="unusable run"):
        arguments.token(bad, "run")


def test_odd_options_are_refused_or_moved_into_range() -> None:
    assert (
        arguments.options({"papers": 10_000, "mode": "rm -rf", "model": "m"}, writes=True).papers
        == arguments.MOST_PAPERS
    )
    assert arguments.options({"mode": "generative", "model": "m"}, writes=False).mode is None
    for odd in (
        {"papers": True},
        {"papers": "5"},
        {"include": "abc"},
        {"include": [1]},
        {"include": ["a"] * 300},
        {"standalone": 5},
    ):
        with pytest.raises(BadRequest):
            arguments.options(odd, writes=True)


@pytest.mark.parametrize("path", ["/etc/passwd", "", "../../etc/passwd", "/nowhere"])
def test_no_file_but_an_upload_is_read(path: str) -> None:
    with pytest.raises(BadRequest, match="did not arrive"):
        taken(path)


def vectors_and_titles() -> tuple[np.ndarray, list[str], list[str]]:
    """Three topics of twelve papers each."""
    random = np.random.default_rng(0)
    topics = ["graph neural networks", "protein folding", "query expansion"]
    titles = [f"Notes on {topic} number {number}" for topic in topics for number in range(12)]
    rows = np.concatenate([np.eye(3)[topic] + random.normal(0, 0.05, (12, 3)) for topic in range(3)])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), titles, [f"We look at {title.lower()}." for title in titles]


def test_the_map_finds_topics_names_them_and_is_the_same_every_time() -> None:
    vectors, titles, abstracts = vectors_and_titles()
    atlas = draw(vectors, titles, abstracts)
    assert atlas == draw(vectors, titles, abstracts)
    groups = [[point.cluster for point in atlas.points][start : start + 12] for start in (0, 12, 24)]
    assert all(len(set(group)) <= 2 for group in groups)
    assert not set(groups[0]) & set(groups[1])
    named = " ".join(cluster.label.lower() for cluster in atlas.clusters)
    assert all(word in named for word in ("graph", "protein", "query"))
    assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in atlas.points)


def test_papers_keep_their_places_on_the_map_when_others_come_or_go() -> None:
    vectors, titles, abstracts = vectors_and_titles()
    ids = [f"paper-{number}" for number in range(len(titles))]
    old = [number for number in range(len(titles)) if number % 4]  # the others come later
    atlas = draw(vectors[old], [titles[one] for one in old], [abstracts[one] for one in old])
    layout = Layout.of(atlas, [ids[one] for one in old])
    grown = extended(layout, ids, vectors)
    assert grown is not None
    assert len(grown.points) == len(ids)
    at = {ids[point.paper]: (point.x, point.y, point.cluster) for point in grown.points}
    assert all(at[paper] == place for paper, place in layout.places.items())
    assert [one.label for one in grown.clusters] == [one.label for one in atlas.clusters]
    new = [ids[number] for number in range(len(ids)) if number not in old]
    for paper in new:
        nearest = min(layout.places, key=lambda one: np.hypot(at[one][0] - at[paper][0], at[one][1] - at[paper][1]))
        assert ids.index(nearest) // 12 == ids.index(paper) // 12, "beside a paper on the same topic"
    assert len({at[paper] for paper in new}) == len(new), "they do not cover each other"
    left = extended(layout, ids[12:], vectors[12:])
    assert left is not None
    assert all(point.cluster < len(left.clusters) for point in left.points)


def test_a_map_is_laid_out_anew_when_most_papers_are_new() -> None:
    vectors, titles, abstracts = vectors_and_titles()
    ids = [f"paper-{number}" for number in range(len(titles))]
    few = draw(vectors[:14], titles[:14], abstracts[:14])
    assert extended(Layout.of(few, ids[:14]), ids, vectors) is None


def test_the_layout_of_the_map_outlives_a_restart_and_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    layout = Layout({"a": (0.25, 0.5, 0), "b": (1.0, 0.0, 1)}, ("One", "Two"))
    LayoutFile(tmp_path).write(layout)
    assert LayoutFile(tmp_path).read() == layout
    file = tmp_path / "map.json"
    for damage in ("", "[]", '{"places": {"a": [2, 0, 0]}, "labels": ["One"]}', '{"places": {"a": 1}, "labels": []}'):
        file.write_text(damage)
        assert LayoutFile(tmp_path).read() is None
    assert "laid out anew" in caplog.text


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9])
def test_small_collections_have_maps_too(count: int) -> None:
    vectors, titles, abstracts = vectors_and_titles()
    atlas = draw(vectors[:count], titles[:count], abstracts[:count])
    assert len(atlas.points) == count
    papers = [Paper(str(number), title, "") for number, title in enumerate(titles[:count])]
    assert map_drawing(atlas, papers, count).count("<circle") == count


def test_papers_that_are_all_alike_or_say_nothing_have_a_map() -> None:
    same = np.full((12, 4), 0.5, dtype=np.float32)
    assert len(draw(same, ["the"] * 12, ["of and"] * 12).points) == 12


def test_the_page_asks_nobody_for_anything() -> None:
    for text in (shell(4000), script(), asset("head.html")):
        assert "//" not in text.replace("// ", "").replace("http://www.w3.org", "")
    theme = look()["theme"]
    assert theme._stylesheets == []
    assert theme._font_css == []


def test_papers_like_one_say_how_like_it_they_are() -> None:
    papers = [Paper(str(number), f"Title {number}", "Words.") for number in range(4)]
    html = render("similar", paper=papers[0], found=list(zip(papers[1:], (0.9, 0.65, 0.1), strict=True)))
    assert [html.index(words) for words in (">very similar", ">similar", ">somewhat similar")]
    assert "holds no others" in render("similar", paper=papers[0], found=[])


def test_labels_keep_off_points_where_there_is_room() -> None:
    crowd = tuple(Point(number, 0.3 + number * 0.04, 0.5, 0) for number in range(10))
    atlas = Atlas(crowd, (Cluster("Crowded topic", 0.5, 0.5, 10),))
    html = map_drawing(atlas, [Paper(str(number), f"Title {number}", "") for number in range(10)], 10)
    where = re.findall(r'<text x="(\d+)" y="(\d+)"', html)
    points = {round(float(y)) for y in re.findall(r'cy="([\d.]+)"', html)}
    assert len(where) == len(points) == 1
    assert abs(int(where[0][1]) - 8 - points.pop()) >= 22, "half a line and a point"


def test_what_could_not_be_checked_is_pale_and_a_table_stays_one() -> None:
    rows = [
        "| Method | Finding |",
        "|---|---|",
        "| A | It works [1] |",
        "| B | It flies (not supported by the abstracts) |",
    ]
    said = (
        Sentence(rows[0], (), True, 1.0),
        Sentence(rows[1], (), True, 1.0),
        Sentence(rows[2], (1,), False, 0.5, "unchecked"),
        Sentence(rows[3], (), False, 0.0, "contradicted"),
    )
    html = marked_up(1, answer_of("generative", *said, text="\n".join(["Before it.", *rows])))
    assert html.count("<td>") == 4
    assert '<td><span class="said unchecked" data-leans="0">A</span></td>' in html
    assert html.count(">not checked<") == html.count(">not supported by the abstracts<") == 1
    assert "(not supported" not in html


def test_claims_are_told_without_the_signs_of_their_markdown() -> None:
    said = [Sentence("| A | **It works** [1] |", (1,), True, 0.9), Sentence("- It flies [1]", (1,), True, 0.9)]
    answer = answer_of("generative", *said, text="")
    assert Card(answer, dict(enumerate(answer.citations)), None, None).claims == ["A: It works", "It flies"]
