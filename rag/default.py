"""``ask``, for a program that wants one answer and no objects: one assistant for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rag.engine import DEFAULT, Assistant
from rag.types import Answer, Options, Turn

_default: Assistant | None = None
_default_lock = threading.Lock()


def ask(question: str, history: Sequence[Turn] = (), options: Options = DEFAULT) -> Answer:
    """Answer one question with the settings of the environment. The assistant is opened once and kept.

    Raises SettingsError, IndexUnusable, or ProviderError if the settings say that a failing model is an error.
    """
    global _default  # noqa: PLW0603 - the one process-wide convenience
    with _default_lock:
        if _default is None:
            _default = Assistant.open()
    return _default.ask(question, history, options)
