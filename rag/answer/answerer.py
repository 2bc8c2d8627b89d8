"""Reading → the body of an answer: quoted, or written and verified sentence by sentence, or a refusal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rag.answer.compose import Composer
from rag.answer.decline import caveat, refuse
from rag.answer.extractive import quote_answer
from rag.answer.generative import Drafted, Spent, draft, refuses
from rag.answer.sides import absent
from rag.errors import ProviderError
from rag.stages import Context
from rag.tokens import count_tokens
from rag.trace import Trace
from rag.types import TextDelta
from rag.values.evidence import Body, PaperEvidence, Reading
from rag.values.query import Query
from rag.verify.lexical import Verifier

log = logging.getLogger(__name__)
MARK = " (not supported by the abstracts)"
NOTHING_LEFT = "Nothing that the model wrote could be found in the abstracts."
NOTHING_ABOUT = "Nothing here about “{side}”."
DECLINED = "The closest papers were read, and they do not hold the answer."

Answering = Generator[TextDelta, None, Body]
OpenVerifier = Callable[[Sequence[PaperEvidence], Context], Verifier]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings say about written answers."""

    context_tokens: int
    answer_tokens: int
    keep_unsupported: bool  # marked, instead of dropped


def open_verifier(evidence: Sequence[PaperEvidence], context: Context, kind: type[Verifier] = Verifier) -> Verifier:
    """The verifier of a draft that was made from these papers."""
    vectors = [one.vectors for one in evidence]
    return kind(evidence, vectors, context.view.embed_alike, context.view.idf)


class QuotingAndWritingAnswerer:
    """Quotes, or lets a model write where one is configured and verifies what it wrote."""

    def __init__(self, limits: Limits, verifier: OpenVerifier = open_verifier) -> None:
        """verifier: called with the papers that the model was shown."""
        self._limits = limits
        self._verifier = verifier

    def answer(self, query: Query, reading: Reading, context: Context) -> Answering:
        """Yield pieces of the answer, each verified before it is said, and return the whole. Raises ProviderError."""
        trace = context.trace
        if context.mode == "generative" and reading.evidence and reading.confidence >= context.policy.writing.hopeless:
            composer = Composer()
            try:
                return (yield from self._write(query, reading, context, composer))
            except ProviderError as error:
                context.degrade(error)
            if composer.text:  # quotes must not be glued to half an answer: the Answer will replace what was shown
                with trace.stage("answer"):
                    return _quoted(query, reading, context)[0]
        with trace.stage("answer"):
            body, pieces = _quoted(query, reading, context)
        yield from (TextDelta(piece) for piece in pieces)
        return body

    def _write(self, query: Query, reading: Reading, context: Context, composer: Composer) -> Answering:
        limits, evidence = self._limits, reading.evidence[: context.policy.writing.passages]
        shown = evidence[: context.options.papers] if context.options.papers else evidence
        judge, dropped = self._verifier(shown, context), 0
        model = context.model()
        pieces = draft(
            model,
            query.standalone,
            shown,
            budget=limits.context_tokens - limits.answer_tokens,
            answer_tokens=limits.answer_tokens,
            count_tokens=count_tokens,
            spend=context.spend,
        )
        with closing(pieces):
            for piece in _timed(pieces, context.trace):
                if isinstance(piece, Spent):
                    context.trace.note("answer", passages=piece.passages)
                    continue
                if refuses(piece.text):
                    if composer.sentences:
                        break  # an answer and a refusal: the answer is what was checked
                    return refuse(query, evidence, reading.missing, DECLINED)
                with context.trace.stage("verify"):
                    verdict = judge.check(piece.text, _lead(piece, first=not composer.sentences))
                if verdict.supported:
                    yield composer.delta(verdict.claim)
                    continue
                context.trace.leave_out(piece.text, verdict.why)
                if limits.keep_unsupported:
                    bare = replace(verdict.claim, quotes=())
                    yield composer.delta(bare, supported=False, note=MARK)
                else:
                    dropped += 1
                    log.info("left out an unsupported sentence: %s", verdict.why)
        if not any(sentence.supported for sentence in composer.sentences):
            return refuse(query, evidence, reading.missing, NOTHING_LEFT)
        if dropped:
            plural = "sentences that the model wrote were" if dropped > 1 else "sentence that the model wrote was"
            context.notices.append(f"{dropped} {plural} left out, because no abstract supports what it says.")
        return composer.body("answered")


def _quoted(query: Query, reading: Reading, context: Context) -> tuple[Body, list[str]]:
    """An answer made of quotes, and the pieces that its text consists of."""
    if reading.verdict == "refused" or not reading.evidence:
        return refuse(query, reading.evidence, reading.missing), []
    composer, pieces, reason = Composer(), [], None
    if reading.verdict == "closest":
        reason = caveat(query, reading.missing)
        pieces.append(composer.say(reason))
    claims = quote_answer(query, reading.evidence, context.policy.answering, context.options.papers)
    pieces += [composer.add(claim) for claim in claims]
    pieces += [composer.say(NOTHING_ABOUT.format(side=side)) for side in absent(query, reading.evidence)]
    return composer.body(reading.verdict, reason), pieces


def _lead(piece: Drafted, *, first: bool) -> str:
    if piece.listed:
        return "- "
    return "" if first or not piece.opens else "\n"


def _timed(pieces: Generator[Drafted | Spent], trace: Trace) -> Iterator[Drafted | Spent]:
    while True:
        with trace.stage("answer"):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
