"""A fault is planted in each stage, and that stage is blamed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eval.failures import STAGES, Blame, Stage, failures, tally
from eval.gold import GoldQuestion
from eval.graded import Graded
from eval.lab.blame import blame, find_blame, stages_of
from eval.run import Setup
from rag.answer.answerer import QuotingAndWritingAnswerer
from rag.answer.written import Limits, OpenVerifier, open_verifier
from rag.collection import Collection as RagCollection
from rag.engine import Assistant
from rag.ports import ChatModel, Message
from rag.stages import Context, Reader, Reranker, Retriever, Understander
from rag.types import Answer, Hit, Turn, Usage
from rag.types import Verdict as AnswerVerdict
from rag.values.evidence import Reading
from rag.values.query import Query
from rag.values.ranking import Ranking
from rag.verify import Source, Verdict, Verifier
from tests.eval.conftest import LINES, answer, question_of

GOLD = {record["id"]: question_of(record) for record in LINES}


class Dropping:
    """A retriever that does not find the papers it is told to."""

    def __init__(self, inner: Retriever, papers: Collection[str]) -> None:
        self._inner, self._papers = inner, papers

    def retrieve(self, query: Query, context: Context) -> list[Ranking]:
        found = self._inner.retrieve(query, context)
        return [replace(one, rows=[row for row in one.rows if row[0][0] not in self._papers]) for one in found]


class Demoting:
    """A reranker that ranks last the papers it is told to."""

    def __init__(self, inner: Reranker, papers: Collection[str]) -> None:
        self._inner, self._papers = inner, papers

    def rerank(self, query: Query, hits: Sequence[Hit], context: Context) -> list[Hit]:
        ranked = self._inner.rerank(query, hits, context)
        late = [replace(hit, score=0.0) for hit in ranked if hit.passage.paper_id in self._papers]
        return [*(hit for hit in ranked if hit.passage.paper_id not in self._papers), *late]


class AbsentMinded:
    """Thinks that every follow-up is about owls."""

    def __init__(self, inner: Understander) -> None:
        self._inner = inner

    def understand(self, asked: str, history: Sequence[Turn], context: Context) -> Query:
        return self._inner.understand("How do barn owls fly without a sound?" if history else asked, (), context)


class Deciding:
    """A reader whose mind is made up, because the model was fitted on another collection."""

    def __init__(self, inner: Reader, verdict: AnswerVerdict) -> None:
        self._inner, self._verdict = inner, verdict

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        reading = self._inner.read(query, hits, context)
        return replace(reading, verdict=self._verdict, confidence=float(self._verdict == "answered"))


class Writer(ChatModel):
    """A language model that always writes the same."""

    name = "writer"

    def __init__(self, text: str) -> None:
        self._text = text

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        yield self._text
        yield Usage()


class Harsh:
    """Believes nothing that the model writes."""

    def __init__(self, context: Context) -> None:
        self._inner: Verifier = open_verifier(context)

    def verify(self, sentences: Sequence[str], sources: Sequence[Source]) -> list[Verdict]:
        return [replace(one, state="contradicted", why="no") for one in self._inner.verify(sentences, sources)]


@pytest.fixture(scope="module")
def base(setup: Setup) -> Iterator[Assistant]:
    opened = Assistant(setup.settings, RagCollection.open(setup.settings))
    yield opened
    opened.close()


def having(base: Assistant, *, verdict: AnswerVerdict = "answered", **stages: Any) -> Assistant:
    """The same assistant with other stages, that answers whatever is asked, or nothing."""
    changed = replace(base.stages, **stages)
    return base.with_stages(replace(changed, reader=Deciding(changed.reader, verdict)))


def written_by(base: Assistant, text: str, verifier: OpenVerifier = open_verifier) -> Assistant:
    """An assistant whose answers a model writes."""
    settings = base.settings.model_copy(update={"openai_base_url": "http://127.0.0.1:1", "mode": "generative"})
    writing = Assistant(settings, base.collection, lambda *_: Writer(text))
    limits = Limits(settings.context_tokens, settings.answer_tokens, keep_unsupported=False)
    return having(writing, answerer=QuotingAndWritingAnswerer(limits, verifier))


def explained(assistant: Assistant, question: GoldQuestion) -> Blame:
    """Ask, check that the reply is wrong, and explain it."""
    chat = assistant.conversation()
    *_, reply = [chat.ask(turn) for turn in question.turns]
    assert Graded(question, None, reply).right < 1.0, "the planted fault has no effect"
    return blame(assistant, question, reply)


def test_rewriting(base: Assistant) -> None:
    found = explained(having(base, understander=AbsentMinded(base.stages.understander)), GOLD["conv-001"])
    assert found.stages == ("understanding",)


def test_retrieval(base: Assistant) -> None:
    found = explained(having(base, retriever=Dropping(base.stages.retriever, ["bees"])), GOLD["fact-001"])
    assert found.stages == ("retrieval",)
    assert found.what_if["reranking"] < 1.0  # what is not there cannot be ranked first


def test_ranking(base: Assistant) -> None:
    found = explained(having(base, reranker=Demoting(base.stages.reranker, ["bees"])), GOLD["fact-001"])
    assert found.stages == ("reranking",)


def test_selection(base: Assistant) -> None:
    policy = base.policy()
    good = policy.evidence.model
    bad = good.model_copy(update={"weights": tuple(-10 * one for one in good.weights), "intercept": -good.intercept})
    spoilt = policy.with_parts(evidence=policy.evidence.model_copy(update={"model": bad}))
    assistant = having(base.with_policy(spoilt))
    wrong = [one for one in GOLD.values() if one.expects == "answer" and len(one.turns) == 1 and one.kind != "multi"]
    blamed = [
        blame(assistant, one, reply)
        for one in wrong
        if Graded(one, None, reply := assistant.ask(one.question)).right < 1
    ]
    assert blamed, "the planted fault has no effect"
    assert {one.stages for one in blamed} == {("reading",)}


def test_selection_by_a_model(base: Assistant) -> None:
    writing = written_by(base, "Foragers followed a dance for 7 minutes on average [1].")
    assert explained(writing, GOLD["fact-001"]).stages == ("reading",)


def test_verification(base: Assistant) -> None:
    found = explained(written_by(base, "We filmed 412 waggle dances in a glass hive [1].", Harsh), GOLD["fact-001"])
    assert found.stages == ("verification",)
    assert found.what_if["answerability"] == 0.0


@pytest.mark.parametrize(
    ("name", "verdict"), [("fact-001", "refused"), ("unans-001", "answered"), ("scope-001", "answered")]
)
def test_abstention(base: Assistant, name: str, verdict: AnswerVerdict) -> None:
    assert explained(having(base, verdict=verdict), GOLD[name]).stages == ("answerability",)


def test_two_faults_are_named_together(base: Assistant) -> None:
    blind = having(base, verdict="refused", reranker=Demoting(base.stages.reranker, ["bees"]))
    found = explained(blind, GOLD["fact-001"])
    assert found.stages == ("reranking", "answerability")
    assert found.stage == "reranking"


def test_what_no_stage_can_mend_is_not_blamed_on_any() -> None:
    found = find_blame("q", 0.5, STAGES, lambda _: 0.5)
    assert found.stages == ()
    assert found.stage is None
    assert tally([found]) == {"none": 1}


def test_the_earliest_stage_that_mends_it_alone_is_to_blame() -> None:
    scores: dict[frozenset[Stage], float] = {frozenset(["reading"]): 1.0, frozenset(["answerability"]): 1.0}
    found = find_blame("q", 0.0, STAGES, lambda stages: scores.get(frozenset(stages), float(len(stages) > 1)))
    assert found.stages == ("reading",)
    assert found.what_if["retrieval"] == 0.0


def test_gold_outputs_that_get_into_each_others_way_do_not_hide_the_one_that_helps() -> None:
    found = find_blame("q", 0.2, STAGES, lambda stages: 0.9 if list(stages) == ["reranking"] else 0.2)
    assert found.stages == ("reranking",)


def test_only_stages_that_had_something_to_do_are_asked() -> None:
    assert stages_of(GOLD["fact-001"]) == STAGES[1:]
    assert stages_of(GOLD["conv-001"]) == STAGES
    assert stages_of(GOLD["unans-001"]) == ("answerability",)


def test_a_crash_is_explained_as_well(base: Assistant) -> None:
    found = blame(having(base), GOLD["fact-001"], None)
    assert found.score == 0.0
    assert found.ceiling == 1.0


def test_failures_come_worst_first_and_records_survive_being_stored() -> None:
    graded = [
        Graded(GOLD["single-001"], None, answer("linseed oil")),
        Graded(GOLD["fact-001"], None, answer("412")),
        Graded(GOLD["fact-002"], None, answer("no idea")),
        Graded(GOLD["fact-002"], "terse", answer("no idea")),
    ]
    assert [one.question.id for one in failures(graded)] == ["fact-002", "single-001"]
    one = Blame("q", 0.0, ("reranking", "answerability"), 1.0, {"reranking": 0.5})
    assert Blame.of(one.to_dict()) == one
    assert tally([one, one]) == {"reranking": 2}


def test_the_assistant_itself_is_not_changed(base: Assistant) -> None:
    assistant = having(base, verdict="refused")
    before: Answer = assistant.ask(GOLD["fact-001"].question)
    blame(assistant, GOLD["fact-001"], before)
    after = assistant.ask(GOLD["fact-001"].question)
    assert (after.text, after.abstained, np.round(after.confidence, 6)) == (
        before.text,
        before.abstained,
        np.round(before.confidence, 6),
    )
