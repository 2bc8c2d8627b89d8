"""The values that flow through Readback: small, frozen, with ids made from content.

Imports the standard library alone, so any module may use them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

Mode = Literal["extractive", "generative"]
Verdict = Literal["answered", "closest", "refused"]
Intent = Literal[  # what somebody wants who says something; "question": an answer from the collection
    "question",
    "summarise",  # one paper of it
    "other_language",  # a question, but not in the language of the papers
    "greeting",
    "thanks",
    "capabilities",  # what can be asked of Readback
    "count",  # how many papers there are
    "overview",  # what the collection is about
    "conversation",  # what was said before
    "transform",  # the last answer in another form
]
State = Literal["verified", "unchecked", "contradicted"]


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper of the collection. Text is already cleaned: plain Unicode, no LaTeX or HTML."""

    id: str  # the outside world's id ("arXiv:1706.03762") or one derived from the title
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    url: str | None = None
    source: str | None = None  # the file or service it came from, for people to read

    @property
    def fingerprint(self) -> str:
        """Hash of everything a reader can see; it changes when the paper must be indexed again."""
        parts = (self.title, self.abstract, "\x1f".join(self.authors), str(self.year), self.url or "")
        return sha256("\x1e".join(parts).encode()).hexdigest()[:16]


def title_id(title: str) -> str:
    """A readable id for a paper that came without one: five title words and a hash of the whole title.

    Case, punctuation and spacing do not count, and the abstract does not enter, so a paper keeps its id
    when its record is imported again or its abstract is corrected.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain)
    if not words:  # a title in another script
        words = ["paper"]
        plain = unicodedata.normalize("NFKC", title).casefold().strip()
    else:
        plain = " ".join(words)
    return "-".join([*words[:5], sha256(plain.encode()).hexdigest()[:6]])


@dataclass(frozen=True, slots=True)
class Passage:
    """One citable span of one abstract: ``abstract[start:start + len(text)] == text``."""

    paper_id: str
    title: str
    start: int  # offset of the first character in the abstract
    text: str

    @property
    def end(self) -> int:
        """Offset just past the last character in the abstract."""
        return self.start + len(self.text)

    @property
    def key(self) -> str:
        """Derived from the content, so the same passage has the same key on every machine."""
        return sha256(f"{self.paper_id}\n{self.start}\n{self.title}\n{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. Scores rank; they are comparable within one result list only."""

    passage: Passage
    score: float  # by which the list is ordered
    dense: float | None = None  # cosine similarity in [-1, 1]; None where dense search did not see it
    lexical: float | None = None  # raw BM25; None where lexical search did not see it
    fused: float | None = None  # of all searches, before reranking


@dataclass(frozen=True, slots=True)
class RetrievedPaper:
    """One row of the ranking of papers, best first, rank from 1."""

    rank: int
    paper_id: str
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact quote: ``abstract[start:end] == quote``, always."""

    marker: int  # the n of [n], from 1: the paper's number in this answer, which all its quotes share
    paper_id: str
    title: str
    quote: str
    start: int
    end: int
    score: float  # how strongly the quote supports what cites it, in [0, 1]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, with the numbers of the papers that carry it, and the quotes of them that do."""

    text: str
    citations: tuple[int, ...]
    supported: bool  # the state is "verified"
    support: float  # in [0, 1]
    state: State = "verified"  # of a written sentence; quotes always are
    quotes: tuple[int, ...] = ()  # places, from 0, in the answer's citations


@dataclass(frozen=True, slots=True)
class Emphasis:
    """A span of an answer's text that holds what was asked for: ``text[start:end]``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens sent and received, and an estimated price; None where the model's price is not known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: Usage) -> Usage:
        unknown = self.cost_usd is None or other.cost_usd is None
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            None if unknown else (self.cost_usd or 0.0) + (other.cost_usd or 0.0),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What Readback says to one question, with everything needed to check it."""

    id: str
    question: str  # as asked
    standalone_question: str  # as searched
    text: str  # what a person reads, with [n] markers
    abstained: bool  # the verdict is "refused"
    abstain_reason: str | None
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]  # each is used by at least one sentence
    retrieved: tuple[RetrievedPaper, ...]  # at least ten papers where the collection has them
    mode: Mode
    model: str | None
    verdict: Verdict = "answered"
    caveat: str | None = None  # with "closest": what may be missing, in one line; it opens the text
    understood_as: str | None = None  # what was searched, where it is not what was typed
    emphasis: tuple[Emphasis, ...] = ()  # the asked-for spans of the text
    intent: Intent = "question"
    policy_version: str = ""
    usage: Usage = Usage()
    timings_ms: Mapping[str, float] = field(default_factory=dict)  # rewrite, retrieve, rerank, answer, verify, total
    notice: str | None = None  # a degraded mode, in one line with what to do about it
    closest: tuple[Citation, ...] = ()  # when refusing: the nearest evidence, if any is near
    suggestions: tuple[str, ...] = ()  # questions the collection can answer
    confidence: float = 0.0  # estimated probability that the collection holds the answer, in [0, 1]
    recorded: bool | None = field(default=None, compare=False)  # whether it is on disk; None: nobody keeps a record
    trace: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)  # see rag.trace

    def places_of(self, sentence: Sentence) -> tuple[int, ...]:
        """Places, from 0, of the citations that carry a sentence. Older records tell them by their markers alone."""
        marked = (place for place, one in enumerate(self.citations) if one.marker in sentence.citations)
        return sentence.quotes or tuple(marked)

    def quotes_of(self, sentence: Sentence) -> list[Citation]:
        """The citations that carry a sentence."""
        return [self.citations[place] for place in self.places_of(sentence)]

    def located(self) -> Iterator[tuple[Sentence, int]]:
        """Each sentence that stands in the text, and the character at which it begins."""
        return located(self.text, self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``readback ask --json`` prints; without the trace."""
        record = asdict(replace(self, trace={}))
        del record["trace"]
        return record


@dataclass(frozen=True, slots=True)
class Turn:
    """One finished exchange of a conversation: what a follow-up may refer to."""

    question: str
    standalone_question: str
    answer: str
    cited: tuple[str, ...] = ()  # titles of the papers cited, in order of their markers
    papers: tuple[str, ...] = ()  # ids of the same papers, where they are known
    citations: tuple[Citation, ...] = ()  # the answer's, where they are known
    intent: Intent = "question"
    judged: tuple[tuple[str, float], ...] = ()  # ids of papers, and what was said of them: from -1, wrong, to 1, right
    edit: str = ""  # the answer as the person wants it

    @classmethod
    def of(cls, answer: Answer) -> Turn:
        """The turn that this answer ends."""
        papers = {citation.paper_id: citation.title for citation in answer.citations}
        return cls(
            answer.question,
            answer.standalone_question,
            answer.text,
            tuple(papers.values()),
            tuple(papers),
            answer.citations,
            answer.intent,
        )


@dataclass(frozen=True, slots=True)
class Options:
    """What one question may ask for beyond its words. The default asks for nothing special."""

    mode: Mode | None = None  # None: written when a model is configured, else quotes
    model: str | None = None  # another model of the configured server
    papers: int | None = None  # maximum number of papers in the answer
    include: frozenset[str] = frozenset()  # if any: answer from these paper ids alone
    exclude: frozenset[str] = frozenset()  # never from these paper ids
    standalone_question: str | None = None  # search for this, skipping the rewriter


@dataclass(frozen=True, slots=True)
class Retrieved:
    """First event of a stream: what was searched for and which papers were found. Comes again with a second search."""

    standalone_question: str
    papers: tuple[RetrievedPaper, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer, to be appended to what was shown before."""

    text: str
    draft: bool = False  # as the model writes it: its sentence is judged by a SentenceVerdict to come


@dataclass(frozen=True, slots=True)
class SentenceVerdict:
    """What became of a drafted sentence, ``drafts[start:end]`` of the deltas that are drafts, joined."""

    start: int
    end: int
    sentence: Sentence | None  # as it reads now, with its state; None: it is taken back
    citations: tuple[Citation, ...] = ()  # those that no sentence before it has used


StreamEvent = Retrieved | TextDelta | SentenceVerdict | Answer  # the Answer is last, and replaces all that was shown


def located(text: str, sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, int]]:
    """Each sentence that stands in a text, and the character at which it begins."""
    place = 0
    for sentence in sentences:
        found = text.find(sentence.text, place)
        if found >= 0:
            yield sentence, found
            place = found + len(sentence.text)


def ranked_papers(hits: Sequence[Hit]) -> tuple[RetrievedPaper, ...]:
    """Hits, best first, as a ranking of distinct papers, each with its best passage's score."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.passage.paper_id, hit)
    return tuple(
        RetrievedPaper(rank, hit.passage.paper_id, hit.passage.title, round(hit.score, 4))
        for rank, hit in enumerate(best.values(), start=1)
    )
