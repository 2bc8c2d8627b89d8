"""The forms of OpenAI's chat completions that Readback speaks, and how an Answer becomes one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import QuestionError
from rag.types import Answer, Citation, Mode, Sentence
from ui.api.asking import AskOptions

MODELS: dict[str, Mode | None] = {"readback": None, "readback-quotes": "extractive", "readback-written": "generative"}


Spans = Sequence[tuple[Sentence, int, int]]  # sentences, with where they stand in the message


class Part(BaseModel):
    """One part of a message."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """One message. Those of roles other than user and assistant are read over: nothing in them changes an answer."""

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | list[Part] | None = None

    def words(self) -> str:
        """The text of the message. Raises QuestionError if it holds anything else."""
        if isinstance(self.content, list):
            if any(part.type != "text" for part in self.content):
                raise QuestionError("Readback reads text only: leave pictures, sound and files out.")
            return "\n".join(part.text or "" for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream brings along."""

    model_config = ConfigDict(extra="allow")

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A chat. Parameters of OpenAI's that are not listed, like temperature, are accepted and do nothing."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(description="readback, readback-quotes or readback-written: see GET /v1/models.")
    messages: list[ChatMessage] = Field(
        min_length=1, description="The last one is the question; the rest is its history."
    )
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = Field(default=None, description="There is one answer to a question.")
    readback: AskOptions = Field(default=AskOptions(), description="Readback's own options.")


class UrlCitation(BaseModel):
    """As in OpenAI's API. The offsets are those of the marker in the message."""

    start_index: int
    end_index: int
    title: str
    url: str


class PaperCitation(BaseModel):
    """A quote that a marker rests on: ``abstract[start:end] == quote``. All quotes of a paper share its marker."""

    marker: int
    paper_id: str
    title: str
    quote: str
    start: int
    end: int
    score: float
    start_index: int = Field(description="Where the marker begins in the message.")
    end_index: int


class Annotation(BaseModel):
    """One quote at one marker: a url_citation where the paper has an address, else a paper_citation."""

    type: Literal["url_citation", "paper_citation"]
    url_citation: UrlCitation | None = None
    paper_citation: PaperCitation


class ReplyMessage(BaseModel):
    """The answer as a message."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one choice."""

    index: int = 0
    message: ReplyMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class TokenUsage(BaseModel):
    """Tokens of the model behind the answer; none where it was made of quotes."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """An answer in the form of OpenAI's chat completions."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: TokenUsage
    readback: Answer = Field(description="Readback's own Answer: sentences, citations, retrieved papers and more.")


class Model(BaseModel):
    """A way to have questions answered."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["readback"] = "readback"


class ModelList(BaseModel):
    """All ways there are."""

    object: Literal["list"] = "list"
    data: list[Model]


def exchanges(messages: list[ChatMessage]) -> tuple[list[tuple[str, str]], str]:
    """Earlier (question, answer) pairs, and the question. Raises QuestionError unless the last word is the user's."""
    said = [message for message in messages if message.role in ("user", "assistant")]
    if not said or said[-1].role != "user":
        raise QuestionError("The last message must be the user's question.")
    pairs: list[tuple[str, str]] = []
    for message in said[:-1]:
        if message.role == "user":
            pairs.append((message.words(), ""))
        elif pairs:  # an assistant that speaks first has not been asked anything
            question, answer = pairs[-1]
            pairs[-1] = question, f"{answer}\n{message.words()}" if answer else message.words()
    return [(question, answer) for question, answer in pairs if question.strip()], said[-1].words()


MARKER = re.compile(r"\[(\d{1,4})\]")


def whole(answer: Answer) -> tuple[str, Spans]:
    """The text of an answer, and its sentences with where they stand in it."""
    return answer.text, [(one, begin, begin + len(one.text)) for one, begin in answer.located()]


def verdict(sentence: Sentence, start: int, end: int) -> dict[str, Any]:
    """What checking one sentence came to, which is ``message[start:end]``."""
    return {"start": start, "end": end, "state": sentence.state, "citations": list(sentence.citations)}


def annotations_of(
    answer: Answer, said: str, spans: Spans, message: str, urls: dict[str, str | None]
) -> list[Annotation]:
    """One for each marker in the message and each quote of its paper that the sentence rests on, in order.

    said: the message before it was escaped, with its markers elsewhere. spans: where the sentences stand in it.
    urls: paper id -> address, if it has one.
    """
    written = (place.start() for place in MARKER.finditer(said))
    shown = dict(zip(written, (place.span() for place in MARKER.finditer(message)), strict=True))
    return [
        _annotation(citation, *shown[start + place.start()], urls.get(citation.paper_id))
        for sentence, start, end in spans
        for place in MARKER.finditer(said[start:end])
        for citation in answer.quotes_of(sentence)
        if citation.marker == int(place[1]) and not _quoted(said[start:end], place.start(), answer)
    ]


def _quoted(text: str, place: int, answer: Answer) -> bool:
    """Whether a marker stands in a paper's own words, where it refers to something else."""
    words = {words for one in answer.citations for words in (one.quote, one.title)}
    return any(start <= place < start + len(one) for one in words if (start := text.find(one)) >= 0)


def _annotation(citation: Citation, start: int, end: int, url: str | None) -> Annotation:
    paper = PaperCitation(
        marker=citation.marker,
        paper_id=citation.paper_id,
        title=citation.title,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
        score=citation.score,
        start_index=start,
        end_index=end,
    )
    if url is None:
        return Annotation(type="paper_citation", paper_citation=paper)
    link = UrlCitation(start_index=start, end_index=end, title=citation.title, url=url)
    return Annotation(type="url_citation", url_citation=link, paper_citation=paper)


def token_usage(answer: Answer) -> TokenUsage:
    """The tokens of an answer."""
    usage = answer.usage
    return TokenUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
    )


def chunk(head: dict[str, Any], delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One piece of a streamed completion. head: id, created and model."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"object": "chat.completion.chunk", **head, "choices": [choice], **more}
