"""Measures of one answer's text and quotes. Pure; a silent answer scores zero."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from eval.metrics.facts import holds_fact

_MARKER = re.compile(r"\[\d+(?:\s*[,;]\s*\d+)*\]")


def fact_coverage(text: str, facts: Sequence[Sequence[str]]) -> float:
    """Share of the facts that the answer holds, in [0, 1]; a fact is a list of accepted forms, see holds_fact.

    Raises ValueError if there is no fact to hold. Source: nugget recall, Lin and Demner-Fushman 2005,
    doi:10.3115/1220575.1220692, with string matching in place of an assessor; as ASQA's STR-EM in ALCE.
    """
    if not facts:
        raise ValueError("fact coverage needs at least one fact")
    return sum(holds_fact(text, forms) for forms in facts) / len(facts)


def coverage_within(text: str, facts: Sequence[Sequence[str]], words: int) -> float:
    """Fact coverage of the first so many words of the answer, in [0, 1], so that quoting more cannot win.

    Words are counted as ``answer_length`` counts them. Source: nugget recall at a length budget, as in the pyramid
    and character-budget evaluations of TREC's QA track, Dang, Lin and Kelly 2006.
    """
    return fact_coverage(" ".join(_MARKER.sub(" ", text).split()[:words]), facts)


def answer_length(text: str) -> int:
    """Words of the answer, from 0 up, as white space divides them; [n] markers are no words.

    Not a measure of quality: it stands beside fact coverage, which alone would reward quoting everything.
    """
    return len(_MARKER.sub(" ", text).split())


def quote_exactness(quotes: Sequence[tuple[str, int, int, str]], abstracts: Mapping[str, str]) -> float:
    """Share of the citations whose quote is what it claims to be, in [0, 1]; no citations: 0.0.

    quotes: (paper id, start, end, quote) each; exact means a known paper, 0 <= start < end <= len(abstract) and
    abstract[start:end] == quote. Anything below 1.0 is a defect. Source: Readback's own contract of an answer.
    """
    return sum(_is_exact(quote, abstracts) for quote in quotes) / len(quotes) if quotes else 0.0


def _is_exact(quote: tuple[str, int, int, str], abstracts: Mapping[str, str]) -> bool:
    paper, start, end, text = quote
    abstract = abstracts.get(paper)
    return abstract is not None and 0 <= start < end <= len(abstract) and abstract[start:end] == text
