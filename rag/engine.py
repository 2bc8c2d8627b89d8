"""Assistant: the whole way from a question to an answer that can be checked, in one page.

understand → retrieve → fuse → rerank → read → answer, the last of which verifies what a model wrote. The stages are
Protocols (``rag.stages``); every number that decides comes from the policy in force (``rag.policy``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Self

from rag.answer.decline import decline, with_suggestions
from rag.answer.overview import CONSIDERED, Overview, overview
from rag.answer.replies import adapted, reply
from rag.answer.suggest import suggesting
from rag.chat_model import OpenAIChat
from rag.collection import Collection, View, consistently
from rag.conversation import Conversation
from rag.errors import ProviderError, SettingsError
from rag.index import Index, IndexReport, Progress
from rag.policy import Policy
from rag.policy.in_force import PolicyInForce
from rag.ports import ChatModel
from rag.query.intake import objection, tidy
from rag.query.intent import SEARCHED, Said, recognise, wants_no_search
from rag.query.understand import restated
from rag.routing import route
from rag.settings import Settings, shipped_corpus
from rag.stages import Context, Further
from rag.standard import Stages
from rag.stopping import Stop, Stoppable
from rag.trace import Trace
from rag.types import Answer, Hit, Mode, Options, Paper, Retrieved, StreamEvent, TextDelta, Turn, ranked_papers
from rag.values.evidence import Body, PaperEvidence
from rag.values.query import Query

log = logging.getLogger(__name__)
NO_MODEL = (
    "No language model is configured, so the answer is made of quotes. "
    "Set OPENAI_API_KEY, or OPENAI_BASE_URL and READBACK_CHAT_MODEL for a server of your own."
)
UNFITTED = (
    "Readback's decisions were not fitted for the embedding model {name}, so answers and refusals are less reliable. "
    "Run: make fit EMBED={name}"
)
DEFAULT = Options()
OpenModel = Callable[[Settings, str | None], ChatModel]


class Assistant:
    """Answers questions about the collection. One instance serves many threads at once.

    Each answer is independent: a conversation's state is in the turns that the caller passes, or in ``Conversation``.
    """

    def __init__(
        self,
        settings: Settings,
        collection: Collection,
        open_model: OpenModel = OpenAIChat.from_settings,
        *,
        policy: Callable[[], Policy] = Policy.default,
        stages: Stages | None = None,
    ) -> None:
        """open_model: (settings, model name or None) → ChatModel; called when a model is first needed.

        policy: called once for each answer, so that the policy in force can be swapped at any time. stages: None for
        the standard ones.
        """
        self.settings = settings
        self.collection = collection
        self.stages = stages or Stages.standard(settings)
        self.policy = policy
        self._open_model = open_model
        self._models: dict[str | None, ChatModel] = {}
        self._models_lock = threading.Lock()
        self._overview_of: tuple[int, Overview] | None = None  # the generation, and what it is about

    @classmethod
    def open(cls, settings: Settings | None = None, *, progress: Progress = lambda _: None) -> Self:
        """An assistant over the index that the settings name.

        settings: read from the environment and ``.env`` if not given. If nothing was ever indexed, the shipped corpus
        is indexed first; progress is told how many papers are done. Raises SettingsError or IndexUnusable.
        """
        settings = settings or Settings.load()
        collection = Collection.open(settings)
        if collection.catalog.manifest() is None:
            from rag.corpus import read

            log.info("nothing is indexed yet: indexing the shipped corpus")
            corpus = shipped_corpus()
            collection.index.update(read(corpus).papers, sources=[str(corpus)], progress=progress)
        collection.index.check()
        return cls(settings, collection, policy=PolicyInForce(settings.data_dir / "policies"))

    def with_stages(self, stages: Stages, *, open_model: OpenModel | None = None) -> Assistant:
        """An assistant over the same collection whose stages, and perhaps its model, are others."""
        model = open_model or self._open_model
        return type(self)(self.settings, self.collection, model, policy=self.policy, stages=stages)

    def with_policy(self, policy: Policy) -> Assistant:
        """An assistant over the same collection that decides by this policy."""
        return type(self)(self.settings, self.collection, self._open_model, policy=lambda: policy, stages=self.stages)

    def for_asker(self, asker: str) -> Assistant:
        """The assistant for one person: it decides by the policy on trial if they are of its share."""
        if not isinstance(self.policy, PolicyInForce):
            return self
        policy, own = self.policy.of(asker), copy(self)
        own.policy = lambda: policy
        return own

    def use(self, settings: Settings) -> None:
        """Have answers written by the model that these settings name, from the next question on."""
        with self._models_lock:
            self.settings, self._models = settings, {}

    @property
    def index(self) -> Index:
        """The collection on disk: add, replace and remove papers here. Answers follow at once."""
        return self.collection.index

    def papers(self) -> list[Paper]:
        """All papers of the collection, in the order in which they first came."""
        return self.collection.catalog.papers()

    def paper(self, paper_id: str) -> Paper | None:
        """One paper, or None if the collection does not hold it."""
        return self.collection.catalog.paper(paper_id)

    def add(self, papers: Sequence[Paper], *, progress: Progress = lambda _: None) -> IndexReport:
        """Index these papers beside those already there. Raises IndexBusy or IndexMismatch."""
        return self.index.update(papers, progress=progress)

    def search(self, question: str, papers: int = 10, options: Options = DEFAULT) -> list[PaperEvidence]:
        """The papers closest to a question, best first, with their sentences weighed; no answer is made."""
        asked = tidy(question)
        if objection(asked):
            return []
        context, (query, hits) = self._find(asked, (), options, "extractive", Stop())
        return list(self.stages.reader.read(query, hits[:papers], context).evidence)

    def rank(self, question: str, options: Options = DEFAULT, *, rerank: bool = True) -> list[Hit]:
        """All papers found, best first, by their best chunk. rerank: False for the order before reranking."""
        _, (_, hits) = self._find(tidy(question), (), options, "extractive", Stop())
        return hits if rerank else sorted(hits, key=lambda hit: (-(hit.fused or 0.0), hit.passage.paper_id))

    def ask(self, question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Answer:
        """Answer one question.

        history: earlier turns, oldest first, that the question may refer to. Raises IndexUnusable, and ProviderError
        if the settings say that a failing model is an error.
        """
        *_, answer = self.stream(question, history, options)
        assert isinstance(answer, Answer), "a stream ends with its answer"
        return answer

    def stream(
        self, question: str, history: Sequence[Turn] = (), options: Options = DEFAULT, stop: Stop | None = None
    ) -> Iterator[StreamEvent]:
        """Yield Retrieved, then pieces of text, a SentenceVerdict for each sentence that was drafted, then the Answer.

        ``rag.told.Told`` puts them together; the Answer has the last word. Closing the iterator stops the model's work.
        stop: does so from any thread; what comes afterwards is not fit to be shown. Raises Stopped.
        """
        asked, mode = tidy(question), self._mode(options)
        refusal = objection(asked)
        if refusal:
            yield self._unsearched(asked, mode, decline(refusal))
            return
        said = recognise(asked, history)
        if wants_no_search(said, mode) and not options.standalone_question:
            yield from self._replied(said, asked, history, mode)
            return
        context, (query, hits) = self._find(asked, history, options, mode, stop or Stop())
        trace, further = context.trace, list[Hit]()
        if query.intent not in (*SEARCHED, "transform"):  # as the model's plan has it, where the wording did not tell
            for event in self._replied(Said(query.intent), asked, history, mode):
                yield (
                    replace(event, usage=context.usage, model=context.model_name, trace=trace.to_dict())
                    if isinstance(event, Answer)
                    else event
                )
            return
        context.search_again = lambda text: self._search_again(text, hits, further, context)
        with trace.stage("rerank"):
            reading = self.stages.reader.read(query, hits[: context.papers_read], context)
            if route(query, reading, context):
                reading = self.stages.reader.read(query, hits[: context.papers_read], context)
            reading = adapted(query, reading, context.policy.answering.comparing)
        trace.note("read", confidence=reading.confidence, verdict=reading.verdict, missing=list(reading.missing))
        trace.score("read", {one.paper.id: one.best.score for one in reading.evidence})
        shown = hits[: max(self.settings.retrieved_papers, options.papers or 0)]
        yield Retrieved(query.standalone, ranked_papers(shown))
        body = yield from self.stages.answerer.answer(query, reading, context)
        body = suggesting(body, reading.evidence, asked, context)
        if body.verdict == "refused" and not body.suggestions:
            body = with_suggestions(body, self._overview().questions)
        notices = list(context.notices)
        if not self.settings.has_model:
            notices.append(NO_MODEL)
        if not context.fitted:
            notices.append(UNFITTED.format(name=self.settings.embed_model))
        trace.note("answer", verdict=body.verdict, mode=context.mode)
        yield replace(
            body.answer(asked, context.mode),
            standalone_question=query.standalone,
            understood_as=_understood(query, context),
            intent=query.intent,
            retrieved=ranked_papers([*shown, *further]),
            model=context.model_name,
            policy_version=context.policy.version,
            usage=context.usage,
            timings_ms=trace.timings_ms(),
            notice=" ".join(notices) or None,
            confidence=reading.confidence,
            trace=trace.to_dict(),
        )

    def conversation(self, history: Sequence[Turn] = ()) -> Conversation:
        """A conversation that remembers its turns, beginning with these."""
        return Conversation(self, history)

    def close(self) -> None:
        """Let go of files and connections."""
        self.collection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _find(
        self, asked: str, history: Sequence[Turn], options: Options, mode: Mode, stop: Stop
    ) -> tuple[Context, tuple[Query, list[Hit]]]:
        """From the question to ranked papers, all on one generation of the collection and one policy."""
        policy, stages = self.policy(), self.stages

        def find(view: View) -> tuple[Context, Query, list[Hit]]:
            context = Context(
                policy, view, options, mode, lambda: self._model(context), self._on_failure, history, stop
            )
            trace = context.trace
            trace.policy, trace.generation = policy.version, view.snapshot.generation
            with trace.stage("rewrite"):
                query = stages.understander.understand(asked, history, context)
            trace.note("understand", **query.described())
            hits = self._ranked(query, context)
            with trace.stage("rerank"):
                hits = stages.recaller.recall(
                    query, hits, lambda text: self._ranked(restated(text, context), context), context
                )
            shown = hits[: policy.retrieval.papers]
            for stage in ("dense", "lexical", "fused"):
                trace.score(stage, {hit.passage.paper_id: getattr(hit, stage) for hit in shown})
            trace.score("reranked", {hit.passage.paper_id: hit.score for hit in shown})
            return context, query, hits

        _, (context, query, hits) = consistently(self.collection, find)
        return context, (query, hits)

    def _ranked(self, query: Query, context: Context) -> list[Hit]:
        stages, trace = self.stages, context.trace
        with trace.stage("retrieve"):
            rankings = stages.retriever.retrieve(query, context)
            chunks = stages.fuser.fuse(query, rankings, context)
        trace.note("retrieve", rankings=[ranking.described() for ranking in rankings], chunks=len(chunks))
        with trace.stage("rerank"):
            return stages.reranker.rerank(query, chunks, context)

    def _search_again(self, text: str, before: Sequence[Hit], found: list[Hit], context: Context) -> Further:
        """Papers that the first search did not show. found: gets them, too."""
        most = context.policy.writing.further_passages
        if not most or not context.view.current:  # papers of another generation do not go with those that were read
            return (), ()
        query = restated(text, context)
        known = {hit.passage.paper_id for hit in before[: context.papers_read]}
        found += [hit for hit in self._ranked(query, context) if hit.passage.paper_id not in known][:most]
        context.trace.note("search again", text=text, papers=[hit.passage.paper_id for hit in found])
        with context.trace.stage("rerank"):
            return self.stages.reader.read(query, found, context).evidence, ranked_papers(found)

    def _mode(self, options: Options) -> Mode:
        mode = options.mode or ("generative" if self.settings.writes else "extractive")
        if mode == "generative" and not self.settings.has_model:
            raise SettingsError(
                "A written answer needs a language model: set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env."
            )
        return mode

    def _model(self, context: Context) -> ChatModel:
        name = context.options.model
        with self._models_lock:
            if name not in self._models:
                self._models[name] = self._open_model(self.settings, name)
        context.model_name = self._models[name].name
        return Stoppable(self._models[name], context.stop)

    def _on_failure(self, error: ProviderError) -> None:
        log.warning("the language model failed: %s", error)
        if self.settings.on_model_failure == "error":
            raise error

    def _overview(self) -> Overview:
        catalog = self.collection.catalog
        generation = catalog.generation()
        if self._overview_of is None or self._overview_of[0] != generation:
            known = list(catalog.fingerprints())
            self._overview_of = (generation, overview(catalog.some(known[:CONSIDERED]), len(known)))
        return self._overview_of[1]

    def _replied(self, said: Said, asked: str, history: Sequence[Turn], mode: Mode) -> Iterator[StreamEvent]:
        """What needs nothing but what is known already."""
        body = reply(said, asked, history, self._overview())
        yield Retrieved(asked, ())
        yield TextDelta(body.text)
        yield replace(self._unsearched(asked, mode, body), intent=said.intent)

    def _unsearched(self, asked: str, mode: Mode, body: Body) -> Answer:
        notice = None if self.settings.has_model else NO_MODEL
        return replace(
            body.answer(asked, mode),
            notice=notice,
            policy_version=self.policy().version,
            timings_ms=Trace().timings_ms(),
        )


def _understood(query: Query, context: Context) -> str | None:
    """What was searched for, where it is not what was typed."""
    learned = [text for text, _ in context.recalled.rewrites]
    searched = learned[0] if learned else query.standalone
    return searched if searched != query.asked else None
