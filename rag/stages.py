"""The stages of the pipeline as Protocols with one verb each, and the context that they share.

A stage is replaced by passing another one to ``Assistant``; the evaluation finds the stage to blame that way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.collection import View
from rag.errors import ProviderError
from rag.policy import Policy
from rag.policy.memory import NOTHING, Recalled
from rag.ports import ChatModel
from rag.stopping import Stop
from rag.trace import Trace
from rag.types import Hit, Mode, Options, Retrieved, RetrievedPaper, SentenceVerdict, TextDelta, Turn, Usage
from rag.values.evidence import Body, PaperEvidence, Reading
from rag.values.query import Query
from rag.values.ranking import Ranking

Further = tuple[Sequence[PaperEvidence], tuple[RetrievedPaper, ...]]  # papers read, and the ranking they come from
FindAgain = Callable[[str], list[Hit]]  # a wording → papers, best first


@dataclass(slots=True)
class Context:
    """What all stages of one answer have in common: one policy, one generation of the collection, one trace."""

    policy: Policy
    view: View
    options: Options
    mode: Mode
    model: Callable[[], ChatModel]  # opened when it is first needed
    on_failure: Callable[[ProviderError], None]  # raises if the settings say that a failing model is an error
    history: Sequence[Turn] = ()  # of the conversation, oldest turn first
    stop: Stop = field(default_factory=Stop)  # of all the model's streams
    trace: Trace = field(default_factory=Trace)
    usage: Usage = Usage()
    model_name: str | None = None  # of the model that took part
    notices: list[str] = field(default_factory=list)
    search_again: Callable[[str], Further] = lambda _: ((), ())  # papers that a text finds and the first search did not
    recalled: Recalled = NOTHING  # what the policy's memory says about this question

    @property
    def papers_read(self) -> int:
        """How many papers are read: a model is shown more than quotes are taken from."""
        policy = self.policy
        return max(policy.evidence.papers, policy.writing.passages if self.mode == "generative" else 0)

    @property
    def fitted(self) -> bool:
        """Whether the policy's numbers were fitted for the embedder: if not, no cosine is compared with one of them."""
        return self.policy.embedder == self.view.collection.embedder

    def spend(self, usage: Usage) -> None:
        """Count what a call of the model took."""
        self.usage += usage

    def degrade(self, error: ProviderError) -> None:
        """Go on with quotes, visibly; or raise, if the settings say so."""
        self.on_failure(error)
        self.mode, self.model_name = "extractive", None
        self.notices[:] = [f"The language model failed, so the answer is made of quotes. {error}"]


class Understander(Protocol):
    """Question and conversation → Query."""

    def understand(self, asked: str, history: Sequence[Turn], context: Context) -> Query:
        """asked: tidied. history: oldest turn first. Raises ProviderError if the settings say so."""
        ...


class Retriever(Protocol):
    """Query → rankings of chunks, one for each search and method."""

    def retrieve(self, query: Query, context: Context) -> list[Ranking]:
        """Raises IndexUnusable."""
        ...


class Fuser(Protocol):
    """Rankings → one ranking of chunks, with their texts."""

    def fuse(self, query: Query, rankings: Sequence[Ranking], context: Context) -> list[Hit]:
        """Best first; score in [0, 1] but for what a prior adds."""
        ...


class Reranker(Protocol):
    """Puts papers into a better order."""

    def rerank(self, query: Query, hits: Sequence[Hit], context: Context) -> list[Hit]:
        """One hit a paper, its best chunk, best paper first."""
        ...


class Recaller(Protocol):
    """Lets what is remembered of like questions have its say."""

    def recall(self, query: Query, hits: list[Hit], search: FindAgain, context: Context) -> list[Hit]:
        """hits: one a paper, best first. search: the same stages for another wording. Sets ``context.recalled``."""
        ...


class Reader(Protocol):
    """Reads the best papers: which sentences bear on the question, and is it answered at all?"""

    def read(self, query: Query, hits: Sequence[Hit], context: Context) -> Reading:
        """hits: one a paper, best first."""
        ...


class Answerer(Protocol):
    """Reading → an answer."""

    def answer(
        self, query: Query, reading: Reading, context: Context
    ) -> Generator[Retrieved | TextDelta | SentenceVerdict, None, Body]:
        """Yield pieces of the answer and verdicts on them, and return the whole. Raises ProviderError."""
        ...
