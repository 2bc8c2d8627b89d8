"""What a model writes carries no link, picture or HTML: not when it is whole, and not while it is written."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.text import inert, marked_places

PIECES = st.sampled_from(
    "[|]|(|)|!|<|>|http://a.example|www.|h|t| |.|,|:|img src=x|[1]|[a](b)|![p](http://e.example/p.png)|word|5|**|`|\\|"
    "mailto:|/path|\n".split("|")
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See [the site](http://evil.example/a(b)c) now.", "See the site now."),
        ("A ![pixel](http://evil.example/p.png) picture", "A picture"),
        ("Bold **words** stay, `code` too, and p < 0.05.", "Bold **words** stay, `code` too, and p < 0.05."),
        ("It is <img src=x onerror=alert(1)> here, or at www.evil.example!", "It is here, or at"),
        ("A does x [1], while B does y [2, 3].", "A does x, while B does y."),
        ("[a[b](u)](/path) is nested", "[ab] (/path) is nested"),
        ("An array [0.5, 1] is no link", "An array [0.5, 1] is no link"),
    ],
)
def test_links_pictures_html_and_markers_are_left_out(text: str, shown: str) -> None:
    assert inert(text) == shown


TEXTS = (
    "See [the site](http://evil.example/a(b)c) and ![p](http://evil.example/p.png), or www.evil.example for more.",
    "CTRL gains 106.1% [1], while TPRF [2][3] needs < 5 MB <b>only</b>! [4]",
    "- **Bold** and `code` at p <0.05 [see [1]] help with h, http and w. It is .5 [a[b](u)](/path) .",
)


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_that_was_shown_is_taken_back(text: str) -> None:
    shown = [inert(text[:end], whole=False) for end in range(len(text) + 1)] + [inert(text)]
    assert all(after.startswith(before) for before, after in pairwise(shown))
    assert max(map(len, shown)) == len(shown[-1])


@given(st.lists(PIECES, max_size=14).map("".join))
@example("[here](http://a.example/c(d)e) and")
def test_no_half_link_is_ever_shown(text: str) -> None:
    for end in range(len(text) + 1):
        assert not re.search(r"\bhttp://a|\]\(|!\[", inert(text[:end], whole=False))


@given(st.lists(PIECES, max_size=14).map("".join))
def test_what_is_left_renders_without_links_and_pictures(text: str) -> None:
    html = MarkdownIt("commonmark", {"html": False}).render(inert(text))
    assert not set(re.findall(r"<(a|img|script)\b", html))


def test_a_marker_is_placed_behind_its_clause() -> None:
    text = "A does x [1], while B does y [2][3]."
    shown = inert(text)
    assert [(shown[:at], marker) for at, marker in marked_places(text)] == [
        ("A does x", " [1]"),
        ("A does x, while B does y", " [2]"),
        ("A does x, while B does y", "[3]"),
    ]
