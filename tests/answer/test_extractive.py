"""Answers made of quotes: how long they are and what they look like, not which sentences they choose."""

from __future__ import annotations

import re
from statistics import median

import pytest

from eval.gold import load_gold
from rag import Answer, Assistant
from rag.text import sentences
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, CTRL, check

LISTS = [
    "Which papers use pseudo relevance feedback?",
    "Which works train a reward model from human feedback?",
    "What approaches are there for recommendation with large language models?",
    "Compare the papers on critique models.",
]


def quoted(answer: Answer) -> int:
    """How many sentences of abstracts an answer holds."""
    return sum(len(sentences(citation.quote)) for citation in answer.citations)


@pytest.mark.slow
def test_an_answer_about_one_paper_is_short(assistant: Assistant) -> None:
    lengths = []
    for one in load_gold("dev", ["single", "fact"]):
        answer = assistant.ask(one.question, options=Options(papers=1))
        if not answer.abstained:
            assert 1 <= quoted(answer) <= 3
            lengths.append(len(answer.text.removeprefix(answer.caveat or "").split()))
    assert len(lengths) > 30
    assert median(lengths) <= 90


def test_it_leads_with_the_sentence_that_answers_and_names_its_paper(assistant: Assistant) -> None:
    answer = assistant.ask(ABOUT_CTRL, options=Options(include=frozenset({CTRL})))
    check(answer, assistant)
    (first, *_) = answer.citations
    assert answer.text.startswith(f"“{first.quote}” [1] — {first.title}")
    assert "106.1%" in first.quote


def test_an_asked_for_number_is_emphasised(assistant: Assistant) -> None:
    answer = assistant.ask(ABOUT_CTRL, options=Options(include=frozenset({CTRL})))
    assert [answer.text[one.start : one.end] for one in answer.emphasis] == ["106.1%"]
    assert assistant.ask(ABOUT_TPRF).emphasis == ()  # no number is asked for


def test_each_sentence_is_a_quote(assistant: Assistant) -> None:
    answer = assistant.ask(ABOUT_CTRL, options=Options(include=frozenset({CTRL})))
    for sentence in answer.sentences:
        (quote,) = answer.quotes_of(sentence)
        assert f"“{quote.quote}” [{quote.marker}]" in sentence.text
        assert sentence.supported
        assert sentence.support == 1.0


@pytest.mark.parametrize("question", LISTS)
def test_a_question_for_several_papers_gets_one_line_each(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    check(answer, assistant)
    assert not answer.abstained
    lines = answer.text.splitlines()
    assert 2 <= len(lines) == len(answer.citations) == len({one.paper_id for one in answer.citations})
    for line, citation in zip(lines, answer.citations, strict=True):
        assert line.startswith(f"- {citation.title}: “")
        assert line.endswith(f"” [{citation.marker}]")


@pytest.mark.parametrize("papers", [1, 2, 3])
def test_the_number_of_papers_is_kept(assistant: Assistant, papers: int) -> None:
    for question in (*LISTS, ABOUT_CTRL, ABOUT_TPRF):
        answer = assistant.ask(question, options=Options(papers=papers))
        check(answer, assistant)
        assert len({citation.paper_id for citation in answer.citations}) <= papers


def test_quotes_begin_and_end_with_their_sentences(assistant: Assistant) -> None:
    for question in (*LISTS, ABOUT_CTRL, ABOUT_TPRF):
        for citation in assistant.ask(question).citations:
            paper = assistant.paper(citation.paper_id)
            assert paper is not None
            spans = sentences(paper.abstract)
            assert citation.start in {span.start for span in spans}
            assert citation.end in {span.end for span in spans}
            assert re.sub(r"\s", "", citation.quote)
