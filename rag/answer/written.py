"""Answering with a model: its draft verified sentence by sentence, shown as it comes, and mended once where it fails.

Nothing that can be read is thrown away: what the abstracts say is *verified*, what cannot be decided is *unchecked*,
and what they contradict is marked, or left out where the settings say so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from rag.answer.compose import ROW, Composer
from rag.answer.decline import CLOSEST, refuse
from rag.answer.generative import Drafted, Messages, Spent, draft, refuses
from rag.answer.repair import repaired
from rag.answer.second_opinion import ModelVerifier
from rag.errors import ProviderError
from rag.query.language import foreign_language
from rag.stages import Context
from rag.text import without_markers
from rag.tokens import count_tokens
from rag.types import TextDelta
from rag.values.evidence import Body, Claim, PaperEvidence, Reading
from rag.values.query import Query
from rag.verify import EvidenceVerifier, Source, Verdict, Verifier

log = logging.getLogger(__name__)
MARK = " (not supported by the abstracts)"
NOTHING_LEFT = "Nothing that the model wrote could be found in the abstracts."
UNCHECKED = "None of this could be checked against the abstracts."
DECLINED = "The closest papers were read, and they do not hold the answer."
_STATUS = re.compile(
    r"\W{0,5}(?:answers?|status)\W{0,5}:\W{0,5}(full|yes|part|partly|partial|none|no)\W{0,5}(?:search\s?:\W{0,5}(.{0,300}))?",
    re.IGNORECASE,
)
_NOT_COVERED = re.compile(r"\W{0,5}not covered\W{0,5}:\s{0,3}", re.IGNORECASE)

Writing = Generator[TextDelta, None, Body]
OpenVerifier = Callable[[Context], Verifier]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings say about written answers."""

    context_tokens: int
    answer_tokens: int
    keep_unsupported: bool  # marked, instead of left out
    small: bool = False  # the model is small: short rules, few passages
    second_opinion: bool = False  # the model checks its draft, too


def open_verifier(context: Context) -> Verifier:
    """The standard verifier over the collection's embedder and vocabulary."""
    return EvidenceVerifier(context.view.embed_document, context.view.idf, context.policy.verification)


def sources_of(evidence: Sequence[PaperEvidence]) -> list[Source]:
    """The papers as a verifier takes them, numbered as the model saw them."""
    return [Source(one.paper, tuple(each.span for each in one.sentences), one.vectors) for one in evidence]


@dataclass(slots=True)
class _Said:
    """One sentence of a draft with what checking it came to."""

    piece: Drafted
    verdict: Verdict


@dataclass(slots=True)
class _Draft:
    """A draft as far as it has come."""

    said: list[_Said] = field(default_factory=list)
    status: str = ""  # what the model says of the passages: full, part, none
    missing: list[str] = field(default_factory=list)  # what it says is not covered


class Writer:
    """Lets a model write, and verifies what it wrote."""

    def __init__(self, limits: Limits, verifier: OpenVerifier = open_verifier) -> None:
        self._limits = limits
        self._open_verifier = verifier

    def write(
        self, messages: Messages, query: Query, reading: Reading, context: Context, composer: Composer
    ) -> Writing:
        """Yield verified pieces as they come and return the whole, mended where that helped. Raises ProviderError.

        messages: passages → the prompt. composer: empty; what was said is in it if the model fails halfway.
        """
        evidence = reading.evidence[: context.policy.writing.passages]
        small = context.policy.writing.small_passages if self._limits.small else len(evidence)
        shown = evidence[: min(context.options.papers or small, small)]
        verifier, sources = self._open_verifier(context), sources_of(shown)
        model = context.model()
        state = _Draft()
        pieces = draft(
            model,
            messages,
            shown,
            budget=self._limits.context_tokens - self._limits.answer_tokens,
            answer_tokens=self._limits.answer_tokens,
            count_tokens=count_tokens,
            spend=context.spend,
        )
        with closing(pieces):
            for piece in _timed(pieces, context):
                if isinstance(piece, Spent):
                    context.trace.note("answer", passages=piece.passages)
                elif not _noted(piece, state):
                    with context.trace.stage("verify"):
                        (verdict,) = verifier.verify([_claimed(piece)], sources)
                        said = _Said(piece, _judged(piece, verdict, sources))
                    state.said.append(said)
                    delta = self._say(said, composer)
                    if delta is not None:
                        yield delta
        if self._limits.second_opinion and state.said:
            again = ModelVerifier(verifier, model, context.spend, context.notices.append)
            with context.trace.stage("verify"):
                verdicts = again.verify([_claimed(one.piece) for one in state.said], sources)
            for one, verdict in zip(state.said, verdicts, strict=True):
                one.verdict = _judged(one.piece, verdict, sources)
        mended = self._mend(state, verifier, sources, context)
        if mended or self._limits.second_opinion:
            composer = Composer()
            for said in state.said:
                self._say(said, composer)
        return self._body(state, query, reading, context, composer)

    def _say(self, said: _Said, composer: Composer) -> TextDelta | None:
        verdict, piece = said.verdict, said.piece
        lead = _lead(piece, first=not composer.sentences)
        if verdict.kind == "instruction":
            return None
        if verdict.state == "contradicted" and not self._limits.keep_unsupported:
            return None
        quotes = () if verdict.state == "contradicted" else verdict.quotes
        claim = Claim(verdict.text, quotes, verdict.support, lead=lead, state=verdict.state)
        note = MARK if verdict.state == "contradicted" else ""
        return composer.delta(claim, supported=verdict.state == "verified", note=note)

    def _mend(self, state: _Draft, verifier: Verifier, sources: Sequence[Source], context: Context) -> bool:
        """Let the model rewrite, once, what the abstracts contradict. Whether anything was accepted."""
        wrong = [one for one in state.said if one.verdict.state == "contradicted" and one.verdict.kind == "claim"]
        if not wrong or not context.policy.writing.repair or state.status == "none":
            return False
        try:
            with context.trace.stage("answer"):
                found = repaired(context.model(), [(one.piece.text, one.verdict) for one in wrong], context.spend)
        except ProviderError as error:
            log.warning("the model could not mend its answer: %s", error)
            return False
        accepted = False
        for one, text in zip(wrong, found, strict=True):
            if not text:
                continue
            (verdict,) = verifier.verify([text], sources)
            if verdict.state == "verified":
                context.trace.leave_out(one.piece.text, f"rewritten: {one.verdict.why}")
                one.piece, one.verdict, accepted = replace(one.piece, text=text), verdict, True
        return accepted

    def _body(self, state: _Draft, query: Query, reading: Reading, context: Context, composer: Composer) -> Body:
        evidence = reading.evidence[: context.policy.writing.passages]
        dropped = 0
        for one in state.said:
            if one.verdict.state == "contradicted":
                context.trace.leave_out(one.piece.text, one.verdict.why)
                dropped += one.verdict.kind == "instruction" or not self._limits.keep_unsupported
        claims = [one for one in state.said if one.verdict.kind == "claim"]
        if not any(one.verdict.state != "contradicted" for one in claims):
            nothing = DECLINED if state.status == "none" else NOTHING_LEFT
            return refuse(query, evidence, reading.missing, context, nothing)
        if dropped:
            plural = "sentences that the model wrote were" if dropped > 1 else "sentence that the model wrote was"
            context.notices.append(f"{dropped} {plural} left out, because no abstract supports what it says.")
        if state.status in ("part", "none") or state.missing:
            missing = "; ".join(state.missing)
            return composer.body("closest", f"Not covered: {missing}" if missing else CLOSEST)
        if not any(one.verdict.state == "verified" for one in claims):
            return composer.body("closest", UNCHECKED)
        return composer.body("answered")


def _noted(piece: Drafted, state: _Draft) -> bool:
    """Whether a piece speaks of the passages instead of answering: it is kept for the verdict."""
    status = _STATUS.fullmatch(piece.text) if not state.said and not state.status else None
    if status:
        word = status[1].casefold()
        state.status = "full" if word in ("full", "yes") else "none" if word in ("none", "no") else "part"
        return True
    if gap := _NOT_COVERED.match(piece.text):
        state.missing.append(piece.text[gap.end() :].strip().rstrip("."))
        return True
    if refuses(piece.text):
        state.status = "none"
        return True
    return False


def _claimed(piece: Drafted) -> str:
    """What a verifier is given of a piece: the bars of a row are the table's, not the claim's."""
    return piece.text.replace("|", " ") if piece.bullet == ROW else piece.text


def _judged(piece: Drafted, verdict: Verdict, sources: Sequence[Source]) -> Verdict:
    """The verdict on one piece; unchecked, it keeps the closest quotes of the papers that the model cites for it."""
    text, marked = without_markers(piece.text)
    language = foreign_language(text) if verdict.state == "contradicted" and verdict.kind == "claim" else None
    if language:  # neither its names nor its words can be told from what the English abstracts lack
        verdict = replace(verdict, state="unchecked", why=f"the abstracts are in English, and this is in {language}")
    if verdict.state == "unchecked":
        cited = {sources[number - 1].paper.id for number in marked if number <= len(sources)}
        verdict = replace(verdict, quotes=tuple(quote for quote in verdict.quotes if quote.paper.id in cited))
    return replace(verdict, text=text) if piece.bullet == ROW else verdict


def _lead(piece: Drafted, *, first: bool) -> str:
    if piece.bullet:
        return piece.bullet
    return "" if first or not piece.opens else "\n\n"  # else it would go on the list or the table above


def _timed(pieces: Generator[Drafted | Spent], context: Context) -> Iterator[Drafted | Spent]:
    while True:
        with context.trace.stage("answer"):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
