"""Evidence → the body of an answer: quoted or written, verified sentence by sentence, or an abstention."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from rag.answer.abstain import Abstention, abstain
from rag.answer.compose import Composer
from rag.answer.evidence import PaperEvidence
from rag.answer.extractive import quote_answer
from rag.answer.generative import Drafted, Spent, draft, refuses
from rag.errors import ProviderError
from rag.ports import ChatModel
from rag.question import Question
from rag.stopwatch import Stopwatch
from rag.tokens import count_tokens
from rag.types import Mode, Options, TextDelta, Turn, Usage
from rag.verify import Verifier

log = logging.getLogger(__name__)
HOPELESS = 0.35  # share of the threshold below which a model is not even asked
MARK = " (not supported by the abstracts)"
NOTHING_LEFT = "Nothing that the model wrote could be found in the abstracts."
DECLINED = "The closest papers were read, and they do not hold the answer."


@dataclass(slots=True)
class Work:
    """One question on its way through the stages."""

    asked: str
    history: Sequence[Turn]
    options: Options
    mode: Mode
    watch: Stopwatch = field(default_factory=Stopwatch)
    standalone: str = ""
    confidence: float = 0.0  # that the collection holds the answer
    usage: Usage = Usage()
    model: str | None = None
    notices: list[str] = field(default_factory=list)


Body = Composer | Abstention
Responding = Generator[TextDelta, None, Body]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings say about answering."""

    threshold: float  # confidence from which an answer is given
    context_tokens: int
    answer_tokens: int
    keep_unsupported: bool  # marked, instead of dropped


def respond(
    work: Work,
    question: Question,
    evidence: Sequence[PaperEvidence],
    limits: Limits,
    *,
    model: Callable[[], ChatModel],
    verifier: Callable[[Sequence[PaperEvidence]], Verifier],
    on_failure: Callable[[ProviderError], None],
) -> Responding:
    """Yield pieces of the answer, each verified before it is said, and return the whole.

    evidence: best paper first. on_failure: may raise the error, or record it, and then quotes take over.
    """
    written = work.mode == "generative"
    enough = work.confidence >= limits.threshold * (HOPELESS if written else 1.0)
    if not evidence or not enough:
        with work.watch.stage("answer"):
            return abstain(question, evidence)
    if written:
        composer = Composer()
        try:
            return (yield from _write(work, question, evidence, limits, model(), verifier, composer))
        except ProviderError as error:
            on_failure(error)
            work.mode = "extractive"
            if work.confidence < limits.threshold:
                return abstain(question, evidence)
        if composer.text:  # quotes must not be glued to half an answer: the Answer will replace what was shown
            return _whole(_quote(work, question, evidence))
    return (yield from _quote(work, question, evidence))


def _quote(work: Work, question: Question, evidence: Sequence[PaperEvidence]) -> Responding:
    composer = Composer()
    with work.watch.stage("answer"):
        claims = quote_answer(question, evidence, work.options.papers)
    for claim in claims:
        yield TextDelta(composer.add(claim))
    return composer


def _whole(responding: Responding) -> Body:
    """What a responding comes to, with none of its pieces shown."""
    while True:
        try:
            next(responding)
        except StopIteration as end:
            body: Body = end.value
            return body


def _write(
    work: Work,
    question: Question,
    evidence: Sequence[PaperEvidence],
    limits: Limits,
    model: ChatModel,
    verifier: Callable[[Sequence[PaperEvidence]], Verifier],
    composer: Composer,
) -> Responding:
    shown = evidence[: work.options.papers] if work.options.papers else evidence
    judge, dropped = verifier(shown), 0
    budget = limits.context_tokens - limits.answer_tokens
    pieces = draft(
        model, work.standalone, shown, budget=budget, answer_tokens=limits.answer_tokens, count_tokens=count_tokens
    )
    with closing(pieces):
        for piece in _timed(pieces, work.watch):
            if isinstance(piece, Spent):
                work.usage += piece.usage
                continue
            if refuses(piece.text):
                rest = next(pieces, None)
                work.usage += rest.usage if isinstance(rest, Spent) else Usage()
                if composer.sentences:
                    break  # an answer and a refusal: the answer is what was checked
                return abstain(question, evidence, DECLINED)
            with work.watch.stage("verify"):
                verdict = judge.check(piece.text, _lead(piece, first=not composer.sentences))
            if verdict.supported:
                yield TextDelta(composer.add(verdict.claim))
            elif limits.keep_unsupported:
                bare = replace(verdict.claim, quotes=())
                yield TextDelta(composer.add(bare, supported=False, note=MARK))
            else:
                dropped += 1
                log.info("left out an unsupported sentence: %s", verdict.why)
    if not any(sentence.supported for sentence in composer.sentences):
        return abstain(question, evidence, NOTHING_LEFT)
    if dropped:
        plural = "sentences that the model wrote were" if dropped > 1 else "sentence that the model wrote was"
        work.notices.append(f"{dropped} {plural} left out, because no abstract supports what it says.")
    return composer


def _lead(piece: Drafted, *, first: bool) -> str:
    if piece.listed:
        return "- "
    return "" if first or not piece.opens else "\n"


def _timed(pieces: Generator[Drafted | Spent], watch: Stopwatch) -> Iterator[Drafted | Spent]:
    while True:
        with watch.stage("answer"):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
