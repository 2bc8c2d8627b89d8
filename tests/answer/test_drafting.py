"""A model's stream → whole sentences with their markers, however the stream is cut into pieces."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from rag import Assistant, Usage
from rag.answer.answerer import shown_to_model
from rag.answer.generative import Drafted, Spent, draft, fitting
from rag.answer.notes import refuses
from rag.errors import ContextTooLong, ProviderBusy
from rag.ports import Message
from rag.prompts import ANSWER_RULES, CANNOT_ANSWER, answer_messages
from rag.tokens import count_tokens
from rag.types import Options
from rag.values.evidence import PaperEvidence
from tests.engine.shared import ABOUT_CTRL, CTRL, TPRF, Scripted, passages

TEXT = """First it does this [1]. Then it does that. [2] It costs 27.45% less, e.g. in memory [1, 2].

It is by Smith et al. [3] as well! [1][2]
- A point about BERT. [1] Its second sentence [2].
* Another point
1. A third one [3]
[2]
The end (of it all) [1]"""
SENTENCES = [
    Drafted("First it does this [1].", "", True),
    Drafted("Then it does that. [2]", "", False),
    Drafted("It costs 27.45% less, e.g. in memory [1, 2].", "", False),
    Drafted("It is by Smith et al. [3] as well! [1][2]", "", True),
    Drafted("A point about BERT. [1]", "- ", True),
    Drafted("Its second sentence [2].", "", False),
    Drafted("Another point", "- ", True),
    Drafted("A third one [3]", "1. ", True),
    Drafted("The end (of it all) [1]", "", True),
]


@pytest.fixture(scope="module")
def evidence(assistant: Assistant) -> list[PaperEvidence]:
    """Eight papers."""
    return assistant.search(ABOUT_CTRL, papers=8)


def asking(papers: Sequence[PaperEvidence]) -> list[Message]:
    """The prompt for a question about these papers."""
    return answer_messages(ABOUT_CTRL, [shown_to_model(one) for one in papers])


def drafted(
    model: Scripted, evidence: list[PaperEvidence], spend: Callable[[Usage], None] = lambda _: None
) -> list[Drafted | Spent]:
    """All that a draft yields."""
    pieces = draft(model, asking, evidence, budget=7400, answer_tokens=600, count_tokens=count_tokens, spend=spend)
    return [one for one in pieces if isinstance(one, Spent) or one.whole]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_the_same_sentences_however_the_stream_is_cut(evidence: list[PaperEvidence], size: int) -> None:
    pieces: list[str | Exception] = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    assert drafted(Scripted(pieces), evidence)[:-1] == SENTENCES


def test_the_same_sentences_for_pieces_of_random_length(evidence: list[PaperEvidence]) -> None:
    choose = random.Random(1)
    for _ in range(200):
        cuts = sorted({0, len(TEXT), *(choose.randrange(len(TEXT)) for _ in range(choose.randrange(1, 40)))})
        pieces: list[str | Exception] = [TEXT[start:end] for start, end in pairwise(cuts)]
        assert drafted(Scripted(pieces), evidence)[:-1] == SENTENCES


def test_a_sentence_is_there_as_soon_as_the_next_one_begins(evidence: list[PaperEvidence]) -> None:
    model = Scripted(["One is done. ", "Two", " is not", " done yet."])
    pieces = draft(model, asking, evidence, budget=7400, answer_tokens=600, count_tokens=count_tokens)
    assert next(pieces) == Drafted("One is done.", "", True, whole=False)
    assert model.streams[0].read == 1, "text is passed on as soon as it comes"
    assert next(pieces) == Drafted("One is done.", "", True)
    assert next(pieces) == Drafted("Two", "", False, whole=False)
    assert model.streams[0].read == 2


@pytest.mark.parametrize("start", ["ANSWER: full\n", "**Answer**: partial; SEARCH: RLHF vs. DPO, e.g. in 2024\n"])
def test_what_is_said_about_the_passages_is_held_back_while_it_is_written(
    evidence: list[PaperEvidence], start: str
) -> None:
    text = f"{start}| a | b |\nIt is so.\nNOT COVERED: the licence"
    pieces = draft(Scripted(list(text)), asking, evidence, budget=7400, answer_tokens=600, count_tokens=count_tokens)
    growing = [one.text for one in pieces if isinstance(one, Drafted) and not one.whole]
    assert list(dict.fromkeys(growing)) == ["I", "It", "It i", "It is", "It is s", "It is so", "It is so."]
    whole = [one.text for one in drafted(Scripted(list(text)), evidence) if isinstance(one, Drafted)]
    assert whole == [start.strip(), "a | b |", "It is so.", "NOT COVERED: the licence"]


def test_what_it_took_is_counted(evidence: list[PaperEvidence]) -> None:
    spent: list[Usage] = []
    assert drafted(Scripted("Done."), evidence, spend=spent.append)[-1] == Spent(8)
    assert spent == [Usage(100, 20, 0.5)]


def test_a_half_sentence_at_the_token_limit_is_left_out(evidence: list[PaperEvidence]) -> None:
    model = Scripted("It is whole [1]. It is cut in the mid", finish_reason="length")
    assert [one.text for one in drafted(model, evidence)[:-1] if isinstance(one, Drafted)] == ["It is whole [1]."]


def test_the_same_end_without_a_limit_is_kept(evidence: list[PaperEvidence]) -> None:
    found = drafted(Scripted("It is whole [1]. It has no full stop"), evidence)
    assert found[1] == Drafted("It has no full stop", "", False)


def test_a_loop_is_cut_and_the_stream_closed(evidence: list[PaperEvidence]) -> None:
    model = Scripted("Round it goes. " * 500)
    usages: list[Usage] = []
    *found, _ = drafted(model, evidence, spend=usages.append)
    assert [one.text for one in found if isinstance(one, Drafted)] == ["Round it goes."]
    assert model.streams[0].closed
    assert model.streams[0].read < 20
    (spent,) = usages
    assert spent.prompt_tokens > 500  # the server did not get to count
    assert 0 < spent.completion_tokens < 50
    assert spent.cost_usd is None


def test_a_repeated_sentence_is_said_once(evidence: list[PaperEvidence]) -> None:
    found = drafted(Scripted("A is so. B is so. A is so."), evidence)
    assert [one.text for one in found if isinstance(one, Drafted)] == ["A is so.", "B is so."]


def test_closing_the_draft_closes_the_model_s_stream(evidence: list[PaperEvidence]) -> None:
    model = Scripted("One. Two. Three. Four. Five. Six.")
    pieces = draft(model, asking, evidence, budget=7400, answer_tokens=600, count_tokens=count_tokens)
    next(pieces)
    pieces.close()
    assert model.streams[0].closed


def test_an_error_halfway_closes_the_stream_and_is_raised(evidence: list[PaperEvidence]) -> None:
    model = Scripted(["One is done. Two", ProviderBusy("gone")])
    pieces = draft(model, asking, evidence, budget=7400, answer_tokens=600, count_tokens=count_tokens)
    assert [next(pieces).text for _ in range(2)] == ["One is done.", "Two"]  # type: ignore[union-attr]
    with pytest.raises(ProviderBusy):
        next(pieces)
    assert model.streams[0].closed


def test_what_was_written_before_an_error_is_paid_for(evidence: list[PaperEvidence]) -> None:
    usages: list[Usage] = []
    with pytest.raises(ProviderBusy):
        drafted(Scripted(["One is done. Two", ProviderBusy("gone")]), evidence, spend=usages.append)
    (spent,) = usages
    assert spent.prompt_tokens > 500
    assert spent.completion_tokens > 0


def test_passages_are_dropped_whole_from_the_bottom(evidence: list[PaperEvidence]) -> None:
    counts = []
    for budget in range(300, 4000, 250):
        try:
            messages, count = fitting(asking, evidence, budget, count_tokens)
        except ContextTooLong:
            continue
        counts.append(count)
        assert sum(count_tokens(message["content"]) for message in messages) <= budget
        shown = passages(messages)
        assert [number for number, _ in shown] == list(range(1, count + 1))
        for (_, text), one in zip(shown, evidence, strict=False):
            assert text == f"Title: {one.paper.title}\n{one.hit.passage.text}"
    assert counts == sorted(counts)
    assert {counts[0], counts[-1]} == {1, 8}


def test_one_passage_that_does_not_fit_is_an_error(evidence: list[PaperEvidence]) -> None:
    with pytest.raises(ContextTooLong, match="READBACK_CONTEXT_TOKENS"):
        fitting(asking, evidence, 100, count_tokens)


def test_a_prompt_that_the_server_finds_too_long_is_halved_once(evidence: list[PaperEvidence]) -> None:
    model = Scripted(ContextTooLong("too long"), "It fits now [1].")
    assert drafted(model, evidence) == [Drafted("It fits now [1].", "", True), Spent(4)]
    assert [len(passages(call)) for call in model.calls] == [8, 4]
    with pytest.raises(ContextTooLong):
        drafted(Scripted(ContextTooLong("too long"), ContextTooLong("still too long")), evidence)


def test_what_was_said_is_not_said_again_after_an_overflow(evidence: list[PaperEvidence]) -> None:
    model = Scripted(["It began well. And", ContextTooLong("too long")], "It began well.")
    with pytest.raises(ContextTooLong):
        drafted(model, evidence)
    assert len(model.calls) == 1


def test_the_prompt_holds_rules_numbered_data_and_the_question_last(evidence: list[PaperEvidence]) -> None:
    (system, user), _ = fitting(asking, evidence, 7400, count_tokens)
    assert system == {"role": "system", "content": ANSWER_RULES}
    assert user["content"].endswith(f"\n\nQuestion: {ABOUT_CTRL}")
    assert len(passages([user])) == 8


def test_the_answer_s_length_is_asked_for(assistant: Assistant) -> None:
    model = Scripted("Nothing.")
    evidence = assistant.search(ABOUT_CTRL, 2, Options(include=frozenset({CTRL, TPRF})))
    drafted(model, evidence)
    assert model.limits == [600]


@pytest.mark.parametrize(
    "text", [CANNOT_ANSWER, CANNOT_ANSWER.upper(), f"Sorry: {CANNOT_ANSWER}", f"{CANNOT_ANSWER.rstrip('.')} question."]
)
def test_the_refusal_is_known_in_its_variations(text: str) -> None:
    assert refuses(text)
    assert not refuses("The collection answers this.")
