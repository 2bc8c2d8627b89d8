"""Work that tells how far it has come, in a thread of its own: it goes on when the reader leaves the page."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

News = dict[str, Any]


def in_background(name: str, work: Callable[[Callable[[News], None]], None]) -> Iterator[News]:
    """Do the work, which gets a function to tell its news with, and yield the news. Raises what work raised.

    name: of the thread.
    """
    told: queue.SimpleQueue[News | BaseException | None] = queue.SimpleQueue()  # None at the end

    def run() -> None:
        try:
            work(told.put)
        except BaseException as error:  # handed on to the reader's thread
            told.put(error)
        else:
            told.put(None)

    threading.Thread(target=run, name=name, daemon=True).start()
    while (news := told.get()) is not None:
        if isinstance(news, BaseException):
            raise news
        yield news
