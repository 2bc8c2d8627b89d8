"""The same question again, with some stages of the pipeline replaced by ones that give the gold output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from eval.failures import Stage
from eval.gold import GoldQuestion
from eval.metrics.facts import holds_fact
from eval.metrics.retrieval import CENTRAL
from rag.answer.answerer import QuotingAndWritingAnswerer
from rag.answer.written import Limits, open_verifier
from rag.engine import Assistant
from rag.ports import ChatModel, Message
from rag.retrieve.fuse import fused
from rag.retrieve.search import HybridRetriever
from rag.stages import Context, Reader, Reranker, Retriever, Understander
from rag.types import Answer, Hit, Options, Turn, Usage
from rag.values.evidence import PaperEvidence, Reading, SentenceEvidence
from rag.values.query import Query
from rag.values.ranking import Ranking
from rag.verify import Source, Verdict, Verifier

REACH = 20  # papers among which retrieval must bring the gold ones; to put those first is the ranking's work


def replay(base: Assistant, question: GoldQuestion, original: Answer | None, stages: Collection[Stage]) -> Answer:
    """Ask the graded turn again, with the gold outputs of these stages and the system's own outputs of the others.

    original: the answer that is being explained. The gold outputs: the stand-alone question; the gold papers among the
    candidates; the gold papers first; the sentences that hold the facts; every sentence let through; to answer where
    there is an answer, and else silence.
    """
    own, settings = base.stages, base.settings
    limits = Limits(
        settings.context_tokens, settings.answer_tokens, settings.unsupported == "mark", settings.small_model
    )
    made = replace(
        own,
        understander=_GoldUnderstander(own.understander, question) if "understanding" in stages else own.understander,
        retriever=_GoldRetriever(own.retriever, question) if "retrieval" in stages else own.retriever,
        reranker=_GoldReranker(own.reranker, question) if "reranking" in stages else own.reranker,
        reader=_GoldReader(own.reader, question, original, stages),
        answerer=QuotingAndWritingAnswerer(limits, _LetThrough) if "verification" in stages else own.answerer,
    )

    def writer() -> list[str]:
        papers = frozenset(paper for paper, grade in question.gold.items() if grade >= CENTRAL)
        found = base.search(question.standalone, len(papers), Options(include=papers))
        return [sentence.text for one in found for sentence in _telling(one, question)]

    model = _GoldWriter(settings.chat_model, writer) if "reading" in stages else None
    assistant = base.with_stages(made, open_model=(lambda *_: model) if model else None)
    turns: list[Turn] = []
    for text in question.turns[:-1]:
        turns.append(Turn.of(base.ask(text, turns)))
    # a model that stands in for the writer cannot rewrite as well, so what was searched for is held
    held = original.standalone_question if original and model and original.mode == "generative" else None
    return assistant.ask(question.question, turns, Options(standalone_question=held))


class _GoldUnderstander:
    """Understands the stand-alone question that a person wrote."""

    def __init__(self, inner: Understander, question: GoldQuestion) -> None:
        self._inner, self._question = inner, question

    def understand(self, asked: str, history: Sequence[Turn], context: Context) -> Query:  # noqa: ARG002
        return replace(self._inner.understand(self._question.standalone, (), context), asked=asked)


class _GoldRetriever:
    """Brings the gold papers among the candidates."""

    def __init__(self, inner: Retriever, question: GoldQuestion) -> None:
        self._inner, self._gold = inner, question.gold

    def retrieve(self, query: Query, context: Context) -> list[Ranking]:
        rankings = self._inner.retrieve(query, context)
        scores = fused(rankings)
        order = sorted(scores, key=lambda row: -scores[row])
        reached = list(dict.fromkeys(row[0] for row in order))[:REACH]
        missing = frozenset(self._gold) - set(reached)
        if not missing:
            return rankings
        alone = replace(context, options=replace(context.options, include=missing, exclude=frozenset()))
        brought = fused(HybridRetriever().retrieve(query, alone))
        return [*rankings, Ranking("dense", 1.0, [(row, 1.0) for row in brought])]


class _GoldReranker:
    """Puts the gold papers first."""

    def __init__(self, inner: Reranker, question: GoldQuestion) -> None:
        self._inner, self._gold = inner, question.gold

    def rerank(self, query: Query, hits: Sequence[Hit], context: Context) -> list[Hit]:
        ranked = self._inner.rerank(query, hits, context)
        top = max((hit.score for hit in ranked), default=0.0)
        gold = [replace(hit, score=top) for hit in ranked if hit.passage.paper_id in self._gold]
        gold.sort(key=lambda hit: -self._gold[hit.passage.paper_id])
        return [*gold, *(hit for hit in ranked if hit.passage.paper_id not in self._gold)]


class _GoldReader:
    """Sees only the sentences that hold the facts, or decides as the gold question says."""

    def __init__(
        self, inner: Reader, question: GoldQuestion, original: Answer | None, stages: Collection[Stage]
    ) -> None:
        self._inner, self._question, self._stages = inner, question, stages
        self._answered = original is not None and not original.abstained

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        reading = self._inner.read(query, hits, context)
        if "reading" in self._stages:
            told = tuple(replace(one, sentences=_telling(one, self._question)) for one in reading.evidence)
            reading = replace(reading, evidence=told)
        if "answerability" in self._stages:
            if self._question.expects == "answer":
                return replace(reading, confidence=1.0, verdict="answered")
            return replace(reading, confidence=0.0, verdict="refused")
        if "reading" in self._stages and self._answered and reading.verdict == "refused":
            # the gold order of papers must not make it doubt what it had decided before
            return replace(reading, verdict="closest")
        return reading


def _telling(one: PaperEvidence, question: GoldQuestion) -> tuple[SentenceEvidence, ...]:
    """The sentences that hold a fact; all of them where none does, as in a paper that is not gold."""
    if one.paper.id not in question.gold:
        return one.sentences
    facts = question.facts
    return tuple(s for s in one.sentences if any(holds_fact(s.text, forms) for forms in facts)) or one.sentences


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
    """Finds quotes as ever, and objects to nothing."""

    def __init__(self, context: Context) -> None:
        self._inner: Verifier = open_verifier(context)

    def verify(self, sentences: Sequence[str], sources: Sequence[Source]) -> list[Verdict]:
        return [replace(one, state="verified", why="") for one in self._inner.verify(sentences, sources)]
