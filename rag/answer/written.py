"""Answering with a model: its draft verified sentence by sentence, shown as it comes, and mended once where it fails.

Nothing that can be read is thrown away: what the abstracts say is *verified*, what cannot be decided is *unchecked*,
and what they contradict is marked, or left out where the settings say so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

from rag.answer.compose import ROW
from rag.answer.decline import CLOSEST, refuse
from rag.answer.generative import Drafted, Spent, draft
from rag.answer.notes import Notes
from rag.answer.repair import repaired
from rag.answer.second_opinion import ModelVerifier
from rag.answer.telling import Telling
from rag.errors import ProviderError
from rag.ports import Message
from rag.query.language import foreign_language
from rag.stages import Context
from rag.text import inert, marked_places, marker_numbers
from rag.tokens import count_tokens
from rag.types import Retrieved, SentenceVerdict, TextDelta
from rag.values.evidence import Body, Claim, PaperEvidence, Reading
from rag.values.query import Query
from rag.verify import EvidenceVerifier, Source, Verdict, Verifier

log = logging.getLogger(__name__)
MARK = " (not supported by the abstracts)"
NOTHING_LEFT = "Nothing that the model wrote could be found in the abstracts."
FAILED = "The language model failed before it had finished. What it had said by then is kept. {error}"
UNFINISHED = "This is not all: the language model failed before it had finished."
UNCHECKED = "None of this could be checked against the abstracts."
DECLINED = "The closest papers were read, and they do not hold the answer."
Writing = Generator[Retrieved | TextDelta | SentenceVerdict, None, Body]
Prompting = Callable[[bool, Sequence[PaperEvidence]], list[Message]]  # searched again?, papers → the prompt
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
    clauses: tuple[tuple[int, frozenset[str]], ...] = ()  # where the model put its markers, and for which papers


@dataclass(slots=True)
class _Job:
    """One draft as far as it has come."""

    messages: Prompting
    shown: Sequence[PaperEvidence]
    verifier: Verifier
    again: bool = False  # it is the second one, with what was searched for at the model's wish
    said: list[_Said] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    further: Sequence[PaperEvidence] = ()  # what that search found
    failed: bool = False  # halfway

    @property
    def sources(self) -> list[Source]:
        """The papers as the verifier takes them."""
        return sources_of(self.shown)


class Writer:
    """Lets a model write, and verifies what it wrote."""

    def __init__(self, limits: Limits, verifier: OpenVerifier = open_verifier) -> None:
        self._limits = limits
        self._open_verifier = verifier

    def write(self, messages: Prompting, query: Query, reading: Reading, context: Context) -> Writing:
        """Yield the draft as it is written and judged, and return the whole, mended where that helped.

        Where the model asks for it, further papers are searched for once, and it begins again with them. If it fails
        halfway, what was verified by then is kept. Raises ProviderError if there is none.
        """
        evidence = reading.evidence[: context.policy.writing.passages]
        small = context.policy.writing.small_passages if self._limits.small else len(evidence)
        most = min(context.options.papers or small, small)
        shown = evidence[:most]
        job = _Job(messages, shown, self._open_verifier(context))
        telling = Telling(live=self._limits.keep_unsupported)
        try:
            yield from self._draft(job, telling, context)
            if job.further:
                both = (*job.further, *shown)[: context.options.papers]
                job = _Job(messages, both, job.verifier, again=True)
                yield from self._draft(job, telling, context)
        except ProviderError as error:
            if not any(one.verdict.kind == "claim" and one.verdict.state == "verified" for one in job.said):
                raise
            context.on_failure(error)
            context.notices.append(FAILED.format(error=error))
            job.failed = True
        if job.failed:
            return self._body(job, query, reading, context, telling)
        if self._limits.second_opinion and job.said:
            again = ModelVerifier(job.verifier, context.model(), context.spend, context.notices.append)
            with context.trace.stage("verify"):
                verdicts = again.verify([_claimed(one.piece) for one in job.said], job.sources)
            job.said = [_judged(one.piece, each, job.sources) for one, each in zip(job.said, verdicts, strict=True)]
        mended = self._mend(job, context)
        if mended or self._limits.second_opinion:
            telling = Telling(live=False)
            for said in job.said:
                list(self._say(said, telling))
        return self._body(job, query, reading, context, telling)

    def _draft(
        self, job: _Job, telling: Telling, context: Context
    ) -> Iterator[Retrieved | TextDelta | SentenceVerdict]:
        pieces = draft(
            context.model(),
            partial(job.messages, job.again),
            job.shown,
            budget=self._limits.context_tokens - self._limits.answer_tokens,
            answer_tokens=self._limits.answer_tokens,
            count_tokens=count_tokens,
            spend=context.spend,
        )
        with closing(pieces):
            for piece in _timed(pieces, context):
                if isinstance(piece, Spent):
                    context.trace.note("answer", passages=piece.passages)
                elif not piece.whole:
                    yield from telling.grow(piece)
                elif job.notes.take(piece.text, first=not job.said):
                    yield from telling.judged(piece, None)
                    if job.notes.query and not job.said and not job.again:
                        job.further, ranking = context.search_again(job.notes.query)
                        if job.further:  # the draft that has only begun is given up
                            yield Retrieved(job.notes.query, ranking)
                            return
                else:
                    one = _in_table(piece, job.said)
                    with context.trace.stage("verify"):
                        (verdict,) = job.verifier.verify([_claimed(one)], job.sources)
                        said = _judged(one, verdict, job.sources)
                    job.said.append(said)
                    yield from self._say(said, telling)

    def _say(self, said: _Said, telling: Telling) -> Iterator[TextDelta | SentenceVerdict]:
        verdict = said.verdict
        wrong = verdict.state == "contradicted"
        if verdict.kind == "instruction" or (wrong and not self._limits.keep_unsupported):
            yield from telling.judged(said.piece, None)
            return
        claim = Claim(
            verdict.text,
            () if wrong else verdict.quotes,
            verdict.support,
            lead=telling.lead(said.piece),
            state=verdict.state,
            clauses=said.clauses,
        )
        yield from telling.judged(said.piece, claim, note=MARK if wrong else "")

    def _mend(self, job: _Job, context: Context) -> bool:
        """Let the model rewrite, once, what the abstracts contradict. Whether anything was accepted."""
        wrong = [one for one in job.said if one.verdict.state == "contradicted" and one.verdict.kind == "claim"]
        if not wrong or not context.policy.writing.repair or job.notes.status == "none":
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
            piece = replace(one.piece, text=text)
            (verdict,) = job.verifier.verify([_claimed(piece)], job.sources)
            mended = _judged(piece, verdict, job.sources)
            if mended.verdict.state == "verified":
                context.trace.leave_out(one.piece.text, f"rewritten: {one.verdict.why}")
                one.piece, one.verdict, one.clauses = mended.piece, mended.verdict, mended.clauses
                accepted = True
        return accepted

    def _body(self, job: _Job, query: Query, reading: Reading, context: Context, telling: Telling) -> Body:
        evidence = reading.evidence[: context.policy.writing.passages]
        dropped = 0
        for one in job.said:
            if one.verdict.state == "contradicted":
                context.trace.leave_out(one.piece.text, one.verdict.why)
                dropped += one.verdict.kind == "instruction" or not self._limits.keep_unsupported
        claims = [one for one in job.said if one.verdict.kind == "claim"]
        if not any(one.verdict.state != "contradicted" for one in claims):
            nothing = DECLINED if job.notes.status == "none" else NOTHING_LEFT
            return refuse(query, evidence, reading.missing, context, nothing)
        if dropped:
            plural = "sentences that the model wrote were" if dropped > 1 else "sentence that the model wrote was"
            context.notices.append(f"{dropped} {plural} left out, because no abstract supports what it says.")
        composer, missing = telling.composer, "; ".join(job.notes.missing)
        if job.failed:
            return composer.body("closest", UNFINISHED)
        if job.notes.status in ("part", "none") or missing:
            return composer.body("closest", f"Not covered: {missing}" if missing else CLOSEST)
        if not any(one.verdict.state == "verified" for one in claims):
            return composer.body("closest", UNCHECKED)
        return composer.body("answered")


def _in_table(piece: Drafted, before: Sequence[_Said]) -> Drafted:
    """The piece, known for the head of a table if it is one."""
    below = bool(before) and before[-1].piece.bullet == ROW
    return replace(piece, heads=piece.bullet == ROW and not below and not marked_places(piece.text))


def _claimed(piece: Drafted) -> str:
    """What a verifier is given of a piece: the bars of a row are the table's, not the claim's."""
    if piece.heads:
        return ""
    return piece.text.replace("|", " ") if piece.bullet == ROW else piece.text


def _judged(piece: Drafted, verdict: Verdict, sources: Sequence[Source]) -> _Said:
    """The verdict on one piece; unchecked, it keeps the closest quotes of the papers that the model cites for it."""
    text = inert(piece.text)
    language = foreign_language(text) if verdict.state == "contradicted" and verdict.kind == "claim" else None
    if language:  # neither its names nor its words can be told from what the English abstracts lack
        verdict = replace(verdict, state="unchecked", why=f"the abstracts are in English, and this is in {language}")
    cited = [(at, _papers(marker, sources)) for at, marker in marked_places(piece.text)]
    if verdict.state == "unchecked":
        marked = frozenset().union(*(papers for _, papers in cited))
        verdict = replace(verdict, quotes=tuple(quote for quote in verdict.quotes if quote.paper.id in marked))
    end = len(text.rstrip(".!?:;…*_ "))
    return _Said(piece, replace(verdict, text=text), tuple((at, papers) for at, papers in cited if at < end))


def _papers(marker: str, sources: Sequence[Source]) -> frozenset[str]:
    return frozenset(sources[n - 1].paper.id for n in marker_numbers(marker) if 0 < n <= len(sources))


def _timed(pieces: Generator[Drafted | Spent], context: Context) -> Iterator[Drafted | Spent]:
    while True:
        with context.trace.stage("answer"):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
