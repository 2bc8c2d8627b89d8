"""Language models behind any OpenAI-compatible server, as a ChatModel."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pydantic import SecretStr

from rag.errors import ContextTooLong, ProviderBusy, ProviderRefused
from rag.openai_client import Failure, Server, UnusableReply, request_errors, sendable
from rag.ports import ChatModel, Message
from rag.pricing import cost_usd
from rag.tokens import count_tokens
from rag.types import Usage

if TYPE_CHECKING:
    from rag.settings import Settings

LIMIT_REACHED = "length"  # the finish_reason of an answer that stopped at max_tokens or at the end of the context
TOKEN_CHARS = 16  # of a token, on average, at the very most: what a text is read to, whatever its server sends
TOKENS_PER_MESSAGE = 4  # what a chat template adds, roughly; used only where the server does not count
MAY_BE_REFUSED = ("stream_options", "temperature", "max_tokens", "response_format")  # by some servers or models
OF_A_SCHEMA = ("response_format", "json_schema", "grammar", "structured output")  # how servers name what they refuse
Schema = Mapping[str, Any]  # a JSON schema


@dataclass(slots=True)
class _Progress:
    """How far one answer has come. Shared by the stream and its generator, so that neither holds the other."""

    finish_reason: str | None = None
    pieces: list[str] = field(default_factory=list)
    usage: tuple[int, int] | None = None  # prompt and completion tokens, as the server counted
    closed: bool = False  # nobody wants more of it
    connection: Any = None  # the socket that it comes through, while it does
    lock: threading.Lock = field(default_factory=threading.Lock)  # of the connection


class ChatStream(Iterator[str | Usage]):
    """Pieces of text as they are written, then one Usage.

    ``finish_reason`` is known at the end: "stop", "length" if the text is cut at the token limit, or what else the
    server says. Dropping the stream closes it.
    """

    def __init__(self, pieces: Iterator[str | Usage], progress: _Progress) -> None:
        self._pieces = pieces
        self._progress = progress

    def __next__(self) -> str | Usage:
        item = next(self._pieces)
        if self._progress.closed:  # by another thread, while this one waited for the piece
            close_stream(self._pieces)
            raise StopIteration
        return item

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped; None before the end."""
        return self._progress.finish_reason

    def close(self) -> None:
        """Close the connection, which ends the work at the server; also from another thread, while one waits in it.

        A server that has not begun to reply yet is left when it does.
        """
        self._progress.closed = True
        with self._progress.lock, suppress(OSError):  # that it has ended by itself
            if self._progress.connection is not None:  # wakes up the thread that reads from it
                socket.socket.shutdown(self._progress.connection, socket.SHUT_RDWR)
        close_stream(self._pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OpenAIChat:
    """A ChatModel over OpenAI or any server that speaks its protocol. One instance serves many threads at once."""

    def __init__(
        self,
        model: str,
        api_key: SecretStr | None = None,
        base_url: str | None = None,
        *,
        timeout_s: float = 60.0,
        longest_s: float = 120.0,
        retries: int = 2,
        temperature: float | None = 0.0,
        prices: tuple[float, float] | None = None,
        structured: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """base_url: None for OpenAI. timeout_s: longest silence of the server, in seconds; longest_s: of a whole text.

        retries: further tries after 429, 5xx and lost connections, before the first word; none after a time-out,
        since the user has waited long enough. temperature: None leaves it to the server.
        prices: dollars per million tokens of prompts and completions; None for list prices, where they are known.
        structured: whether the server is asked to keep to a schema, where a caller has one.
        Raises SettingsError if there is neither a key nor a base_url, or one of them cannot be right.
        """
        self._temperature, self._longest_s, self._prices = temperature, longest_s, prices
        self._structured = structured
        self._omitted: frozenset[str] = frozenset()  # parameters that this server has refused
        self._server = Server(
            "language model",
            model,
            "READBACK_CHAT_MODEL",
            api_key=api_key,
            base_url=base_url,
            timeout_s=timeout_s,
            longest_s=longest_s,
            retries=retries,
            sleep=sleep,
        )

    @classmethod
    def from_settings(cls, settings: Settings, model: str | None = None) -> OpenAIChat:
        """The model that the settings name, or another one of the same server."""
        return cls(
            model or settings.chat_model,
            settings.openai_api_key,
            settings.openai_base_url,
            timeout_s=settings.timeout_s,
            longest_s=settings.answer_s,
            prices=settings.prices,
            structured=settings.structured_output,
            retries=settings.retries,
        )

    def __repr__(self) -> str:
        return f"OpenAIChat({self.name!r} at {self._server.url})"

    @property
    def name(self) -> str:
        """The model's name, as the provider knows it."""
        return self._server.model

    def stream(self, messages: Sequence[Message], *, max_tokens: int, schema: Schema | None = None) -> ChatStream:
        """Yield pieces of text as they are written, then one Usage. The request is sent when the first is asked for.

        schema: of the JSON that is to be written; servers that know no schemas write what they make of the messages.
        An answer that reaches max_tokens just ends; ``hit_limit(stream)`` then tells so.
        Raises ProviderRefused, ProviderBusy or ContextTooLong, also halfway; never anything that holds the key.
        """
        progress = _Progress()
        clean = [Message(role=message["role"], content=sendable(message["content"])) for message in messages]
        return ChatStream(self._write(clean, max_tokens, progress, schema if self._structured else None), progress)

    def _write(
        self, messages: list[Message], max_tokens: int, progress: _Progress, schema: Schema | None
    ) -> Iterator[str | Usage]:
        tries = 0
        while not progress.closed:
            failure = None
            omitted = self._omitted
            try:
                yield from self._request(self._body(messages, max_tokens, omitted, schema), progress)
            except request_errors() as error:
                failure = self._server.failure(error)
            if progress.closed:
                return
            if progress.finish_reason is not None:
                break  # the answer is whole, even if the connection broke after it
            if progress.pieces:
                raise self._cut_off(failure)
            failure = failure or self._server.unusable("an empty stream", again=True)
            if refused := _refused_parameters(failure) - omitted:
                self._omitted |= refused
                continue
            tries += 1
            if not self._server.pause(failure, tries):
                raise failure.error
        if not progress.pieces:
            raise self._wrote_nothing(progress.finish_reason, max_tokens)
        yield self._usage(messages, progress)

    def _body(
        self, messages: list[Message], max_tokens: int, omitted: frozenset[str], schema: Schema | None
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.name, "messages": messages, "stream": True}
        # reasoning models refuse the old name of the limit, most other servers know no other
        body["max_completion_tokens" if "max_tokens" in omitted else "max_tokens"] = max_tokens
        if self._temperature is not None and "temperature" not in omitted:
            body["temperature"] = self._temperature
        if "stream_options" not in omitted:
            body["stream_options"] = {"include_usage": True}
        if schema is not None and "response_format" not in omitted:
            named = {"name": "reply", "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return body

    def _request(self, body: dict[str, Any], progress: _Progress) -> Iterator[str]:
        create: Any = self._server.client().chat.completions.create  # its overloads do not take a dict
        with closing(create(**body)) as reply:
            if "html" in reply.response.headers.get("content-type", ""):
                raise UnusableReply("a web page")
            line = reply.response.extensions.get("network_stream")
            with progress.lock:
                progress.connection = line.get_extra_info("socket") if line else None
            try:
                if not progress.closed:
                    yield from self._pieces(reply, progress)
            finally:  # the next request may use it
                with progress.lock:
                    progress.connection = None

    def _pieces(self, reply: Any, progress: _Progress) -> Iterator[str]:
        until = time.monotonic() + self._longest_s
        for chunk in reply:
            if progress.closed:
                return
            if time.monotonic() > until:
                raise ProviderBusy(f"The language model wrote for longer than {self._longest_s:g} s.")
            progress.usage = _counted(chunk) or progress.usage
            choices = getattr(chunk, "choices", None)
            if not isinstance(choices, list) or not choices:
                continue  # the last chunk holds the usage alone; some servers open with an empty one
            piece = getattr(getattr(choices[0], "delta", None), "content", None)
            reason = getattr(choices[0], "finish_reason", None)
            if isinstance(piece, str) and piece:
                progress.pieces.append(piece)
                yield piece
            if isinstance(reason, str) and reason:
                progress.finish_reason = reason

    def _wrote_nothing(self, finish_reason: str | None, max_tokens: int) -> ProviderRefused | ProviderBusy:
        if finish_reason == LIMIT_REACHED:
            return ProviderRefused(
                f"The model {self.name!r} used up its {max_tokens} tokens before it wrote a word: "
                "raise READBACK_ANSWER_TOKENS."
            )
        if finish_reason == "content_filter":
            return ProviderRefused("The provider's content filter stopped the answer: please ask in other words.")
        return ProviderBusy(f"The model {self.name!r} sent nothing usable: an empty answer. Please ask again.")

    def _cut_off(self, failure: Failure | None) -> ProviderBusy | ContextTooLong:
        """The error for an answer that ended halfway. failure: None if the stream just stopped."""
        if failure is None or isinstance(failure.error, ProviderRefused):
            return ProviderBusy(f"The answer was cut off: {self._server.url} ended it halfway. Please ask again.")
        if isinstance(failure.error, ContextTooLong):
            return failure.error
        return ProviderBusy(f"The answer was cut off. {failure.error}")

    def _usage(self, messages: Sequence[Message], progress: _Progress) -> Usage:
        if progress.usage is None:
            prompt = sum(count_tokens(message["content"]) + TOKENS_PER_MESSAGE for message in messages)
            completion = count_tokens("".join(progress.pieces))
        else:
            prompt, completion = progress.usage
        if self._prices is not None:
            return Usage(prompt, completion, (prompt * self._prices[0] + completion * self._prices[1]) / 1_000_000)
        return Usage(prompt, completion, cost_usd(self.name, prompt, completion, local=self._server.local))


def complete(
    model: ChatModel, messages: Sequence[Message], max_tokens: int, schema: Schema | None = None
) -> tuple[str, Usage]:
    """The whole text at once, and what it took. schema: of its JSON, for models that keep to one.

    Raises ProviderError.
    """
    pieces: list[str] = []
    usage, room = Usage(), max_tokens * TOKEN_CHARS
    if schema is not None and isinstance(model, OpenAIChat):
        stream: Iterator[str | Usage] = model.stream(messages, max_tokens=max_tokens, schema=schema)
    else:
        stream = model.stream(messages, max_tokens=max_tokens)
    for item in stream:
        if isinstance(item, Usage):
            usage = item
            continue
        pieces.append(item)
        room -= len(item)
        if room < 0:  # its server does not keep to the limit
            close_stream(stream)
            break
    return "".join(pieces), usage


def hit_limit(stream: Iterator[str | Usage]) -> bool:
    """Whether a finished stream ended at its token limit, so that its last sentence may be half a one.

    Works on any ChatModel's stream; one that does not tell counts as whole.
    """
    return getattr(stream, "finish_reason", None) == LIMIT_REACHED


def close_stream(stream: Iterator[str | Usage]) -> None:
    """Close a ChatModel's stream, if it can be closed; no error if another thread is reading from it."""
    close = getattr(stream, "close", None)
    if close is None:
        return
    try:
        close()
    except ValueError as error:  # how a generator says that it is running
        if "already executing" not in str(error):
            raise


def _refused_parameters(failure: Failure) -> frozenset[str]:
    """Parameters that the server names in its refusal, and that a second try can do without."""
    if failure.status not in (400, 422) or isinstance(failure.error, ContextTooLong):
        return frozenset()
    refused = {name for name in MAY_BE_REFUSED if name in failure.reason}
    if any(name in failure.reason.casefold() for name in OF_A_SCHEMA):
        refused.add("response_format")
    return frozenset(refused)


def _counted(chunk: object) -> tuple[int, int] | None:
    usage = getattr(chunk, "usage", None)
    prompt, completion = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if isinstance(prompt, int) and isinstance(completion, int):
        return prompt, completion
    return None
