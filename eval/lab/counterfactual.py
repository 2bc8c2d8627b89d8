"""The same question again, with the outputs of some stages replaced by the gold ones.

The seams that a counterfactual needs lie inside ``rag.engine.Assistant``; all use of them is in this module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import cast

from eval.failures import Stage
from eval.gold import GoldQuestion
from eval.metrics import CENTRAL, holds_fact
from rag.answer.evidence import PaperEvidence, SentenceEvidence
from rag.answer.respond import Work
from rag.engine import Assistant
from rag.finder import Finder
from rag.ports import ChatModel, Message
from rag.question import Question
from rag.rewrite import Rewritten
from rag.types import Answer, Hit, Options, Turn, Usage
from rag.verify import Verdict, Verifier

REACH = 20  # papers among which retrieval must bring the gold ones; to put those first is the ranking's work
ANSWER, ABSTAIN = -1.0, 2.0  # thresholds of confidence that no probability falls below, or reaches


def replay(base: Assistant, question: GoldQuestion, original: Answer | None, stages: Collection[Stage]) -> Answer:
    """Ask the graded turn again, with the gold outputs of these stages and the system's own outputs of the others.

    original: the answer that is being explained. The gold outputs: the stand-alone question; the gold papers among the
    candidates; the gold papers first; the sentences that hold the facts; every sentence let through; to answer where
    there is an answer, and else silence.
    """
    assistant = _Replay.over(base, question, original, frozenset(stages))
    turns: list[Turn] = []
    for text in question.turns[:-1]:
        turns.append(Turn.of(base.ask(text, turns)))
    # a model that stands in for the writer cannot rewrite as well, so what was searched for is held
    held = (
        original.standalone_question if original and "selection" in stages and original.mode == "generative" else None
    )
    return assistant.ask(question.question, turns, Options(standalone_question=held))


class _Replay(Assistant):
    """An assistant whose stages can be replaced. Everything else is the assistant's that it was made of."""

    _question: GoldQuestion
    _stages: frozenset[Stage]

    @classmethod
    def over(
        cls, base: Assistant, question: GoldQuestion, original: Answer | None, stages: frozenset[Stage]
    ) -> _Replay:
        """base: may be of a subclass; what that changes stays changed, but for the stages replaced."""
        kind = type("Replay", (cls, type(base)), {})
        made = cast("_Replay", object.__new__(kind))
        made.__dict__.update(base.__dict__)
        made._question, made._stages = question, stages
        made._finder = _GoldFinder(base._finder, question, stages)
        if "abstention" in stages:
            made._decide(ANSWER if question.expects == "answer" else ABSTAIN)
        elif "selection" in stages and original is not None and not original.abstained:
            # fewer sentences to choose from must not make the assistant doubt what it had decided before
            made._decide(ANSWER)
        if "selection" in stages:
            made._models = {}
            made._open_model = lambda settings, name: _GoldWriter(name or settings.chat_model, made._gold_sentences)
        return made

    def _decide(self, threshold: float) -> None:
        self._limits = replace(self._limits, threshold=threshold)

    def _rewrite(self, work: Work) -> Rewritten:
        if "rewrite" in self._stages:
            return Rewritten(self._question.standalone, self._question.standalone)
        return super()._rewrite(work)

    def _weigh(self, parsed: Question, hits: Sequence[Hit]) -> list[PaperEvidence]:
        evidence = super()._weigh(parsed, hits)
        if "selection" not in self._stages:
            return evidence
        return [replace(one, sentences=self._telling(one)) for one in evidence]

    def _telling(self, one: PaperEvidence) -> tuple[SentenceEvidence, ...]:
        """The sentences that hold a fact; all of them where none does, as in a paper that is not gold."""
        if one.paper.id not in self._question.gold:
            return one.sentences
        facts = self._question.facts
        return tuple(s for s in one.sentences if any(holds_fact(s.text, forms) for forms in facts)) or one.sentences

    def _gold_sentences(self) -> list[str]:
        """What a writer who selects well would say."""
        papers = [self.paper(paper) for paper, grade in self._question.gold.items() if grade >= CENTRAL]
        parsed = self._finder.analyse(self._question.standalone, self._question.standalone)
        hits = self._finder.retrieve(parsed, Options(include=frozenset(paper.id for paper in papers if paper)))
        weighed = super()._weigh(parsed, self._finder.rerank(parsed, hits))
        return [sentence.text for one in weighed for sentence in self._telling(one)]

    def _verifier(self, evidence: Sequence[PaperEvidence]) -> Verifier:
        verifier = super()._verifier(evidence)
        return cast("Verifier", _LetThrough(verifier)) if "verification" in self._stages else verifier


class _GoldFinder(Finder):
    """A finder whose candidates, or whose order, can be replaced."""

    def __init__(self, base: Finder, question: GoldQuestion, stages: frozenset[Stage]) -> None:
        self.__dict__.update(base.__dict__)
        self._base = base
        self._stages = stages
        self._gold = question.gold

    def retrieve(self, question: Question, options: Options) -> list[Hit]:
        hits = self._base.retrieve(question, options)
        if "retrieval" not in self._stages:
            return hits
        reached = list(dict.fromkeys(hit.passage.paper_id for hit in hits))[:REACH]
        missing = frozenset(self._gold) - set(reached)
        if not missing:
            return hits
        found = Finder.retrieve(self, question, replace(options, include=missing, exclude=frozenset()))
        top = max((hit.score for hit in hits), default=1.0)
        brought = [replace(hit, score=top) for hit in found]
        return [*brought, *(hit for hit in hits if hit.passage.paper_id not in missing)]

    def rerank(self, question: Question, hits: list[Hit]) -> list[Hit]:
        ranked = self._base.rerank(question, hits)
        if "ranking" not in self._stages or not ranked:
            return ranked
        top = max(hit.score for hit in ranked)
        gold = [replace(hit, score=top) for hit in ranked if hit.passage.paper_id in self._gold]
        gold.sort(key=lambda hit: -self._gold[hit.passage.paper_id])
        return [*gold, *(hit for hit in ranked if hit.passage.paper_id not in self._gold)]


class _GoldWriter(ChatModel):
    """A language model that writes the sentences that hold the facts."""

    def __init__(self, name: str, sentences: Callable[[], list[str]]) -> None:
        self._name = name
        self._sentences = sentences

    @property
    def name(self) -> str:
        return self._name

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:  # noqa: ARG002
        yield "\n".join(self._sentences())
        yield Usage()


class _LetThrough:
    """A verifier that finds quotes as before, and objects to nothing."""

    def __init__(self, inner: Verifier) -> None:
        self._inner = inner

    def check(self, sentence: str, lead: str = "") -> Verdict:
        return replace(self._inner.check(sentence, lead), supported=True, why="")
