"""What every answer keeps, asked in all the ways of the development questions."""

from __future__ import annotations

import json

import pytest

from eval.gold import Item, expand, load_gold
from rag import Answer, Assistant, Retrieved, TextDelta
from rag.types import Options
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, CTRL, FINGPT, TPRF, UNKNOWN, check, deltas, streamed

ITEMS = [item for question in load_gold("dev") for item in expand(question, standalone=True)]
PROMISED = {
    "id", "question", "standalone_question", "text", "abstained", "abstain_reason", "sentences", "citations",
    "retrieved", "mode", "model", "policy_version", "usage", "timings_ms", "verdict", "understood_as", "emphasis",
}  # fmt: skip
EXTRA = {"caveat", "notice", "closest", "suggestions", "confidence", "intent", "recorded"}
STAGES = {"rewrite", "retrieve", "rerank", "answer", "verify", "total"}
CITATION = {"marker", "paper_id", "title", "quote", "start", "end", "score"}


BATCHES = [ITEMS[start : start + 40] for start in range(0, len(ITEMS), 40)]


@pytest.mark.parametrize("items", BATCHES, ids=lambda items: items[0].id)
def test_every_answer_can_be_read_back(assistant: Assistant, items: list[Item]) -> None:
    for item in items:
        chat = assistant.conversation()
        for turn in item.turns[:-1]:
            chat.ask(turn)
        events, answer = streamed(assistant, item.turns[-1], chat.turns)
        check(answer, assistant)
        assert len(answer.retrieved) >= 10, item.id
        assert answer.mode == "extractive"
        assert answer.model is None
        assert deltas(events) == ("" if answer.abstained else answer.text)
        assert isinstance(events[0], Retrieved)
        assert events[0].papers == answer.retrieved
        assert events[0].standalone_question == answer.standalone_question
        assert all(isinstance(event, TextDelta) for event in events[1:-1])
        assert json.loads(json.dumps(answer.to_dict()))["id"] == answer.id


@pytest.mark.parametrize("question", [ABOUT_CTRL, UNKNOWN, ""])
def test_the_json_has_the_promised_keys_and_no_others(assistant: Assistant, question: str) -> None:
    found = json.loads(json.dumps(assistant.ask(question).to_dict()))
    assert set(found) == PROMISED | EXTRA
    assert set(found["timings_ms"]) == STAGES
    assert set(found["usage"]) == {"prompt_tokens", "completion_tokens", "cost_usd"}
    for citation in [*found["citations"], *found["closest"]]:
        assert set(citation) == CITATION
    for sentence in found["sentences"]:
        assert set(sentence) == {"text", "citations", "supported", "support", "state", "quotes"}
    for paper in found["retrieved"]:
        assert set(paper) == {"rank", "paper_id", "title", "score"}


def test_an_abstention_says_so_and_shows_what_was_found(assistant: Assistant) -> None:
    answer = assistant.ask(UNKNOWN)
    assert answer.abstained
    assert answer.citations == ()
    assert len(answer.retrieved) == 10
    assert answer.abstain_reason
    assert answer.abstain_reason in answer.text
    assert answer.suggestions
    assert all(suggestion in answer.text for suggestion in answer.suggestions)


def test_without_a_model_the_answer_says_how_to_get_one(assistant: Assistant) -> None:
    notice = assistant.ask(ABOUT_CTRL).notice
    assert notice
    assert "OPENAI_API_KEY" in notice
    assert "OPENAI_BASE_URL" in notice


def test_an_answer_takes_its_time_and_says_where(assistant: Assistant) -> None:
    timings = assistant.ask(ABOUT_TPRF).timings_ms
    assert timings["total"] >= max(timings[stage] for stage in STAGES - {"total"}) > 0


def test_the_same_question_gets_the_same_answer_with_another_id(assistant: Assistant) -> None:
    one, other = assistant.ask(ABOUT_CTRL), assistant.ask(ABOUT_CTRL)
    assert (one.text, one.citations, one.retrieved) == (other.text, other.citations, other.retrieved)
    assert one.id != other.id


def test_include_and_exclude_limit_what_is_found_and_cited(assistant: Assistant) -> None:
    only = assistant.ask(ABOUT_CTRL, options=Options(include=frozenset({CTRL, FINGPT})))
    assert {paper.paper_id for paper in only.retrieved} == {CTRL, FINGPT}
    without = assistant.ask(ABOUT_CTRL, options=Options(exclude=frozenset({CTRL})))
    assert len(without.retrieved) >= 10
    assert CTRL not in {paper.paper_id for paper in without.retrieved}
    assert CTRL not in {citation.paper_id for citation in (*without.citations, *without.closest)}
    for answer in (only, without):
        check(answer, assistant)


@pytest.mark.parametrize(
    "options",
    [
        Options(include=frozenset({"no-such-paper"})),
        Options(include=frozenset({CTRL}), exclude=frozenset({CTRL})),
    ],
)
def test_nothing_to_answer_from_is_an_abstention(assistant: Assistant, options: Options) -> None:
    answer = assistant.ask(ABOUT_CTRL, options=options)
    check(answer, assistant)
    assert answer.abstained
    assert answer.retrieved == ()


def test_a_longer_list_of_papers_lengthens_the_ranking(assistant: Assistant) -> None:
    assert len(assistant.ask("Which papers use human feedback?", options=Options(papers=20)).retrieved) == 20


def test_a_given_standalone_question_is_searched_for(assistant: Assistant) -> None:
    answer = assistant.ask("and that?", options=Options(standalone_question=ABOUT_TPRF))
    assert answer.question == "and that?"
    assert answer.standalone_question == ABOUT_TPRF
    assert answer.retrieved[0].paper_id == TPRF


def test_a_conversation_remembers_its_turns(assistant: Assistant) -> None:
    chat = assistant.conversation()
    first = chat.ask(ABOUT_TPRF)
    last = [*chat.stream("How much memory does it need?")][-1]
    assert isinstance(last, Answer)
    assert [turn.question for turn in chat.turns] == [ABOUT_TPRF, "How much memory does it need?"]
    assert chat.turns[0].answer == first.text
    assert last.retrieved[0].paper_id == TPRF


def test_a_stream_that_is_dropped_leaves_no_turn(assistant: Assistant) -> None:
    chat = assistant.conversation()
    events = chat.stream(ABOUT_TPRF)
    next(events)
    del events
    assert chat.turns == []


def test_search_weighs_papers_without_answering(assistant: Assistant) -> None:
    found = assistant.search(ABOUT_TPRF, papers=3)
    assert found[0].paper.id == TPRF
    assert len(found) == 3
    assert assistant.search("") == []
