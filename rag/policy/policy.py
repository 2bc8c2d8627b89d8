"""Policy: every number and weight that decides an answer, frozen, loaded from JSON, versioned by its content.

``python -m eval.fit`` fits the weights and writes ``default.json``; learning makes further policies from it. The engine
does not know where a policy came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import SettingsError
from rag.policy.memory import Memory, Recollection
from rag.policy.routing import Routing
from rag.policy.store import version_of

DEFAULT = Path(__file__).with_name("default.json")


class Part(BaseModel):
    """Frozen, and strict about its keys: a misspelt number must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Logistic(Part):
    """Logistic regression over named features."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def probabilities(self, rows: ArrayLike) -> NDArray[np.float64]:
        """rows: [n, features]. Returns n values in [0, 1]."""
        logits = np.asarray(rows, dtype=np.float64) @ np.asarray(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60, 60))))

    def of(self, features: tuple[str, ...]) -> Self:
        """This model, if it is over exactly these features. Raises SettingsError otherwise."""
        if self.features != features:
            raise SettingsError("The policy was fitted for other features than this version computes. Run: make fit")
        return self


class Expansion(Part):
    """Query expansion: words close in meaning that match at a discount. Fitted on development questions."""

    discount: float = Field(ge=0, le=1)  # weight of a perfect expansion; of others: discount * similarity²
    nearest: int = Field(ge=0, le=16)  # maximum number of expansions of one word; the index remembers so many ...
    min_similarity: float = Field(ge=0.2)  # ... of at least this similarity: 0 as any two words, 1 the same word

    def weights(self, similarities: Mapping[str, float]) -> dict[str, float]:
        """Stem → weight in [0, 1]. similarities: stem → similarity, best first."""
        found = {stem: self.discount * one**2 for stem, one in similarities.items() if one >= self.min_similarity}
        return dict(list(found.items())[: self.nearest])


class BM25(Part):
    """The usual values of Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"."""

    k1: float = Field(ge=0)  # how soon a word that comes again counts no more
    b: float = Field(ge=0, le=1)  # how far a long passage must hold it more often


class Spelling(Part):
    """What an error costs, where a missing letter and two swapped ones cost 1. By reasoning on how people type."""

    extra: float = Field(gt=0)  # a letter too many
    substituted: float = Field(gt=0)  # a wrong one
    first: float = Field(ge=0)  # added where the first letter differs: few errors hit it
    elsewhere: float = Field(ge=0)  # added for a word of English that the collection does not have


class Understanding(Part):
    """How a question's words are read. The model is fitted on development questions."""

    many: Logistic  # whether several papers are asked for: from .5
    spelling: Spelling


class Retrieval(Part):
    """Candidate chunks and their fusion."""

    bm25: BM25
    side: float = Field(ge=0, le=0.5)  # share of each of two things compared in the search, beside the whole question
    planned: float = Field(ge=0, le=1)  # share of planned searches together: the whole question would drown them
    dense_weight: float = Field(ge=0, le=1)  # share of dense search in the fused score; fitted on development questions
    chunks: int = Field(ge=10)  # candidates of each search
    papers: int = Field(ge=10)  # papers that the candidates should come from at least; a ranking shows ten and more
    expansion: Expansion


class Rerank(Part):
    """Reranking the best papers by their sentences."""

    depth: int = Field(ge=1)  # papers that are looked at
    sentences: int = Field(ge=1)  # closest sentences that stand for a paper
    sentence_weight: float = Field(ge=0, le=1)  # their share of the new score
    examples: int = Field(ge=1)  # first papers that a list is assumed to consist of (Rocchio's relevant set)
    neighbour_weight: float = Field(ge=0, le=1)  # share of the similarity to them in a list's score
    answer_weight: float = Field(ge=0)  # of the probability that a paper answers, as it is read, beside the score: 1


class Leaning(Part):
    """How far a question leans on what was said before, by its wording: 0 it stands alone, 1 it means nothing without.

    An order of strength by rules of English, in steps; ``shown`` was set on development conversations.
    """

    shown: float = Field(ge=0, le=1)  # from which a question is shown, and answered, with what it was carried over
    counted: float  # "the second one"
    restated: float  # it was made stand-alone before
    opens: float  # "And on which data?", "this method"
    back: float  # "Does it …?"
    points: float  # "the one about …": its own words say which paper is meant
    back_at_itself: float  # a pronoun behind words of substance, which it may stand for
    names: float  # "What is RAPL?"
    brief: float
    otherwise: float


class FollowUps(Part):
    """How much of a conversation goes into the search for its next question."""

    leaning: Leaning
    rare: float = Field(ge=0, le=1)  # rarity from which a new name begins a new topic
    within: float = Field(ge=0)  # added to the score of papers that a question is restricted to: before all others

    lift: float = Field(ge=0)  # added to the score of papers that the last answer cited, if the question leans on it
    carried: float = Field(ge=0, le=1)  # weight of a carried word beside the question's own, in coverage


class CrossEncoding(Part):
    """Reading the best papers with the question in mind: what makes an answer better, at what it costs in time."""

    papers: int = Field(ge=0)  # first papers of the ranking that are read
    sentences: int = Field(ge=1)  # of each, those closest to the question


class Evidence(Part):
    """Which sentences of a paper hold what is asked."""

    papers: int = Field(ge=1)  # papers that are read sentence by sentence
    covered: float = Field(ge=0, le=1)  # how far a paper must hold a word, or expansion of it, not to lack it
    generic_weight: float = Field(ge=0, le=1)  # of a question's generic words ("method"), beside its subject
    model: Logistic  # whether a sentence of the right paper holds the asked-for fact


class Answerability(Part):
    """Whether the collection holds the answer, whether it is about such things at all, and the cuts between bands."""

    model: Logistic  # whether it holds the answer
    answer: float = Field(ge=0, le=1)  # confidence from which it answers, below it offers the closest
    field: Logistic  # whether it is about such things
    closest: float = Field(ge=0, le=1)  # probability of that below which it refuses


class Comparing(Part):
    """Which paper speaks for which of the things compared. By reasoning; whole names need no number."""

    held: float = Field(ge=0, le=1)  # share of its words from which a paper speaks of a thing that has no name
    title: float = Field(ge=0)  # worth of a word in the title, beside one in the text
    both: float = Field(ge=0)  # what a paper loses that speaks of the other thing too: it may name it in passing


class Declining(Part):
    """The closest evidence beside a refusal. Set by looking at refusals of development questions."""

    shown: int = Field(ge=0)  # maximum number of pieces
    near: float  # cosine of question and sentence from which evidence is worth showing ...
    near_by_name: float  # ... if the paper holds a name that the question asks about
    near_by_words: float = Field(ge=0, le=1)  # the same as coverage, for embedders whose cosines it was not set for
    close_behind: float = Field(ge=0, le=1)  # how near to the first paper a second one must come


class Suggesting(Part):
    """Questions to ask next, or instead."""

    most: int = Field(ge=0)  # few, so that checking them takes a few milliseconds
    papers: int = Field(ge=1)  # that they are about
    ahead: float = Field(ge=1)  # of other papers' BM25; from 1.1, 342 of 342 such questions found their paper first


class Answering(Part):
    """The form of an answer made of quotes."""

    sentences: int = Field(ge=1)  # maximum number of sentences from the paper that answers
    words: int = Field(ge=20)  # budget of an answer about one paper; its first sentence is said whatever its length
    also_words: int = Field(ge=0)  # what the runner-up may take beyond it
    runner_up: float = Field(ge=0, le=1)  # share of the best paper's score from which the second comes close
    membership: Logistic  # whether a paper that was read belongs on a list
    list_papers: int = Field(ge=1)  # maximum number of papers on a list
    comparing: Comparing
    declining: Declining
    suggesting: Suggesting


class Quoting(Part):
    """Which sentences a claim is tied to. Weights by reasoning: they choose the quotes, the models judge them."""

    words: float  # of the share of the claim's words that a sentence holds, ...
    cosine: float  # ... of their cosine, ...
    pairs: float  # ... and of the share of its pairs of neighbouring words
    hint: float  # added where the model's own marker names the passage, times the share of words
    gain: float  # how much more of the claim a further quote must hold
    further: float  # share of the best sentence's worth that a further quote has at least
    rival: float  # ... from which a sentence is looked at for a contradiction


class Verification(Part):
    """Two logistic models over rag.verify.features.FEATURES, and two cuts on the weighted product of what they give.

    A claim is supported if the quotes are about it and do not say something else; the two are learned from different
    errors, and what tells one says little about the other. ``python -m eval.lab.fit_verify`` fits them.
    """

    quoting: Quoting
    about: Logistic
    faithful: Logistic
    faithful_weight: float = Field(gt=0)  # exponent of its probability
    contradicted: float = Field(ge=0, le=1)  # support below which a claim fails
    verified: float = Field(ge=0, le=1)  # support from which it stands
    foreign: float = Field(ge=0, le=1)  # how much a clause may say that the abstracts do not speak of
    clear: float = Field(ge=0, le=1)  # share of a claim that its quotes hold, from which one that they deny fails

    def support(self, row: Sequence[float]) -> float:
        """How surely the quotes say what the row describes, in [0, 1]."""
        return float(self.about.probabilities([row])[0] * self.faithful.probabilities([row])[0] ** self.faithful_weight)


class Writing(Part):
    """The written path."""

    passages: int = Field(ge=1)  # maximum number of passages that the model is shown
    small_passages: int = Field(ge=1)  # ... that a small one is shown
    further_passages: int = Field(ge=0)  # ... that a second search adds where the model asks for it; 0: there is none
    repair: bool  # whether the model may rewrite, once, what the abstracts contradict
    history: int = Field(ge=0)  # turns that the rewriter is shown
    prompts: str  # version of the prompts that the numbers were measured with; see rag.prompts.version


class Policy(Part):
    """One frozen set of decisions. Equal content has the equal version on every machine."""

    embedder: str  # name of the embedder that the numbers were fitted for, which holds a hash of its files
    cross_encoder: str  # ... and of the cross-encoder
    understanding: Understanding
    retrieval: Retrieval
    rerank: Rerank
    follow_ups: FollowUps
    cross_encoding: CrossEncoding
    evidence: Evidence
    answerability: Answerability
    unfitted: Answerability  # scale-free: used, with a notice, with any other embedder
    answering: Answering
    verification: Verification
    writing: Writing
    memory: Memory = Memory()  # what was learned about single needs
    rules: tuple[str, ...] = ()  # house rules for written answers that an operator approved
    router: Routing = Routing()  # choice of pipeline or model for each question

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises SettingsError naming file and field."""
        try:
            return cls.of(json.loads(path.read_text(encoding="utf-8")), str(path))
        except OSError as error:
            raise SettingsError(f"The policy {path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise SettingsError(f"The policy {path} is no JSON: {error}.") from error

    @classmethod
    def of(cls, record: Mapping[str, Any], name: str = "in force") -> Self:
        """The policy that ``record`` was called on. Raises SettingsError naming the policy and the field."""
        try:
            return cls.model_validate(record)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            raise SettingsError(f"The policy {name} cannot be used: {where}: {fault['msg']}.") from error

    @classmethod
    def default(cls) -> Policy:
        """The policy that comes with this version."""
        return _default()

    @cached_property
    def version(self) -> str:
        """The first twelve hexadecimal digits of the SHA-256 of the canonical JSON."""
        return version_of(self.record())

    @cached_property
    def recollection(self) -> Recollection:
        """The memory, made ready for questions."""
        return Recollection(self.memory)

    def record(self) -> dict[str, Any]:
        """As JSON: equal policies have equal records."""
        return self.model_dump(mode="json")

    def text(self) -> str:
        """As a file for people to read."""
        return json.dumps(self.record(), indent=1) + "\n"

    def with_parts(self, **parts: object) -> Self:
        """This policy with some parts replaced."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**kept, **parts})  # model_copy would keep the version of the old content


@lru_cache(maxsize=1)
def _default() -> Policy:
    return Policy.read(DEFAULT)
