"""Embedders: the embedded ONNX model, OpenAI-compatible endpoints, and the cache in front of them."""

from __future__ import annotations

from pathlib import Path

from rag.errors import SettingsError
from rag.ports import Embedder
from rag.settings import EMBEDDED_MODEL, Settings

__all__ = ["open_embedder"]


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that READBACK_EMBED_MODEL names, behind a memory of its last vectors.

    Raises SettingsError if the name is not understood or the model cannot be loaded.
    """
    from rag.embed.cache import CachedEmbedder

    return CachedEmbedder(_open(settings))


def _open(settings: Settings) -> Embedder:
    name = settings.embed_model
    if name == EMBEDDED_MODEL:
        from rag.embed.onnx import OnnxEmbedder

        return OnnxEmbedder()
    scheme, _, rest = name.partition(":")
    if scheme == "onnx" and rest:
        from rag.embed.onnx import OnnxEmbedder

        return OnnxEmbedder(Path(rest).expanduser())
    if scheme == "openai" and rest:
        from rag.embed.openai_embedder import OpenAIEmbedder

        return OpenAIEmbedder.from_settings(settings, rest)
    raise SettingsError(
        f'READBACK_EMBED_MODEL={name} is not understood: use "{EMBEDDED_MODEL}", "onnx:/folder" or "openai:model-name".'
    )
