"""No text, however hostile, takes more than linear time: of ten times the text, at most some ten times the work.

A function that reads text from outside belongs in FUNCTIONS. What is asserted is a ratio of two amounts of work by the
same thread, so neither the machine nor other programs matter. It is looked at where there is enough work to compare,
and a function is super-linear only if it comes out so every time: passing noise is not repeated five times.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.answer.generative import draft
from rag.answer.notes import refuses
from rag.answer.repair import repaired
from rag.chat_model import complete
from rag.corpus import clean, read_bytes
from rag.errors import ProviderBusy
from rag.events.codec import answer_from_json, answer_json
from rag.evidence.asked import asked_for, held, phrase
from rag.policy import Policy
from rag.ports import Message
from rag.prompts import Shown, answer_messages
from rag.query.followup import resolve_by_rule
from rag.query.intake import in_another_script, objection, tidy
from rag.query.intent import recognise
from rag.query.language import foreign_language
from rag.query.many import features_of
from rag.query.planner import read_plan
from rag.query.sides import sides
from rag.query.spelling import unknown_words
from rag.query.wants import form, wants_effect, wants_number
from rag.text import (
    Names,
    acronyms,
    content_stems,
    marked_places,
    marker_numbers,
    names,
    numbers,
    sentences,
    without_markers,
    words,
)
from rag.text import inert as inert_words
from rag.tokens import count_tokens
from rag.types import Answer, Paper, Turn, Usage
from rag.values.evidence import PaperEvidence
from rag.verify import EvidenceVerifier, Source, Verdict
from rag.verify.checks import doubt, objections
from rag.verify.kinds import kind_of
from rag.verify.quantities import quantities
from ui.page.prose import marked_up
from ui.services.export import bibtex, conversation_ris, inert, plain

SHORT, LONG = 10_000, 100_000  # characters
COMPARABLE_S = 0.02  # of SHORT; below it even the square of a tenfold length costs 2 s at most
GROWTH = 30  # of LONG over SHORT: 10 is linear, 100 is quadratic
TRIES = 5


TURN = Turn("How does TPRF save memory?", "How does TPRF save memory?", "By terms.", ("TPRF: A",))
QUOTE = "Their method, TPRF (terms for relevance feedback), is 3.5 times faster than BERT and adds 27.45% of recall."
VERDICT = Verdict(QUOTE, "contradicted", (), 0.0, "no abstract says it")
ONES = np.ones(3, dtype=np.float32) / np.float32(3**0.5)
VERIFIER = EvidenceVerifier(lambda _: ONES, lambda _: 0.5, Policy.default().verification)


class Saying:
    """A model that says these pieces, at once or one by one."""

    name = "saying"

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        yield from self._pieces


def stored(text: str) -> Paper:
    """A paper as the collection holds it, cleaned."""
    return Paper("p", "Title", clean(text))


def source(abstract: str) -> Source:
    """A paper as the verifier takes it."""
    spans = tuple(sentences(abstract))
    return Source(Paper("p", "A title", abstract), spans, np.tile(ONES, (len(spans), 1)))


def drafted(text: str) -> list[object]:
    """What an answerer makes of a model that writes this in small pieces, whatever limit it was told."""
    model = Saying(*(text[start : start + 50] for start in range(0, len(text), 50)))
    nothing = draft(model, lambda _: [], [cast(PaperEvidence, None)], budget=9, answer_tokens=400, count_tokens=len)
    found: list[object] = []
    with suppress(ProviderBusy):  # it was told to write less
        found.extend(nothing)
    return found


def answering(text: str) -> Answer:
    """An answer that says this."""
    return Answer("a", text, text, text, False, None, (), (), (), "extractive", None)


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
    # rag.query, rag.evidence
    "tidy": tidy,
    "objection": objection,
    "recognise": recognise,
    "foreign_language": foreign_language,
    "in_another_script": in_another_script,
    "sides": sides,
    "many": features_of,
    "wants": lambda text: (wants_number(text), form(text), wants_effect(text)),
    "phrase": phrase,
    "asked_for": lambda text: (asked := asked_for(text)) and held(asked, text, text, text),
    "unknown_words": lambda text: unknown_words(text, lambda _: False),
    "resolve_by_rule": lambda text: (resolve_by_rule(text, [TURN]), resolve_by_rule("And it?", [Turn(text, text, "")])),
    "read_plan": lambda text: (read_plan(text, "?"), read_plan(json.dumps({"standalone": text}), text)),
    # rag.verify, rag.answer
    "kind_of": kind_of,
    "doubt": lambda text: (doubt(text, [QUOTE], ()), doubt(QUOTE, [text], ())),
    "objections": lambda text: (objections(text, [QUOTE]), objections(QUOTE, [text]), objections(text, [text])),
    "quantities": quantities,
    "verify a sentence": lambda text: VERIFIER.verify([text], [source(QUOTE)]),
    "verify by an abstract": lambda text: VERIFIER.verify([QUOTE], [source(text)]),
    "refuses": refuses,
    "repaired": lambda text: repaired(Saying(text), [(QUOTE, VERDICT)], lambda _: None),
    "inert": lambda text: (inert_words(text), inert_words(text, whole=False), marked_places(text)),
    "draft": drafted,
    "complete": lambda text: complete(Saying(text), [], 400),
    "page prose": lambda text: marked_up(1, replace(answering(text), mode="generative")),
    # the record and its export
    "answer_from_json": lambda text: answer_from_json(answer_json(answering(text))),
    "Markdown": lambda text: (plain(text), inert(text)),
    "BibTeX": lambda text: bibtex([stored(text)]),
    "RIS": lambda text: conversation_ris([stored(text)]),
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
    *(("", "\\emph{", "a" + "}" * SHORT), ("", "\\[[", ""), ("", '\\"', ""), ("", "\\emph{", "")),
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
    before, unit, after = shape

    def growth(number: int) -> float:
        short, long = (growing(" " * number + before, unit, after, size) for size in (SHORT, LONG))  # in no cache
        return work_s(function, long) / work_s(function, short)

    if work_s(function, growing(*shape, SHORT)) >= COMPARABLE_S:
        assert any(growth(number) <= GROWTH for number in range(1, TRIES + 1)), f"super-linear for {shape!r}"


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
