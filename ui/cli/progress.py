"""A progress bar on stderr with rate and time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager


@contextmanager
def papers_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function to be told how many more papers are done. The bar appears at the first call."""
    from tqdm import tqdm

    bars: list[tqdm[None]] = []

    def advance(count: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, desc=title, unit=" papers", smoothing=0.1, leave=True))
        bars[0].update(count)
        if total is not None and bars[0].n >= total:
            bars[0].close()  # what is printed next begins on a line of its own

    try:
        yield advance
    finally:
        for bar in bars:
            bar.close()


def shipped_bar() -> AbstractContextManager[Callable[[int], None]]:
    """The bar for the papers that come with Readback, which the first question or the first start indexes."""
    from rag.settings import shipped_corpus

    with shipped_corpus().open("rb") as file:
        total = sum(1 for _ in file)
    return papers_bar("Indexing the shipped papers", total)
