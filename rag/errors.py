"""Every exception that Readback raises on purpose. ``str(error)`` is fit to show the user.

ReadbackError
├── SettingsError         the environment is incomplete or wrong: names the variable
├── CorpusError           a record cannot be read: names the file, the line and the reason
├── IndexUnusable         the index cannot be used as it is: says which command mends it
│   ├── IndexMissing      nothing is indexed yet
│   ├── IndexMismatch     made with another embedder or chunking
│   └── IndexBusy         another indexer holds the lock
├── QuestionError         a question that cannot be asked: empty, or far too long
├── Stopped               an answer whose reader wanted no more of it
└── ProviderError         the model provider failed
    ├── ProviderRefused   ... for good: wrong key, unknown model, malformed request
    ├── ProviderBusy      ... for now: rate limit, overload, time-out, connection
    └── ContextTooLong    ... because the prompt does not fit the model
"""

from __future__ import annotations


class ReadbackError(Exception):
    """Base of all errors whose message is meant for the user."""


class SettingsError(ReadbackError):
    """The environment is incomplete or wrong."""


class CorpusError(ReadbackError):
    """A record of a corpus file cannot be read."""

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        """file: as the user named it. line: from 1, or None if the whole file is at fault."""
        self.file, self.line, self.reason = file, line, reason
        where = file if line is None else f"{file}, line {line}"
        super().__init__(f"{where}: {reason}")

    def __reduce__(self) -> tuple[type[CorpusError], tuple[str, int | None, str]]:
        """Another process reads files, and hands its faults over."""
        return type(self), (self.file, self.line, self.reason)


class IndexUnusable(ReadbackError):
    """The index cannot be used as it is."""


class IndexMissing(IndexUnusable):
    """Nothing is indexed yet."""


class IndexMismatch(IndexUnusable):
    """The index was made with another embedder, chunking or schema."""


class IndexBusy(IndexUnusable):
    """Another indexer is at work on the same data folder."""


class QuestionError(ReadbackError):
    """The question cannot be asked as it is."""


class Stopped(ReadbackError):
    """The reader of an answer wanted no more of it."""


class ProviderError(ReadbackError):
    """The model provider failed."""


class ProviderRefused(ProviderError):
    """The provider will not serve this request however often it is sent."""


class ProviderBusy(ProviderError):
    """The provider cannot serve the request now; later it may."""


class ContextTooLong(ProviderError):
    """The prompt does not fit into the model's context."""
