"""The cross-encoder: a small model that reads a question and a passage together, on this machine.

One forward pass says whether the passage answers the question and which of its sentences does (*Passage Re-ranking with
BERT*, Nogueira and Cho 2019; answering or not as in *Know What You Don't Know*, Rajpurkar, Jia and Liang 2018).
``eval/fit/reader.py`` trains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from rag.embed.onnx import WEIGHTS
from rag.embed.onnx_files import digest, open_session, open_tokenizer
from rag.errors import SettingsError
from rag.ports import Excerpt, Read

FOLDER = Path(__file__).with_name("reader_weights")
RECIPE = "reader.json"
UNREAD = -10.0  # logit of a sentence beyond the model's window


class Recipe(BaseModel):
    """What the model was trained with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    best_sentence: float  # weight of the likeliest sentence's logit in the passage's
    question_tokens: int = Field(ge=8)
    title_tokens: int = Field(ge=8)
    sentence_tokens: int = Field(ge=8)
    max_tokens: int = Field(ge=32, le=512)
    sha256: str


class OnnxCrossEncoder:
    """Safe to share between threads. Each pair runs alone, so what is read never depends on its batch."""

    def __init__(self, folder: Path = FOLDER, tokenizer: Path = WEIGHTS / "tokenizer.json", threads: int = 2) -> None:
        """tokenizer: the embedded model's, from which this one was trained. Raises SettingsError."""
        self._recipe = Recipe.model_validate_json((folder / RECIPE).read_text(encoding="utf-8"))
        model = folder / "model.onnx"
        if digest(model) != self._recipe.sha256:
            raise SettingsError(f"{model} is not the file that {RECIPE} describes (sha256 differs).")
        self._session = open_session(model)
        self._tokenizer = open_tokenizer(tokenizer)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="cross-encoder")
        self._start, self._end = self._tokenizer.encode("").ids
        (self._stop,) = self._ids(".")

    @property
    def name(self) -> str:
        """Label and a hash of the model."""
        return f"{self._recipe.name}#{self._recipe.sha256[:8]}"

    def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[Read]:
        """What each excerpt says about the question, in their order."""
        asked = self._ids(question)[: self._recipe.question_tokens] or [self._stop]
        if len(excerpts) < 2:
            return [self._read(asked, one) for one in excerpts]
        return list(self._pool.map(lambda one: self._read(asked, one), excerpts))

    def _read(self, asked: Sequence[int], excerpt: Excerpt) -> Read:
        recipe, title = self._recipe, self._ids(excerpt.title)
        ids = [*title[: recipe.title_tokens], self._stop] if title else []
        ends = [len(ids)]
        for sentence in excerpt.sentences:
            ids += self._ids(sentence)[: recipe.sentence_tokens]
            ends.append(len(ids))
        ids = ids[: max(recipe.max_tokens - len(asked) - 3, 0)]
        tokens = np.array([[self._start, *asked, self._end, *ids, self._end]], dtype=np.int64)
        types, question = np.zeros_like(tokens), np.zeros(tokens.shape, dtype=np.float32)
        before = len(asked) + 2
        types[0, before:] = 1
        question[0, 1 : len(asked) + 1] = 1
        answer, relevance = self._session.run(
            None, {"input_ids": tokens, "token_type_ids": types, "question": question}
        )
        found = relevance[0, before : before + len(ids)]
        sentences = np.array(
            [found[start:end].mean() if found[start:end].size else UNREAD for start, end in pairwise(ends)],
            dtype=np.float32,
        )
        return Read(float(answer[0]) + recipe.best_sentence * float(sentences.max(initial=UNREAD)), sentences)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


@lru_cache(maxsize=1)
def embedded() -> OnnxCrossEncoder:
    """The one that comes with Readback."""
    return OnnxCrossEncoder()
