"""Assistant: the whole way from a question to an answer that can be checked."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from rag.answer import evidence as evidence_of
from rag.answer import fitted, sufficiency
from rag.answer.abstain import Abstention, decline
from rag.answer.evidence import PaperEvidence
from rag.answer.intake import in_another_script, objection, tidy
from rag.answer.openers import CONSIDERED, openers
from rag.answer.respond import Body, Limits, Work, respond
from rag.chat_model import OpenAIChat
from rag.errors import ProviderError, SettingsError
from rag.finder import Finder
from rag.index import Index, IndexReport, Progress
from rag.ports import ChatModel
from rag.question import Question
from rag.rewrite import Rewritten, rewrite_by_rule, rewrite_with_model
from rag.settings import Settings, shipped_corpus
from rag.types import (
    Answer,
    Hit,
    Mode,
    Options,
    Paper,
    Retrieved,
    RetrievedPaper,
    StreamEvent,
    Turn,
    ranked_papers,
)
from rag.verify import Verifier

log = logging.getLogger(__name__)
TOPIC_SHARE = 1 / 3  # of a follow-up's confidence: what the topic carried over counts against the words that ask
READ = 8  # papers whose sentences are weighed, and whose passages a model is shown
NO_MODEL = (
    "No language model is configured, so the answer is made of quotes. "
    "Set OPENAI_API_KEY, or OPENAI_BASE_URL and READBACK_CHAT_MODEL for a server of your own."
)
DEFAULT = Options()
OpenModel = Callable[[Settings, str | None], ChatModel]


class Assistant:
    """Answers questions about the collection. One instance serves many threads at once.

    Each answer is independent: a conversation's state is in the turns that the caller passes, or in ``Conversation``.
    """

    def __init__(self, settings: Settings, finder: Finder, open_model: OpenModel = OpenAIChat.from_settings) -> None:
        """open_model: (settings, model name or None) → ChatModel; called when a model is first needed."""
        self.settings = settings
        self._finder = finder
        self._open_model = open_model
        self._models: dict[str | None, ChatModel] = {}
        self._models_lock = threading.Lock()
        self._openers_of: tuple[int, tuple[str, ...]] = (-1, ())  # the generation, and its questions to begin with
        self._selection = fitted.load("selection", evidence_of.FEATURES)
        self._sufficiency = fitted.load("sufficiency", sufficiency.FEATURES)
        self._limits = Limits(
            threshold=fitted.threshold("sufficiency"),
            context_tokens=settings.context_tokens,
            answer_tokens=settings.answer_tokens,
            keep_unsupported=settings.unsupported == "mark",
        )

    @classmethod
    def open(cls, settings: Settings | None = None, *, progress: Progress = lambda _: None) -> Self:
        """An assistant over the index that the settings name.

        settings: read from the environment and ``.env`` if not given. If nothing was ever indexed, the shipped corpus
        is indexed first; progress is told how many papers are done. Raises SettingsError or IndexUnusable.
        """
        settings = settings or Settings.load()
        finder = Finder.open(settings)
        if finder.catalog.manifest() is None:
            from rag.corpus import read

            log.info("nothing is indexed yet: indexing the shipped corpus")
            corpus = shipped_corpus()
            finder.index.update(read(corpus).papers, sources=[str(corpus)], progress=progress)
        finder.index.check()
        return cls(settings, finder)

    @property
    def index(self) -> Index:
        """The collection on disk: add, replace and remove papers here. Answers follow at once."""
        return self._finder.index

    def papers(self) -> list[Paper]:
        """All papers of the collection, in the order in which they first came."""
        return self._finder.catalog.papers()

    def paper(self, paper_id: str) -> Paper | None:
        """One paper, or None if the collection does not hold it."""
        return self._finder.catalog.paper(paper_id)

    def add(self, papers: Sequence[Paper], *, progress: Progress = lambda _: None) -> IndexReport:
        """Index these papers beside those already there. Raises IndexBusy or IndexMismatch."""
        return self.index.update(papers, progress=progress)

    def search(self, question: str, papers: int = 10, options: Options = DEFAULT) -> list[PaperEvidence]:
        """The papers closest to a question, best first, with their sentences weighed; no answer is made."""
        asked = tidy(question)
        if objection(asked):
            return []
        parsed = self._finder.analyse(asked, asked)
        return self._weigh(parsed, self._finder.find(parsed, papers, options))

    def ask(self, question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Answer:
        """Answer one question.

        history: earlier turns, oldest first, that the question may refer to. Raises IndexUnusable, and ProviderError
        if the settings say that a failing model is an error.
        """
        *_, answer = self.stream(question, history, options)
        assert isinstance(answer, Answer), "a stream ends with its answer"
        return answer

    def stream(self, question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Iterator[StreamEvent]:
        """Yield Retrieved, then TextDelta as verified sentences are ready, then the Answer.

        What the deltas say, joined, is the answer's text, unless a model failed halfway or the answer became an
        abstention: the Answer always has the last word. Closing the iterator stops the model's work.
        """
        work = Work(tidy(question), history, options, self._mode(options))
        refusal = objection(work.asked)
        if refusal:
            yield self._answer(work, decline(refusal), ())
            return
        rewritten = self._rewrite(work)
        work.standalone = rewritten.standalone
        with work.watch.stage("retrieve"):
            parsed = self._finder.analyse(rewritten.own, rewritten.standalone)
            passages = self._finder.retrieve(parsed, options)
        with work.watch.stage("rerank"):
            hits = self._finder.rerank(parsed, passages)
            papers = ranked_papers(hits[: max(self.settings.retrieved_papers, options.papers or 0)])
            evidence = self._weigh(parsed, hits[:READ])
            work.confidence = self._confidence(rewritten, parsed, hits[:READ], evidence)
        yield Retrieved(work.standalone, papers)
        body = yield from respond(
            work,
            parsed,
            evidence,
            self._limits,
            model=lambda: self._model(work),
            verifier=self._verifier,
            on_failure=lambda error: self._degrade(work, error),
        )
        if isinstance(body, Abstention) and not body.suggestions:
            body = replace(body, suggestions=self._openers())
        yield self._answer(work, body, papers)

    def conversation(self, history: Sequence[Turn] = ()) -> Conversation:
        """A conversation that remembers its turns, beginning with these."""
        return Conversation(self, history)

    def close(self) -> None:
        """Let go of files and connections."""
        self._finder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _mode(self, options: Options) -> Mode:
        mode = options.mode or ("generative" if self.settings.writes else "extractive")
        if mode == "generative" and not self.settings.has_model:
            raise SettingsError(
                "A written answer needs a language model: set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env."
            )
        return mode

    def _model(self, work: Work) -> ChatModel:
        name = work.options.model
        with self._models_lock:
            if name not in self._models:
                self._models[name] = self._open_model(self.settings, name)
        work.model = self._models[name].name
        return self._models[name]

    def _rewrite(self, work: Work) -> Rewritten:
        with work.watch.stage("rewrite"):
            given = tidy(work.options.standalone_question or "")
            if given:
                return Rewritten(given, given)
            if work.mode == "generative" and (work.history or in_another_script(work.asked)):
                try:
                    found = rewrite_with_model(work.asked, work.history, self._model(work))
                except ProviderError as error:
                    self._degrade(work, error)
                else:
                    work.usage += found.usage
                    return found
            return rewrite_by_rule(work.asked, work.history)

    def _openers(self) -> tuple[str, ...]:
        generation = self._finder.catalog.generation()
        if self._openers_of[0] != generation:
            papers = self._finder.catalog.some(list(self._finder.catalog.fingerprints())[:CONSIDERED])
            self._openers_of = (generation, openers(papers))
        return self._openers_of[1]

    def _degrade(self, work: Work, error: ProviderError) -> None:
        """Go on with quotes, visibly; or raise, if the settings say so."""
        log.warning("the language model failed: %s", error)
        if self.settings.on_model_failure == "error":
            raise error
        work.mode, work.model = "extractive", None
        work.notices[:] = [f"The language model failed, so the answer is made of quotes. {error}"]

    def _confidence(
        self, rewritten: Rewritten, parsed: Question, hits: Sequence[Hit], evidence: Sequence[PaperEvidence]
    ) -> float:
        """Estimated probability that the collection holds the answer.

        The few words of a follow-up are seldom in the abstract, and the topic that was carried over always is: what is
        asked decides for the most part, and the topic for the rest.
        """
        if not evidence:
            return 0.0
        rows = [sufficiency.signs(parsed, evidence)]
        weights = [1.0]
        if rewritten.own != rewritten.standalone:
            whole = self._finder.analyse(rewritten.standalone, rewritten.standalone)
            rows.append(sufficiency.signs(whole, self._weigh(whole, hits)))
            weights = [1 - TOPIC_SHARE, TOPIC_SHARE]
        found = self._sufficiency.probabilities(rows)
        log_odds = float(np.dot(weights, np.log(found) - np.log1p(-found)))
        confidence = 1.0 / (1.0 + math.exp(-log_odds))
        if rewritten.own == rewritten.standalone and sufficiency.is_plain(parsed, evidence):
            confidence = max(confidence, sufficiency.PLAIN)
        return round(confidence, 4)

    def _weigh(self, parsed: Question, hits: Sequence[Hit]) -> list[PaperEvidence]:
        return evidence_of.gather(parsed, hits, self._finder.catalog, self._selection)

    def _verifier(self, evidence: Sequence[PaperEvidence]) -> Verifier:
        known = self._finder.catalog.some(one.paper.id for one in evidence)
        kept = [one for one in evidence if one.paper.id in known]
        return Verifier(kept, [known[one.paper.id][1] for one in kept], self._finder.vector, self._finder.idf)

    def _answer(self, work: Work, body: Body, papers: Sequence[RetrievedPaper]) -> Answer:
        abstained = isinstance(body, Abstention)
        notices = list(work.notices)
        if not self.settings.has_model:
            notices.append(NO_MODEL)
        return Answer(
            id=uuid.uuid4().hex,
            question=work.asked,
            standalone_question=work.standalone or work.asked,
            text=body.text,
            abstained=abstained,
            abstain_reason=body.reason if isinstance(body, Abstention) else None,
            sentences=() if isinstance(body, Abstention) else tuple(body.sentences),
            citations=() if isinstance(body, Abstention) else tuple(body.citations),
            retrieved=tuple(papers),
            mode=work.mode,
            model=work.model,
            usage=work.usage,
            timings_ms=work.watch.timings_ms(),
            notice=" ".join(notices) or None,
            closest=body.closest if isinstance(body, Abstention) else (),
            suggestions=body.suggestions if isinstance(body, Abstention) else (),
            confidence=work.confidence,
        )


class Conversation:
    """Questions that may refer to earlier ones. For one thread; its turns can be read and kept."""

    def __init__(self, assistant: Assistant, history: Sequence[Turn] = ()) -> None:
        """history: turns that have happened, oldest first."""
        self._assistant = assistant
        self.turns: list[Turn] = list(history)

    def ask(self, question: str, options: Options = DEFAULT) -> Answer:
        """Answer, and remember the turn."""
        answer = self._assistant.ask(question, self.turns, options)
        self.turns.append(Turn.of(answer))
        return answer

    def stream(self, question: str, options: Options = DEFAULT) -> Iterator[StreamEvent]:
        """Like ``Assistant.stream``; the turn is remembered when its Answer has come."""
        for event in self._assistant.stream(question, self.turns, options):
            if isinstance(event, Answer):
                self.turns.append(Turn.of(event))
            yield event


_default: Assistant | None = None
_default_lock = threading.Lock()


def ask(question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Answer:
    """Answer one question with the settings of the environment. The assistant is opened once and kept.

    Raises SettingsError, IndexUnusable, or ProviderError if the settings say that a failing model is an error.
    """
    global _default  # noqa: PLW0603 - the one process-wide convenience
    with _default_lock:
        if _default is None:
            _default = Assistant.open()
    return _default.ask(question, history, options)
