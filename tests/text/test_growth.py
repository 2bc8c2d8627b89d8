"""No text, however hostile, takes more than linear time: of ten times the text, at most some ten times the work.

A function that reads text from outside belongs in FUNCTIONS. Work is the thread's own processor time, so other
programs do not count; and it is held to its growth only where there is enough of it to be measured, so that this fails
for a function that is super-linear and for no other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.corpus import clean, read_bytes
from rag.prompts import Shown, answer_messages
from rag.text import (
    Names,
    acronyms,
    content_stems,
    marker_numbers,
    names,
    numbers,
    sentences,
    without_markers,
    words,
)
from rag.tokens import count_tokens

SHORT, LONG = 10_000, 100_000  # characters
MEASURABLE_S = 0.02  # of SHORT; below it even the square of a tenfold length costs 2 s at most ...
BEARABLE_S = 1.0  # ... and what LONG costs here is never called too much
GROWTH = 30  # of LONG over SHORT: 10 is linear, 100 is quadratic


def _record(before: str, after: str, name: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        return read_bytes(name, (before + text + after).encode("utf-8", "replace"), skip_bad=True)

    return read


FUNCTIONS: dict[str, Callable[[str], object]] = {
    # rag.text, rag.tokens, rag.prompts
    "sentences": sentences,
    "words": words,
    "content_stems": content_stems,
    "numbers": numbers,
    "names": names,
    "Names": lambda text: (Names(text).holds("COVID-19"), Names("We use BERT.").holds(text), Names(text).holds(text)),
    "acronyms": acronyms,
    "marker_numbers": marker_numbers,
    "without_markers": without_markers,
    "count_tokens": count_tokens,
    "answer_messages": lambda text: answer_messages(text, [Shown(text, text)]),
    # rag.corpus
    "clean": clean,
    "clean LaTeX": lambda text: clean(text, latex_source=True),
    "any file": _record("", "", "upload"),
    "broken encoding": lambda text: read_bytes("x", text.encode("utf-16-le", "replace") + b"\xe9\xff", skip_bad=True),
    "JSON lines": lambda text: read_bytes("x", json.dumps({"title": "T", "abstract": text}).encode(), skip_bad=True),
    "listing": _record("Get trending papers in your email inbox\n", "", "x"),
    "csv": _record("title,abstract,authors,year,doi,id\n", "", "x.csv"),
    "bibtex": _record("@article{a, ", "}", "x.bib"),
    "bibtex field": _record("@article{a, title={T}, author={A and ", "}}", "x.bib"),
    "ris": _record("TY  - JOUR\nTI  - T\nAB  - ", "\nER  - \n", "x.ris"),
    "medline": _record("PMID- 1\nTI  - T\nAB  - ", "\n", "x.nbib"),
    # rag.query, rag.verify, rag.answer and the faces add theirs below
}
FRAGMENTS = [
    *".-'\"’`~$^_{}()[]<>&;,:!?\\|@#*+=/ \n\t\r%",
    *("a", "A", "é", "字", "1", "\u0301", "\u0323", "\u00ad", "\u200b", "\u200d", "\u00a0"),
    *(
        "A. ",
        ". (",
        "e.g. ",
        "J. ",
        "1,",
        ".1",
        "1.1.",
        "1-",
        "1e",
        "-a",
        "a-",
        "A-1",
        "AB (AB) ",
        "[1",
        "[1] ",
        "[1–9]",
    ),
    *(" (about: ", "(a, ", "…", "<<", "< ", "<passage", "</passage>", "<i>", "</i>", "<a x=1 ", "<!--", "&amp;", "&#"),
    *("\\(", "\\[", "\\)", "$$", "$a ", "\\emph{", "\\frac{a}", "\\a[", "\\'", "^{", "{1", "%}", "``", "''", "--"),
    *("http://", " and ", "@a{", "a={", "a = ", ' # "', "TY  - ", "ER  - ", "PMID- ", "AB  - ", "Subscribe ", '{"a":'),
]
KNOWN = [
    *((" " * 10, "{", "1"), ("", "{", "1" + "}" * SHORT), ("{", "a", "%}"), ("字", "\u200d", "字"), ("a", " ", "b")),
    *(("a", "\u0301\u0323", ""), ("a", "\u0323\u0301", "b"), ("", "a" * 900 + "$", ""), ("", "<a " + "x=1 " * 9, "")),
]


def growing(before: str, unit: str, after: str, size: int) -> str:
    """A text of about so many characters."""
    return before + unit * (size // len(unit)) + after


def work_s(function: Callable[[str], object], text: str) -> float:
    """Processor time of one call, in seconds."""
    start = time.thread_time()
    function(text)
    return time.thread_time() - start


def check_growth(function: Callable[[str], object], shape: tuple[str, str, str]) -> None:
    """Fail if the function's work grows faster than a text of this shape."""
    short = growing(*shape, SHORT)
    if work_s(function, short) < MEASURABLE_S:
        return
    once = min(work_s(function, short) for _ in range(3))
    tenfold = work_s(function, growing(*shape, LONG))
    assert tenfold <= max(BEARABLE_S, GROWTH * once), f"{once:.3f} s, then {tenfold:.3f} s for {shape!r}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_known_shapes_cost_linear_time(name: str) -> None:
    work_s(FUNCTIONS[name], "Load what it needs.")
    for shape in [*(("", fragment, "!") for fragment in FRAGMENTS), *KNOWN]:
        check_growth(FUNCTIONS[name], shape)


PIECES = st.lists(st.sampled_from(FRAGMENTS), max_size=2).map("".join)
SHAPES = st.tuples(PIECES, st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3).map("".join), PIECES)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=SHAPES)
def test_any_shape_costs_linear_time(name: str, shape: tuple[str, str, str]) -> None:
    check_growth(FUNCTIONS[name], shape)
