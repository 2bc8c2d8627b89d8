"""Any ONNX sentence-embedding folder, run on this machine with onnxruntime; no torch, no network.

A folder holds the model, ``tokenizer.json`` and ``readback.json``, the recipe: which file is the model, how token
vectors are pooled, how many tokens fit, which prefixes the model was trained with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.embed.onnx_files import digest, open_session, open_tokenizer
from rag.errors import SettingsError
from rag.ports import Kind, Vectors

WEIGHTS = Path(__file__).with_name("weights")
RECIPE = "readback.json"


class Recipe(BaseModel):
    """How a folder's model turns text into a vector."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None  # defaults to the folder's name
    model: str = "model.onnx"
    pooling: Literal["mean", "cls"] = "mean"
    max_tokens: int = Field(default=512, ge=16)  # special tokens included
    query_prefix: str = ""
    document_prefix: str = ""
    sha256: dict[str, str] = Field(default_factory=dict)  # file name -> hex digest, checked at load


class OnnxEmbedder:
    """An Embedder over one ONNX folder. Safe to share between threads.

    A text longer than the model's window is embedded window by window, and the windows' vectors are averaged by
    their token counts: nothing is cut off. Each text runs alone, so its vector never depends on its batch.
    """

    def __init__(self, folder: Path = WEIGHTS, *, threads: int | None = None) -> None:
        """Load the folder. Raises SettingsError if a file is missing, damaged or not what its hash promises."""
        self._recipe = _read_recipe(folder)
        model, tokenizer = folder / self._recipe.model, folder / "tokenizer.json"
        digests = {name: digest(folder / name) for name in (self._recipe.model, "tokenizer.json")}
        for name, expected in self._recipe.sha256.items():  # large models keep their weights in further files
            if name not in digests:
                digests[name] = digest(folder / name)
            if digests[name] != expected:
                raise SettingsError(f"{folder / name} is not the file that {RECIPE} describes (sha256 differs).")
        self._session = open_session(model)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._tokenizer = open_tokenizer(tokenizer)
        self._threads = threads or os.cpu_count() or 1
        label = self._recipe.name or folder.resolve().name
        # the files and the recipe decide a vector, so a folder edited in place gets another name
        version = sha256("".join((*digests.values(), self._recipe.model_dump_json())).encode()).hexdigest()[:8]
        self._name = f"{label}/{self._recipe.max_tokens}#{version}"
        self._dimension = int(self.embed(["dimension"], "query").shape[1])

    @property
    def name(self) -> str:
        """Label, window and a hash of the files and recipe."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._dimension

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [len(texts), dimension], rows of unit length, in the order given."""
        prefix = self._prefix(kind)
        prefixed = [prefix + text for text in texts]
        if not prefixed:
            return np.zeros((0, self._dimension), dtype=np.float32)
        if len(prefixed) == 1:
            return np.stack([self._vector(prefixed[0])])
        longest_first = sorted(range(len(prefixed)), key=lambda place: -len(prefixed[place]))  # no thread waits long
        vectors = np.empty((len(prefixed), self._dimension), dtype=np.float32)
        with ThreadPoolExecutor(self._threads) as pool:
            found = pool.map(self._vector, (prefixed[place] for place in longest_first))
            for place, vector in zip(longest_first, found, strict=True):
                vectors[place] = vector
        return vectors

    def pieces(self, text: str, kind: Kind) -> Vectors:
        """What each word piece of the first window means there: float32 [pieces, dimension], rows of unit length."""
        prefix = self._prefix(kind)
        encoding = self._tokenizer.encode(prefix + text)
        ids, spans = (part[: self._recipe.max_tokens] for part in (encoding.ids, encoding.offsets))
        # neither the prefix nor what stands around every text
        own = [place for place, (start, end) in enumerate(spans) if len(prefix) <= start < end]
        states = self._states(ids)[own]
        lengths = np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
        return np.asarray(states / lengths, dtype=np.float32)

    def _prefix(self, kind: Kind) -> str:
        return self._recipe.query_prefix if kind == "query" else self._recipe.document_prefix

    def _vector(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(0, dtype=np.float64)
        for ids in self._windows(text):
            vector = self._forward(ids) * len(ids)
            total = vector if total.size == 0 else total + vector
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), dtype=np.float32)

    def _windows(self, text: str) -> Iterator[list[int]]:
        """Token ids in pieces that fit the window, each wrapped in the model's special tokens."""
        whole = self._tokenizer.encode(text).ids
        if len(whole) <= self._recipe.max_tokens:
            yield whole
            return
        bare = self._tokenizer.encode(text, add_special_tokens=False).ids
        # what stands around the text, for BERT-like models [CLS] and [SEP]; others have it at one end only
        before = next(at for at in range(len(whole) - len(bare) + 1) if whole[at : at + len(bare)] == bare)
        head, tail = whole[:before], whole[before + len(bare) :]
        room = self._recipe.max_tokens - len(head) - len(tail)
        for start in range(0, len(bare), room):
            yield [*head, *bare[start : start + room], *tail]

    def _forward(self, ids: list[int]) -> NDArray[np.float64]:
        states = self._states(ids)
        pooled = states[0] if self._recipe.pooling == "cls" else states.mean(axis=0)
        return np.asarray(pooled / max(float(np.linalg.norm(pooled)), 1e-12), dtype=np.float64)

    def _states(self, ids: list[int]) -> NDArray[np.float32]:
        """One row a token."""
        tokens = np.asarray([ids], dtype=np.int64)
        feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
        try:
            states = self._session.run(None, {name: feed[name] for name in feed if name in self._inputs})[0][0]
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise SettingsError(
                f"READBACK_EMBED_MODEL: the model fails on {len(ids)} tokens ({str(error).splitlines()[0]}). "
                f"Is max_tokens in {RECIPE} more than it takes?"
            ) from error
        if states.ndim != 2:
            raise SettingsError("READBACK_EMBED_MODEL: the model's first output must be one vector a token.")
        return np.asarray(states)


def _read_recipe(folder: Path) -> Recipe:
    if not folder.is_dir():
        raise SettingsError(f"READBACK_EMBED_MODEL: there is no folder {folder}.")
    path = folder / RECIPE
    try:
        recipe = Recipe.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else Recipe()
    except (ValidationError, OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    for name in (recipe.model, "tokenizer.json"):
        if not (folder / name).is_file():
            raise SettingsError(f"{folder} holds no {name}; {RECIPE} beside it says which file is the model.")
    return recipe
