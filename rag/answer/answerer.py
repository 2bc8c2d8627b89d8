"""Reading → the body of an answer: written by a model and verified where one is configured, else made of quotes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from rag.answer.quoted import quoted
from rag.answer.written import Limits, OpenVerifier, Writer, open_verifier
from rag.errors import ProviderError
from rag.ports import Message
from rag.prompts import SEARCHED_AGAIN, Shown, answer_messages, transform_messages
from rag.stages import Context
from rag.text import without_markers
from rag.types import Retrieved, SentenceVerdict, TextDelta
from rag.values.evidence import Body, PaperEvidence, Reading
from rag.values.query import Query

Answering = Generator[Retrieved | TextDelta | SentenceVerdict, None, Body]


class QuotingAndWritingAnswerer:
    """Quotes, or lets a model write. Whether the passages answer is then the model's to say."""

    def __init__(self, limits: Limits, verifier: OpenVerifier = open_verifier) -> None:
        """verifier: opened once for each written answer."""
        self._limits = limits
        self._writer = Writer(limits, verifier)

    def answer(self, query: Query, reading: Reading, context: Context) -> Answering:
        """Yield pieces of the answer and verdicts on them, and return the whole. Raises ProviderError."""
        trace = context.trace
        if context.mode == "generative" and reading.evidence:
            if query.earlier:  # only the papers that it rests on, in their order
                order = list(query.prior)
                known = sorted(
                    (one for one in reading.evidence if one.paper.id in query.prior),
                    key=lambda one: order.index(one.paper.id),
                )
                reading = replace(reading, evidence=tuple(known))
            complete = len(reading.evidence) == len(query.prior)  # else its markers number other passages
            earlier = query.earlier if complete else _unnumbered(query.earlier)

            def messages(again: bool, papers: Sequence[PaperEvidence]) -> list[Message]:
                if query.earlier:
                    return transform_messages(query.asked, earlier, [shown_to_model(one) for one in papers])
                return answer_messages(
                    query.standalone,
                    [shown_to_model(one) for one in papers],
                    small=self._limits.small,
                    wish=f"{query.wish} {SEARCHED_AGAIN}".strip() if again else query.wish,
                    rules=context.policy.rules,
                    examples=context.recalled.examples[:2],
                )

            try:
                return (yield from self._writer.write(messages, query, reading, context))
            except ProviderError as error:
                context.degrade(error)
        with trace.stage("answer"):
            body, pieces = quoted(query, reading, context)
        yield from (TextDelta(piece) for piece in pieces)
        return body


def _unnumbered(text: str) -> str:
    return "\n".join(without_markers(line)[0] for line in text.splitlines())


def shown_to_model(one: PaperEvidence) -> Shown:
    """A paper as a passage: title, authors and year, and the best chunk."""
    paper = one.paper
    authors = f"{paper.authors[0]} et al." if len(paper.authors) > 2 else " and ".join(paper.authors)
    heading = " · ".join(part for part in (paper.title, authors, str(paper.year or "")) if part)
    return Shown(heading, one.hit.passage.text)
