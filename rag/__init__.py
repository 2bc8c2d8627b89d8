"""Readback: ask a collection of paper abstracts; every sentence of an answer can be read back against its source.

from rag import ask
print(ask("How can a voice assistant learn query rewrites without annotated data?").text)
"""

from typing import TYPE_CHECKING, Any

from rag.errors import (
    ContextTooLong,
    CorpusError,
    IndexBusy,
    IndexMismatch,
    IndexMissing,
    IndexUnusable,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    QuestionError,
    ReadbackError,
    SettingsError,
)
from rag.types import (
    Answer,
    Citation,
    Options,
    Paper,
    Retrieved,
    RetrievedPaper,
    Sentence,
    SentenceVerdict,
    StreamEvent,
    TextDelta,
    Turn,
    Usage,
)

if TYPE_CHECKING:
    from rag.conversation import Conversation
    from rag.default import ask
    from rag.engine import Assistant
    from rag.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "ContextTooLong",
    "Conversation",
    "CorpusError",
    "IndexBusy",
    "IndexMismatch",
    "IndexMissing",
    "IndexUnusable",
    "Options",
    "Paper",
    "ProviderBusy",
    "ProviderError",
    "ProviderRefused",
    "QuestionError",
    "ReadbackError",
    "Retrieved",
    "RetrievedPaper",
    "Sentence",
    "SentenceVerdict",
    "Settings",
    "SettingsError",
    "StreamEvent",
    "TextDelta",
    "Turn",
    "Usage",
    "ask",
]

_LAZY = {
    "Assistant": "rag.engine",
    "Conversation": "rag.conversation",
    "ask": "rag.default",
    "Settings": "rag.settings",
}


def __getattr__(name: str) -> Any:  # the engine pulls in numpy and pydantic; a program that only reads types need not
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
