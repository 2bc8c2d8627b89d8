"""Counts tokens as OpenAI's models do, with no download."""

from __future__ import annotations

import importlib.util
import os
import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

ENCODING = "o200k_base"  # gpt-4o and everything after it
_SLICE = 1000  # characters; below the length at which tiktoken's pattern gives up on a run of spaces
_ENDLESS_WORD = 4000  # letters; tiktoken's time grows with the square of a word's length
_WORD = re.compile(r"\w++")
_loading = Lock()


def count_tokens(text: str) -> int:
    """The number of tokens of text. Exact for OpenAI's models, an estimate for others.

    Names of special tokens ("<|endoftext|>") are ordinary text. Safe for threads.
    """
    encoding = _encoding()
    longest = max((len(word[0]) for word in _WORD.finditer(text)), default=0) if len(text) > _ENDLESS_WORD else 0
    if longest <= _ENDLESS_WORD:
        try:
            return len(encoding.encode(text, disallowed_special=()))
        except ValueError:  # a run of some 100,000 spaces is more than its pattern can match
            pass
    slices = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
    return sum(len(encoding.encode(part, disallowed_special=())) for part in slices)


def _encoding() -> tiktoken.Encoding:
    with _loading:  # else threads that start together would each load the table
        return _load()


@lru_cache(maxsize=1)
def _load() -> tiktoken.Encoding:
    if "TIKTOKEN_CACHE_DIR" not in os.environ and (folder := _shipped_tables()):
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def _shipped_tables() -> Path | None:
    """The tables inside llama-index-core, found without importing it: that takes over a second."""
    package = importlib.util.find_spec("llama_index.core")
    for place in (package and package.submodule_search_locations) or ():
        folder = Path(place) / "_static" / "tiktoken_cache"
        if folder.is_dir():
            return folder
    return None
