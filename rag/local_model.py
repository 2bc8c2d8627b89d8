"""A language model on this machine: which files of weights would run here, and llama.cpp's server for one of them.

Nothing is fetched: the user names a GGUF file that is there. xllamacpp, which holds llama.cpp, is the extra ``local``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import ProviderBusy, SettingsError

GIB = 1024**3
ROOM = 1.2  # memory that a model takes, in sizes of its file
SPARE = GIB  # bytes left to everything else
SMALL = 5 * GIB  # bytes of a file up to which a model gets short rules: some 8 billion parameters at four bits each
PROMPT_TOKENS, ANSWER_TOKENS = 1200, 150  # of a usual answer by the short rules
PATIENCE_S = 300.0  # longest warm-up


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file."""

    path: Path
    size: int  # bytes

    @property
    def small(self) -> bool:
        """Whether it needs the short rules and few passages."""
        return self.size <= SMALL

    def fits(self, memory: int) -> bool:
        """Whether it runs in so many bytes."""
        return self.size * ROOM + SPARE <= memory


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, as measured."""

    reading: float
    writing: float

    @property
    def seconds(self) -> float:
        """How long a usual answer takes."""
        return PROMPT_TOKENS / self.reading + ANSWER_TOKENS / self.writing


def memory() -> int | None:
    """Bytes of this machine's memory; None where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def installed() -> bool:
    """Whether llama.cpp is there."""
    return importlib.util.find_spec("xllamacpp") is not None


def weights_in(folder: Path) -> list[Weights]:
    """The GGUF files in a folder and below it, smallest first."""
    found = (Weights(path, path.stat().st_size) for path in folder.rglob("*.gguf") if path.is_file())
    return sorted(found, key=lambda one: (one.size, one.path))


@contextmanager
def serving(weights: Weights, *, context_tokens: int, port: int = 0) -> Iterator[str]:
    """Run an OpenAI-compatible server on loopback; gives its address, without /v1.

    port: 0 for any. Raises SettingsError if llama.cpp is missing or cannot load the file.
    """
    if not installed():
        raise SettingsError("llama.cpp is not installed: pip install '.[local]'.")
    xllamacpp: Any = importlib.import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights.path)
    threads = max(1, os.cpu_count() or 1)
    for name, value in {
        "model_alias": {weights.path.stem},
        "port": port,
        "n_parallel": 1,
        "n_ctx": context_tokens,
        "ui": False,
        "verbosity": -1,
    }.items():
        setattr(parameters, name, value)
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise SettingsError(f"{weights.path.name} could not be loaded: {error}.") from error
    try:
        yield str(server.listening_address)
    finally:
        del server  # its destructor ends the threads


def measured(address: str) -> Speed:
    """How fast a server of ``serving`` is, by a short answer. Raises ProviderBusy if it gives none."""
    import httpx

    text = "Abstract: " + "We study how language models learn from feedback. " * 20 + "\nWhat is studied?"
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 24, "cache_prompt": False}
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            timings = client.post(f"{address}/v1/chat/completions", json=body).raise_for_status().json()["timings"]
        return Speed(float(timings["prompt_per_second"]), float(timings["predicted_per_second"]))
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise ProviderBusy(f"The model's server does not answer: {type(error).__name__}.") from error
