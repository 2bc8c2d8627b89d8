"""Cleaning: what becomes readable, what must survive untouched, and the properties that hold for any text."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.corpus import clean

FRAGMENTS = [
    *"abcXYZ 015 .,;:!?()[]{}<>$%&#_^~\\|@*+-=/'\"`\n\t",
    "\\em ", "\\emph{", "\\textbf{", "\\alpha", "\\MethodName", "\\\\", "\\%", "\\$", "\\{", "\\}", "\\'", '\\"', "\\~",
    "\\^", "\\c{", "\\frac{", "\\sqrt{", "\\mathbb{", "\\cite{", "\\href{", "\\(", "\\)", "\\[", "\\]", "\\i", "\\sim",
    "\\textbackslash", "\\label{", "\\log", "\\left", "\\begin{", "{}", "}{", "$$", "^{", "_{", "^\\circ", "``", "''",
    "--", "---", "-->", "&amp;", "&lt;", "&gt;", "&#36;", "&#92;", "&#x7b;", "&nbsp;", "<i>", "</i>", "<sup>", "</sup>",
    "<p>", "<br/>", "<!--", "-->", "<b class='x'>", "</b>", "<mml:mi>",
    "https://a.b/~c--d", "\u00ad", "\u200b", "\u200d", "\u0301", "\x00", "\x07", "\ufeff", "\ud800", "é", "ﬁ", "字",
    "🙂", "\u2028", "word", "another word", "5 and 6",
]  # fmt: skip
ANY_TEXT = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        (r"{\em Attention} matters", "Attention matters"),
        (r"reduces it by 82.9\% and 42.1\%", "reduces it by 82.9% and 42.1%"),
        (r"performance of \MethodName over others", "performance of MethodName over others"),
        (r"\ourmethod{}-large", "ourmethod-large"),
        ("R&amp;D, &lt;unk&gt; and &quot;x&quot;", 'R&D, <unk> and "x"'),
        ("&amp;amp;amp;lt;", "<"),
        ("<i>E. coli</i> in H<sub>2</sub>O", "E. coli in H2O"),
        ("10<sup>-3</sup> mol", "10^-3 mol"),
        ("<jats:p>First.</jats:p><jats:p>Second.</jats:p>", "First. Second."),
        ('<p class="x">a</p><br/>b<!-- gone -->', "a b"),
        (r"$\alpha$-divergence", "α-divergence"),
        (r"in $O(n\log n)$ time", "in O(n log n) time"),
        (r"$x \in \mathbb{R}^{d \times k}$", "x ∈ ℝ^(d × k)"),
        (r"$10^{-3}$ and $\frac{1}{n+1}$ and $\sqrt{T}$", "10^-3 and 1/(n+1) and √T"),
        (r"the $k$-th of $n$ in \(a+b\)", "the k-th of n in a+b"),
        (r"5$\times$ faster, $90^\circ$, 5$^{th}$", "5× faster, 90°, 5th"),
        ("language models~(LMs) of 5~GB by Smith et~al.", "language models (LMs) of 5 GB by Smith et al."),
        ("we call ReST^{EM}, where", "we call ReST^EM, where"),
        ("``Explain Like I'm Five'' and `so'", "“Explain Like I'm Five” and \u2018so\u2019"),
        ("teacher--student roles -- and --- more---yes", "teacher–student roles – and — more—yes"),
        (r"G{\"o}del, Erd\H{o}s, S\o ren, \L{}ukasz, na\"{\i}ve, \'Etude", "Gödel, Erdős, Søren, Łukasz, naïve, Étude"),
        (r"It\'s \"quoted\" by JSON", "It's \"quoted\" by JSON"),
        (r"\textbf{bold \emph{and nested {\it deep}}} text", "bold and nested deep text"),
        (r"see \href{https://x.org/a}{the page} or \url{https://x.org/b}", "see the page (https://x.org/a) or https://x.org/b"),
        (r"shown before \cite{foo2020}", "shown before [foo2020]"),
        (r"\begin{itemize} \item one \item two \end{itemize}", "one two"),
        ("given {directional feedback}.", "given directional feedback."),
        (r"$\{0,1\}^n$", "{0,1}^n"),
        ("a\u00adb c\u200bd\ufeff e\x00f\x07g", "ab cd efg"),
        ("two\nlines\r\n  and\ttabs\u00a0and\u2028more", "two lines and tabs and more"),
        ("Cafe\u0301 ﬁne", "Café fine"),
    ],
)  # fmt: skip
def test_markup_becomes_readable(raw: str, readable: str) -> None:
    assert clean(raw) == readable


@pytest.mark.parametrize(
    "text",
    [
        "5 < 10 and a > b",
        "costs around 0.002$ per comment",
        "between $5 and $10, or US$5m and US$ 10",
        "C++ and C-- and C#",
        "x_i and a_b_c",
        "a & b, AT&T",
        "100% of it, 5-10%",
        "about ~5x faster; 10~20; ~/home",
        "x ~ N(0, 1)",
        'the tokens <s>, </s>, <unk> and <b>, {"a": 1}, {0, 1}',
        "set $HOME/$USER and run git --all",
        "https://example.org/~user/a--b?x=1&copy=2",
        "snake_case, x^2, M^2LHF, f'(x), 5'' wide",
        "-----",
        "می\u200cشود 👩\u200d🔬",
        "teacher-->student",
        "",
    ],
)
def test_text_survives(text: str) -> None:
    assert clean(text) == text


def test_in_latex_source_every_group_is_markup() -> None:
    assert clean("{3}{D} {A, B} of {BERT}", latex_source=True) == "3D A, B of BERT"
    assert clean("{3}D {A, B}") == "{3}D {A, B}"


@settings(max_examples=1000, deadline=None)
@given(ANY_TEXT)
@example("&amp;" * 50 + "lt;")
@example("\\$5\\$ \\textbackslash emph{x}")
def test_cleaning_is_idempotent(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(ANY_TEXT)
def test_the_result_is_one_visible_line_in_nfc(text: str) -> None:
    once = clean(text)
    assert once == " ".join(once.split())
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in once)


@given(st.text(alphabet="abcXYZ 0159.,;:!?()[]{}$%#_^~|@*+-=/'\"`>", max_size=200))
def test_without_macros_and_tags_no_letter_or_digit_is_lost(text: str) -> None:
    def letters(value: str) -> str:
        return "".join(char for char in value if char.isalnum())

    assert letters(clean(text)) == letters(text)
