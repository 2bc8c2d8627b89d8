"""The way to an OpenAI-compatible server, for chat and embeddings alike: connecting, failing, trying again.

The only module that imports openai, and only when the first request is made: that takes a second.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import re
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from rag.errors import ContextTooLong, ProviderBusy, ProviderError, ProviderRefused, SettingsError

if TYPE_CHECKING:
    import httpx
    import openai

log = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
PLACEHOLDER_KEY = "no-key-needed"  # openai insists on a key; servers without keys ignore it
CONNECT_S = 10.0  # longest wait for a connection; the rest of the time-out is for the answer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0  # between tries; doubles from one to the other
REASON_CHARS = 200  # of what the server said, in our messages

TOO_LONG = (  # how servers say that a text does not fit: OpenAI and vLLM, llama.cpp (chat, embeddings), TEI, others
    "context length",
    "context_length_exceeded",
    "context size",
    "exceed_context_size",
    "context window",
    "maximum input length",
    "too large to process",
    "must have less than",
    "prompt is too long",
    "input is too long",
)
LOOKS_LIKE_KEY = re.compile(r"\bsk-[\w*-]{4,}|(?<=Bearer )\S+")


class UnusableReply(ValueError):
    """The server answered, but not in a way that means anything."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request, in our words."""

    error: ProviderError
    again: bool = False  # whether the same request may succeed a moment later
    retry_after_s: float | None = None  # how long the server asked us to wait
    status: int | None = None  # of HTTP
    reason: str = ""  # what the server said: whole, scrubbed


class Server:
    """One OpenAI-compatible server as one model's callers see it. Safe for threads."""

    def __init__(
        self,
        what: str,
        model: str,
        variable: str,
        *,
        api_key: SecretStr | None,
        base_url: str | None,
        timeout_s: float,
        retries: int,
        longest_s: float | None = None,
        retry_timeouts: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """what: "language model" or "embedding model", for messages. variable: the setting that names the model.

        timeout_s: longest silence of the server; longest_s: of a whole reply, None for twice as long. retries: further
        tries of one request. sleep: waits so many seconds.
        Raises SettingsError for a key or an address that cannot be right.
        """
        self.what, self.model, self.variable = what, model, variable
        self.timeout_s, self.retries = timeout_s, retries
        self._longest_s = 2 * timeout_s if longest_s is None else longest_s
        self._retry_timeouts, self._sleep = retry_timeouts, sleep
        self._key = _checked_key(api_key, base_url)
        parts = _checked_url((base_url or OPENAI_URL).rstrip("/"))
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._secrets = [self._key.get_secret_value()] if self._key else []
        self._secrets += [self._login[1]] if self._login and self._login[1] else []
        self.host = parts.netloc.rpartition("@")[2]
        self.url = f"{parts.scheme}://{self.host}{parts.path}"  # fit to be shown and logged: no password
        self.local = _is_loopback(parts.hostname or "")
        self._client: openai.OpenAI | None = None
        self._making = Lock()

    def __repr__(self) -> str:
        return f"Server({self.what} {self.model!r} at {self.url})"

    def client(self) -> openai.OpenAI:
        """The client of the openai library, made at the first call. It does not try again by itself.

        Its own tries would not cover a stream that fails before its first word, would wait out any Retry-After up to
        two minutes, and cannot tell a spent quota from a short rush.
        """
        with self._making:
            if self._client is None:
                import httpx
                import openai

                from rag.bounded_reply import bound

                patience = httpx.Timeout(self.timeout_s, connect=min(CONNECT_S, self.timeout_s))
                self._client = openai.OpenAI(
                    api_key=self._key.get_secret_value() if self._key else PLACEHOLDER_KEY,
                    base_url=self.url,
                    max_retries=0,
                    timeout=patience,
                    http_client=openai.DefaultHttpxClient(
                        timeout=patience,
                        auth=self._login,
                        event_hooks={"response": [bound(self._longest_s)]},
                        trust_env=not self.local,  # a proxy from the environment cannot reach this machine's servers
                    ),
                )
                weakref.finalize(self, self._client.close)
            return self._client

    def pause(self, failure: Failure, tries: int) -> bool:
        """Wait before another try and return True, or return False if there shall be none.

        tries: how many were made. A wait that the server asks for is kept, unless it is longer than the time-out.
        """
        if not failure.again or tries > self.retries or (failure.retry_after_s or 0) > self.timeout_s:
            return False
        seconds = failure.retry_after_s
        if seconds is None:
            seconds = min(FIRST_PAUSE_S * 2 ** (tries - 1), LONGEST_PAUSE_S) * random.uniform(0.75, 1)
        log.info("%s Trying again in %.1f s (%d of %d).", failure.error, seconds, tries, self.retries)
        self._sleep(seconds)
        return True

    def failure(self, error: Exception) -> Failure:
        """What an error of the openai library, of HTTP or of a reply's form means for the user.

        The result must be raised outside of the except clause: an error that hangs on another one as its context
        would show what the server said, and that may be the key.
        """
        import httpx
        import openai

        if isinstance(error, openai.APIStatusError):
            return self._of_status(error)
        if isinstance(error, openai.APIConnectionError | httpx.TransportError):
            return self._of_connection(error)
        if isinstance(error, openai.APIError) and not isinstance(error, openai.APIResponseValidationError):
            return self._of_error_in_stream(error)
        return self.unusable(str(error) if isinstance(error, UnusableReply) else "")

    def unusable(self, detail: str = "", *, again: bool = False) -> Failure:
        """A reply that says nothing. again: it may have been an accident."""
        detail = f" ({detail})" if detail else ""
        if again:
            message = f"The {self.what} at {self.url} sent nothing usable{detail}. Please try again in a minute."
            return Failure(ProviderBusy(message), again=True)
        message = f"The {self.what} at {self.url} sent nothing usable{detail}: check OPENAI_BASE_URL."
        return Failure(ProviderRefused(message))

    def _of_status(self, error: openai.APIStatusError) -> Failure:
        status, reason = error.status_code, self._reason(error.body)
        wait_s = _retry_after_s(error.response.headers)
        final, again = self._verdict(status, reason, wait_s)
        return Failure(final, again, wait_s, status, reason)

    def _verdict(self, status: int, reason: str, wait_s: float | None) -> tuple[ProviderError, bool]:
        """The error for a status that is not 200, and whether to try again."""
        said = f" ({_short(reason)})" if reason else ""
        error: ProviderError
        if status in (401, 403):
            error = ProviderRefused(self._key_refused(said if status == 403 else ""))
        elif status == 404:
            error = ProviderRefused(self._not_found(reason))
        elif status == 429 and "insufficient_quota" in reason:
            error = ProviderRefused(f"The account of OPENAI_API_KEY has no quota left: top it up{said}.")
        elif status in (400, 413, 422, 500) and any(sign in reason.lower() for sign in TOO_LONG):
            error = self._too_long(reason)
        elif status in (408, 409, 429) or (status >= 500 and status != 501):  # 501: it never will
            when = "a minute" if wait_s is None else f"{wait_s:.0f} s"
            error = ProviderBusy(f"The {self.what} is busy (HTTP {status}). Please try again in {when}.")
        else:
            error = ProviderRefused(f"The {self.what} at {self.url} refused the request (HTTP {status}){said}.")
        return error, isinstance(error, ProviderBusy)

    def _of_connection(self, error: Exception) -> Failure:
        import httpx
        import openai

        from rag.bounded_reply import EndlessReply

        cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
            running = "is it running, and is OPENAI_BASE_URL right?" if self.url != OPENAI_URL else "check the network."
            return Failure(ProviderBusy(f"No connection to the {self.what} at {self.url}: {running}"), again=True)
        if isinstance(cause, EndlessReply):
            return Failure(ProviderBusy(f"The {self.what} at {self.url} did not come to an end. Please try again."))
        if isinstance(error, openai.APITimeoutError) or isinstance(cause, httpx.TimeoutException):
            message = (
                f"The {self.what} at {self.url} was silent for {self.timeout_s:g} s. "
                "Please try again, or raise READBACK_TIMEOUT_S."
            )
            return Failure(ProviderBusy(message), again=self._retry_timeouts)
        message = f"The connection to the {self.what} at {self.url} was lost. Please try again."
        return Failure(ProviderBusy(message), again=True)

    def _of_error_in_stream(self, error: openai.APIError) -> Failure:
        """The reply began well (HTTP 200) and then said that something went wrong."""
        reason = self._reason(error.body or error.message)
        if any(sign in reason.lower() for sign in TOO_LONG):
            return Failure(self._too_long(reason), reason=reason)
        message = f"The {self.what} at {self.url} gave up ({_short(reason)}). Please try again in a minute."
        return Failure(ProviderBusy(message), again=True, reason=reason)

    def _key_refused(self, said: str) -> str:
        if self._key is None:
            return f"The {self.what} at {self.url} wants a key{said}: set OPENAI_API_KEY in .env."
        return f"OPENAI_API_KEY was refused{said}: check it in .env."

    def _not_found(self, reason: str) -> str:
        if "model" in reason.lower():
            return f"The server at {self.url} does not know the model {self.model!r}: check {self.variable}."
        return (
            f"The server at {self.url} has no such address, or no model {self.model!r}: "
            f"check OPENAI_BASE_URL (it usually ends in /v1) and {self.variable}."
        )

    def _too_long(self, reason: str) -> ContextTooLong:
        mend = "READBACK_CONTEXT_TOKENS" if self.what == "language model" else "READBACK_CHUNK_TOKENS"
        return ContextTooLong(f"The text is too long for the model {self.model!r} ({_short(reason)}): lower {mend}.")

    def _reason(self, body: object) -> str:
        """What the server said, as one line without secrets."""
        if isinstance(body, Mapping):
            said = [body.get(name) for name in ("message", "detail", "error", "code", "type", "param")]
            body = " · ".join(item if isinstance(item, str) else json.dumps(item, default=str) for item in said if item)
        text = "" if body is None else str(body)
        if re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
            return "a web page"
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = LOOKS_LIKE_KEY.sub("***", text)
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def request_errors() -> tuple[type[Exception], ...]:
    """What a request may raise: errors of openai, of HTTP, and of a reply that cannot be read."""
    import httpx
    import openai

    return openai.OpenAIError, httpx.HTTPError, httpx.StreamError, ValueError


def sendable(text: str) -> str:
    """Text without lone surrogates (as come from broken file names and arguments): JSON cannot carry them."""
    return text.encode("utf-8", "replace").decode()


def _checked_key(api_key: SecretStr | None, base_url: str | None) -> SecretStr | None:
    key = api_key.get_secret_value().strip() if api_key else ""
    if not key:
        if base_url is None:
            raise SettingsError("No language model is configured: set OPENAI_API_KEY or OPENAI_BASE_URL in .env.")
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        # such a key cannot travel in a header, and the error of the HTTP library would print it
        raise SettingsError("OPENAI_API_KEY contains a character that no key has: copy it again into .env.")
    return SecretStr(key)


def _checked_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # not repeated here: it may hold a password
        raise SettingsError("OPENAI_BASE_URL is not an address: it should look like http://127.0.0.1:11434/v1.")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _short(reason: str) -> str:
    return reason if len(reason) <= REASON_CHARS else reason[: REASON_CHARS - 1].rstrip() + "…"


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """The wait that a server asks for: in milliseconds (OpenAI), seconds or as a date. None if unclear."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        elif re.fullmatch(r"[\d.]+", value := headers.get("retry-after", "")):
            seconds = float(value)
        else:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except ValueError:
        return None
    return max(seconds, 0.0) if seconds < float("inf") else None
