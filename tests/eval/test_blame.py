"""A fault is planted in each stage, and that stage is blamed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from eval.failures import STAGES, Blame, Stage, failures, tally
from eval.gold import GoldQuestion
from eval.lab.blame import blame, find_blame, stages_of
from eval.measures import Graded, right
from eval.run import Setup
from rag.answer.fitted import Logistic
from rag.engine import Assistant
from rag.finder import Finder
from rag.ports import ChatModel, Message
from rag.question import Question
from rag.rewrite import Rewritten
from rag.types import Answer, Hit, Options, Usage
from rag.verify import Verdict, Verifier
from tests.eval.conftest import LINES, answer, question_of

GOLD = {record["id"]: question_of(record) for record in LINES}


class BlindFinder(Finder):
    """Does not find, or ranks last, the papers it is told to."""

    def __init__(self, base: Finder, *, drop: Collection[str] = (), last: Collection[str] = ()) -> None:
        self.__dict__.update(base.__dict__)
        self._drop, self._last = drop, last

    def retrieve(self, question: Question, options: Options) -> list[Hit]:
        return [hit for hit in super().retrieve(question, options) if hit.passage.paper_id not in self._drop]

    def rerank(self, question: Question, hits: list[Hit]) -> list[Hit]:
        ranked = super().rerank(question, hits)
        late = [replace(hit, score=0.0) for hit in ranked if hit.passage.paper_id in self._last]
        return [*(hit for hit in ranked if hit.passage.paper_id not in self._last), *late]


class AbsentMindedAssistant(Assistant):
    """Thinks that every follow-up is about owls."""

    def _rewrite(self, work: Any) -> Rewritten:
        asked = "How do barn owls fly without a sound?" if work.history else work.asked
        return Rewritten(asked, asked)


class Writer(ChatModel):
    """A language model that always writes the same."""

    name = "writer"

    def __init__(self, text: str) -> None:
        self._text = text

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        yield self._text
        yield Usage()


class HarshAssistant(Assistant):
    """Believes nothing that the model writes."""

    def _verifier(self, evidence: Any) -> Verifier:
        inner = super()._verifier(evidence)

        class Harsh:
            def check(self, sentence: str, lead: str = "") -> Verdict:
                return replace(inner.check(sentence, lead), supported=False, why="no")

        return cast("Verifier", Harsh())


@pytest.fixture(scope="module")
def finder(setup: Setup) -> Iterator[Finder]:
    opened = Finder.open(setup.settings)
    yield opened
    opened.close()


def explained(assistant: Assistant, question: GoldQuestion) -> Blame:
    """Ask, check that the reply is wrong, and explain it."""
    chat = assistant.conversation()
    *_, reply = [chat.ask(turn) for turn in question.turns]
    assert right(Graded(question, None, reply)) < 1.0, "the planted fault has no effect"
    return blame(assistant, question, reply)


def confident(assistant: Assistant, threshold: float = -1.0) -> Assistant:
    """The sufficiency model was fitted on another collection; here it must not decide what a test is about."""
    assistant._limits = replace(assistant._limits, threshold=threshold)
    return assistant


def test_rewriting(setup: Setup, finder: Finder) -> None:
    found = explained(confident(AbsentMindedAssistant(setup.settings, finder)), GOLD["conv-001"])
    assert found.stages == ("rewrite",)


def test_retrieval(setup: Setup, finder: Finder) -> None:
    found = explained(confident(Assistant(setup.settings, BlindFinder(finder, drop=["bees"]))), GOLD["fact-001"])
    assert found.stages == ("retrieval",)
    assert found.what_if["ranking"] < 1.0  # what is not there cannot be ranked first


def test_ranking(setup: Setup, finder: Finder) -> None:
    found = explained(confident(Assistant(setup.settings, BlindFinder(finder, last=["bees"]))), GOLD["fact-001"])
    assert found.stages == ("ranking",)


def test_selection(setup: Setup, finder: Finder) -> None:
    assistant = confident(Assistant(setup.settings, finder))
    good = assistant._selection
    assistant._selection = Logistic(good.features, tuple(-10 * weight for weight in good.weights), -good.intercept)
    wrong = [one for one in GOLD.values() if one.expects == "answer" and len(one.turns) == 1 and one.kind != "multi"]
    blamed = [
        blame(assistant, one, reply)
        for one in wrong
        if right(Graded(one, None, reply := assistant.ask(one.question))) < 1
    ]
    assert blamed, "the planted fault has no effect"
    assert {one.stages for one in blamed} == {("selection",)}


def test_selection_by_a_model(setup: Setup, finder: Finder) -> None:
    settings = setup.settings.model_copy(update={"openai_base_url": "http://127.0.0.1:1", "mode": "generative"})
    writer = Writer("Foragers followed a dance for 7 minutes on average [1].")
    found = explained(confident(Assistant(settings, finder, lambda *_: writer)), GOLD["fact-001"])
    assert found.stages == ("selection",)


def test_verification(setup: Setup, finder: Finder) -> None:
    settings = setup.settings.model_copy(update={"openai_base_url": "http://127.0.0.1:1", "mode": "generative"})
    writer = Writer("We filmed 412 waggle dances in a glass hive [1].")
    found = explained(confident(HarshAssistant(settings, finder, lambda *_: writer)), GOLD["fact-001"])
    assert found.stages == ("verification",)
    assert found.what_if["abstention"] == 0.0


@pytest.mark.parametrize(("name", "threshold"), [("fact-001", 1.1), ("unans-001", -1.0), ("scope-001", -1.0)])
def test_abstention(setup: Setup, finder: Finder, name: str, threshold: float) -> None:
    found = explained(confident(Assistant(setup.settings, finder), threshold), GOLD[name])
    assert found.stages == ("abstention",)


def test_two_faults_are_named_together(setup: Setup, finder: Finder) -> None:
    blind = BlindFinder(finder, last=["bees"])
    found = explained(confident(Assistant(setup.settings, blind), 1.1), GOLD["fact-001"])
    assert found.stages == ("ranking", "abstention")
    assert found.stage == "ranking"


def test_what_no_stage_can_mend_is_not_blamed_on_any() -> None:
    found = find_blame("q", 0.5, STAGES, lambda _: 0.5)
    assert found.stages == ()
    assert found.stage is None
    assert tally([found]) == {"none": 1}


def test_the_earliest_stage_that_mends_it_alone_is_to_blame() -> None:
    scores: dict[frozenset[Stage], float] = {frozenset(["selection"]): 1.0, frozenset(["abstention"]): 1.0}
    found = find_blame("q", 0.0, STAGES, lambda stages: scores.get(frozenset(stages), float(len(stages) > 1)))
    assert found.stages == ("selection",)
    assert found.what_if["retrieval"] == 0.0


def test_gold_outputs_that_get_into_each_others_way_do_not_hide_the_one_that_helps() -> None:
    found = find_blame("q", 0.2, STAGES, lambda stages: 0.9 if list(stages) == ["ranking"] else 0.2)
    assert found.stages == ("ranking",)


def test_only_stages_that_had_something_to_do_are_asked() -> None:
    assert stages_of(GOLD["fact-001"]) == STAGES[1:]
    assert stages_of(GOLD["conv-001"]) == STAGES
    assert stages_of(GOLD["unans-001"]) == ("abstention",)


def test_a_crash_is_explained_as_well(setup: Setup, finder: Finder) -> None:
    found = blame(confident(Assistant(setup.settings, finder)), GOLD["fact-001"], None)
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
    one = Blame("q", 0.0, ("ranking", "abstention"), 1.0, {"ranking": 0.5})
    assert Blame.of(one.to_dict()) == one
    assert tally([one, one]) == {"ranking": 2}


def test_the_assistant_itself_is_not_changed(setup: Setup, finder: Finder) -> None:
    assistant = confident(Assistant(setup.settings, finder), 1.1)
    before: Answer = assistant.ask(GOLD["fact-001"].question)
    blame(assistant, GOLD["fact-001"], before)
    after = assistant.ask(GOLD["fact-001"].question)
    assert (after.text, after.abstained, np.round(after.confidence, 6)) == (
        before.text,
        before.abstained,
        np.round(before.confidence, 6),
    )
