"""The shipped papers, ready to be verified against."""

from __future__ import annotations

import pytest

from eval.lab.shelf import Shelf
from rag.corpus import read
from rag.embed.onnx import OnnxEmbedder
from rag.settings import shipped_corpus


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return Shelf(read(shipped_corpus()).papers, OnnxEmbedder())
