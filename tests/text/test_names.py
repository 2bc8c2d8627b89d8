"""Names in texts: which are held, which are only pieces of others, and what short forms stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import Names, acronyms, holds_name

NAMES = st.from_regex(r"[A-Z][A-Za-z]{2,7}(-[0-9](\.[0-9])?)?", fullmatch=True)
WORDS = st.lists(st.from_regex(r"[a-z]{3,8}", fullmatch=True), max_size=6).map(" ".join)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("We fine-tune BERT.", "BERT"),
        ("We fine-tune Bert.", "BERT"),
        ("two BERTs and BERT’s layers", "BERT"),
        ("BERT is old", "BERTs"),
        ("a BERT-based and a BERT-large model", "BERT"),
        ("LLM-based agents", "LLM"),
        ("LLMs as agents", "LLM-based"),
        ("multi-LLM debate", "LLM"),
        ("(LLM) or “LLM”", "LLM"),
        ("BERT/RoBERTa", "RoBERTa"),
        ("COVID 19, COVID19", "COVID-19"),
        ("COVID\u201119 patients", "COVID-19"),
        ("COVID-19", "COVID"),
        ("covid-19", "COVID-19"),
        ("Llama2 and Llama-2-7B", "Llama 2"),
        ("GPT-3.5, and others", "GPT-3.5"),
        ("It ends with GPT-3.", "GPT-3"),
        ("GPT4", "GPT-4"),
        ("C++ and Java", "C++"),
        ("the image\u00adNet set", "imageNet"),
        ("transformers help", "Transformer"),
    ],
)
def test_a_name_is_held(text: str, name: str) -> None:
    assert holds_name(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("We fine-tune RoBERTa and DistilBERT.", "BERT"),
        ("the whole world", "RL"),
        ("GPT-3.5 and GPT-30", "GPT-3"),
        ("GPT-3", "GPT-3.5"),
        ("GPT", "GPT-4"),
        ("GPT-4o", "GPT-4"),
        ("Mask R-CNN", "CNN"),
        ("CO2 rises", "CO"),
        ("an old rag", "RAG"),
        ("All of it", "IT"),
        ("AIS data", "AI"),
        ("We run C and Java.", "C++"),
        ("mT5", "mT5-small"),
        ("Long sentences. 5 of them", "sentences-5"),
        ("19 of them", "covid-19"),
        ("anything", "-"),
        ("", "BERT"),
    ],
)
def test_a_piece_of_another_name_is_not_the_name(text: str, name: str) -> None:
    assert not holds_name(text, name)


@given(WORDS, NAMES, WORDS)
def test_a_name_is_held_wherever_it_stands_and_not_inside_a_longer_word(before: str, name: str, after: str) -> None:
    assert holds_name(f"{before} {name}, {after}", name)
    assert holds_name(f"{before} ({name}-based) {after}", name)
    assert not holds_name(f"Qx{name}", name)
    assert not holds_name(f"{name.replace('-', '')}Qx", name)


@given(st.text(max_size=100), st.text(max_size=30))
def test_any_text_can_be_asked_for_any_name(text: str, name: str) -> None:
    once = Names(text)
    assert once.holds(name) == once.holds(name) == holds_name(text, name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We use retrieval-augmented generation (RAG) here.", {"RAG": "retrieval-augmented generation"}),
        ("Long Form (LF) and large language models (LLMs).", {"LF": "Long Form", "LLMs": "large language models"}),
        ("pseudo‐relevance feedback (PRF; see below)", {"PRF": "pseudo-relevance feedback"}),
        ("RAG (retrieval-augmented generation) helps", {"RAG": "retrieval-augmented generation"}),
        ("heat shock transcription factor (HSF)", {"HSF": "heat shock transcription factor"}),
        ("It ends. Reinforcement learning (RL) begins.", {"RL": "Reinforcement learning"}),
        ("nothing of the kind (RAG), and (see Fig. 3)", {}),
        ("", {}),
    ],
)
def test_short_forms_are_learned_from_their_definitions(text: str, expected: dict[str, str]) -> None:
    assert acronyms(text) == expected


@given(st.text(alphabet="abAB ()-.ß\n", max_size=100))
def test_a_long_form_stands_in_the_text_and_begins_with_its_first_letter(text: str) -> None:
    for short, long in acronyms(text).items():
        assert {short, long} <= {text[start:end] for start in range(len(text)) for end in range(start, len(text) + 1)}
        assert long[0].casefold() == short[0].casefold()
