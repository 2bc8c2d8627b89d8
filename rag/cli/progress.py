"""A progress bar on stderr with rate and time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def papers_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function to be told how many more papers are done. The bar appears at the first call."""
    from tqdm import tqdm

    bars: list[tqdm[None]] = []

    def advance(count: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, desc=title, unit=" papers", smoothing=0.1, leave=True))
        bars[0].update(count)

    try:
        yield advance
    finally:
        for bar in bars:
            bar.close()
