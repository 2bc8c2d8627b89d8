"""How often a drafted sentence is judged as a person judges it, and what each check sees."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag import Assistant
from rag.contradiction import contradiction
from rag.text import sentences
from rag.types import Options
from rag.values.evidence import PaperEvidence
from rag.verify.lexical import SUPPORTED, Verifier, without_markers
from tests.answer.verification_cases import CASES, SHORT, Case, Half


def judge_of(assistant: Assistant, evidence: Sequence[PaperEvidence]) -> Verifier:
    """Over these papers."""
    view = assistant.collection.view()
    return Verifier(evidence, [one.vectors for one in evidence], view.embed_alike, view.idf)


def verifier(assistant: Assistant, *names: str) -> Verifier:
    """Over the papers of these short names."""
    options = Options(include=frozenset(SHORT[name] for name in names))
    evidence = assistant.search("feedback for language models", len(names), options)
    assert len(evidence) == len(set(names))
    return judge_of(assistant, evidence)


def judged_right(assistant: Assistant, case: Case) -> bool:
    """Whether the verdict is the one of the table."""
    return verifier(assistant, *case.shown).check(case.drafted).supported == case.supported


def test_the_table_is_large_and_balanced() -> None:
    assert len(CASES) >= 80
    assert len({case.drafted for case in CASES}) == len(CASES)
    for half in ("tuned", "held_out"):
        for supported in (True, False):
            assert sum(case.half == half and case.supported == supported for case in CASES) >= 20


# Measured: 39 and 38 of 45, against 28 and 30 for word overlap, names and numbers alone.
@pytest.mark.parametrize(("half", "least"), [("tuned", 0.82), ("held_out", 0.80)])
def test_verdicts_agree_with_a_person_s(assistant: Assistant, half: Half, least: float) -> None:
    right = [judged_right(assistant, case) for case in CASES if case.half == half]
    assert sum(right) / len(right) >= least


@pytest.mark.parametrize(("supported", "least"), [(True, 0.86), (False, 0.75)])
def test_neither_kind_of_error_hides_the_other(assistant: Assistant, supported: bool, least: float) -> None:
    right = [judged_right(assistant, case) for case in CASES if case.supported == supported]
    assert sum(right) / len(right) >= least


def test_every_sentence_of_an_abstract_is_supported_by_itself(assistant: Assistant) -> None:
    judge = verifier(assistant, *SHORT)
    for one in SHORT.values():
        paper = assistant.paper(one)
        assert paper is not None
        for span in sentences(paper.abstract):
            verdict = judge.check(span.of(paper.abstract))
            assert verdict.supported, verdict
            assert (verdict.claim.quotes[0].start, verdict.claim.quotes[0].end) == (span.start, span.end)


def test_no_sentence_of_the_collection_contradicts_itself(assistant: Assistant) -> None:
    for paper in assistant.papers():
        for span in sentences(paper.abstract):
            text = span.of(paper.abstract)
            assert contradiction(text, [text]) == ""


CONTRADICTED = (
    ("The gains are inconsistent.", "The gains are consistent across models.", "other way round"),
    ("It decreases throughput.", "It achieves an increase in throughput.", "other way round"),
    ("It uses a larger critique model.", "It uses a much smaller critique model.", "other way round"),
    ("Alpha is outperformed by Beta.", "Alpha outperforms Beta.", "compares"),
    ("Humans are better than models.", "We find that models are better than humans.", "compares"),
    ("Models are worse than humans.", "We find that models are better than humans.", "compares"),
    ("Alpha is slower than Beta.", "Alpha is much faster than Beta.", "compares"),
    ("It has a larger footprint than Beta.", "It has a smaller footprint compared to Beta.", "other way round"),
    ("It does not need labels.", "It needs many labels.", "opposite"),
    ("It is trained with human labels.", "It is trained without human labels.", "opposite"),
    ("GPUs are present.", "GPUs are not present.", "opposite"),
    ("Recall is 90% and precision is 80%.", "We reach a precision of 90% and a recall of 80%.", "the other way round"),
    ("It can be used only with BERT.", "It can be used with BERT.", "only"),
    ("It always helps the model.", "It helps the model.", "always"),
)
CONSISTENT = (
    ("The gains are consistent.", "The gains are not inconsistent."),
    ("It raises accuracy.", "It improves accuracy while reducing cost."),
    ("It has a lower cost.", "It improves accuracy while reducing cost."),
    ("Beta is outperformed by Alpha.", "Alpha outperforms Beta."),
    ("Beta is slower than Alpha.", "Alpha is faster than Beta."),
    ("Humans are worse than models.", "Models are better than humans."),
    ("It is fast and outperforms them.", "It outperforms existing baselines and is fast."),
    ("It helps recall.", "It not only helps recall but also precision."),
    ("It works without labels.", "It works with no labels."),
    ("No GPUs are present.", "GPUs are not present."),
    ("It improves search.", "It improves search, although it cannot rank images."),
    ("Recall is 80% and precision is 90%.", "We reach a precision of 90% and a recall of 80%."),
    (
        "Precision and recall are 90% and 80%, respectively.",
        "We reach a precision of 90% and a recall of 80%.",
    ),
    ("It is used only with BERT.", "It is limited to BERT."),
    ("It reduces the dependence on data.", "It can substantially reduce dependence on data."),
)


@pytest.mark.parametrize(("sentence", "quote", "why"), CONTRADICTED)
def test_a_statement_turned_round_is_seen(sentence: str, quote: str, why: str) -> None:
    assert why in contradiction(sentence, [quote])


@pytest.mark.parametrize(("sentence", "quote"), CONSISTENT)
def test_and_one_in_other_words_is_not(sentence: str, quote: str) -> None:
    assert contradiction(sentence, [quote]) == ""


@pytest.mark.parametrize(
    ("sentence", "bare", "hints"),
    [
        ("It works [1].", "It works.", {1}),
        ("It works. [1, 2]", "It works.", {1, 2}),
        ("It works [1][3] well [2–4].", "It works well.", {1, 2, 3, 4}),
        ("It works [1; 2], and well.", "It works, and well.", {1, 2}),
        ("It is in [Smith] and [0.5].", "It is in [Smith] and [0.5].", set()),
        ("", "", set()),
    ],
)
def test_markers_are_taken_off(sentence: str, bare: str, hints: set[int]) -> None:
    found, hinted = without_markers(sentence)
    assert found == bare
    assert hinted <= hints | {3}
    assert {1} & hints == {1} & set(hinted)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("", "nothing that can be checked"),
        ("It is what it is.", "nothing that can be checked"),
        ("CTRL reaches 12.5% on code generation benchmarks.", "12.5"),
        ("CTRL outperforms CodeBERT on code generation benchmarks.", "CodeBERT"),
        ("Otters juggle seventeen pebbles beneath the frozen lake.", "no abstract"),
    ],
)
def test_a_verdict_says_why(assistant: Assistant, sentence: str, why: str) -> None:
    verdict = verifier(assistant, "ctrl", "tprf").check(sentence)
    assert not verdict.supported
    assert why in verdict.why
    assert verdict.claim.support < SUPPORTED


def test_names_may_be_inflected(assistant: Assistant) -> None:
    judge = verifier(assistant, "ctrl", "tprf")
    assert judge.check("LLM-based critics are studied for code generation, and CTRL is proposed.").supported
    assert judge.check("CTRL studies critics that are LLMs for code generation.").supported


def test_nothing_is_supported_by_no_papers(assistant: Assistant) -> None:
    verdict = judge_of(assistant, []).check("CTRL trains critics.")
    assert not verdict.supported
    assert verdict.claim.quotes == ()
