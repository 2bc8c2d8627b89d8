"""Evidence: sentences and papers weighed for a question, and the claims and quotes that answers consist of."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from rag.ports import Read, Vectors
from rag.text import Span
from rag.types import Answer, Citation, Emphasis, Hit, Mode, Paper, Sentence, State, Verdict


@dataclass(frozen=True, slots=True)
class SentenceEvidence:
    """One sentence of one paper."""

    paper: Paper
    index: int  # of the sentence in the abstract
    span: Span
    stems: frozenset[str]
    cosine: float  # of sentence and question
    score: float  # probability that it holds what is asked, given that its paper is the right one
    features: tuple[float, ...]  # in the order of rag.evidence.weigh.FEATURES

    @property
    def text(self) -> str:
        """The sentence, exactly as it stands in the abstract."""
        return self.span.of(self.paper.abstract)


@dataclass(frozen=True, slots=True)
class PaperEvidence:
    """One retrieved paper with all its sentences, at least one."""

    paper: Paper
    hit: Hit  # its best chunk, with the ranking's scores
    sentences: tuple[SentenceEvidence, ...]
    vectors: Vectors  # [sentences, dimension], rows of unit length
    stems: frozenset[str]  # of title and abstract
    read: Read | None = None  # by the cross-encoder, if the paper is among the first

    @property
    def best(self) -> SentenceEvidence:
        """The sentence most likely to hold what is asked."""
        return max(self.sentences, key=lambda one: (one.score, -one.index))


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the best papers came to."""

    evidence: tuple[PaperEvidence, ...]  # best paper first
    confidence: float  # calibrated probability that the collection holds the answer, in [0, 1]
    verdict: Verdict
    missing: tuple[str, ...]  # what is asked for and not in the best paper, as it was typed


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of one abstract: ``paper.abstract[start:end]``, whole sentences."""

    paper: Paper
    start: int
    end: int
    score: float  # in [0, 1]

    @property
    def text(self) -> str:
        """The quoted text."""
        return self.paper.abstract[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer before it has markers: its text and the quotes that carry it."""

    text: str
    quotes: tuple[Quote, ...]
    support: float  # in [0, 1]
    lead: str = ""  # goes before the sentence: names the paper, or begins a paragraph or a list item
    note: str = ""  # goes after the markers
    state: State = "verified"
    emphasis: tuple[tuple[int, int], ...] = ()  # spans of the text that hold what was asked for
    clauses: tuple[tuple[int, frozenset[str]], ...] = ()  # ends of clauses in the text, with ids of papers cited there


@dataclass(frozen=True, slots=True)
class Body:
    """An answer without its circumstances."""

    verdict: Verdict
    text: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    emphasis: tuple[Emphasis, ...] = ()
    reason: str | None = None  # of a refusal, or the caveat of what is closest
    closest: tuple[Citation, ...] = ()  # with a refusal: the nearest evidence, if any is near
    suggestions: tuple[str, ...] = ()  # questions that the collection can answer

    def answer(self, asked: str, mode: Mode) -> Answer:
        """The answer to this question, with the circumstances that it has where nothing was searched for."""
        refused = self.verdict == "refused"
        return Answer(
            id=uuid.uuid4().hex,
            question=asked,
            standalone_question=asked,
            text=self.text,
            abstained=refused,
            abstain_reason=self.reason if refused else None,
            sentences=self.sentences,
            citations=self.citations,
            retrieved=(),
            mode=mode,
            model=None,
            verdict=self.verdict,
            caveat=self.reason if self.verdict == "closest" else None,
            emphasis=self.emphasis,
            closest=self.closest,
            suggestions=self.suggestions,
        )
