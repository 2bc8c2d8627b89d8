"""What other processes do in these tests. They are forked from one that has imported everything, to start at once."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import chromadb  # noqa: F401 - imported before the fork

import rag.index.index
import rag.index.ingest
import rag.index.vectors
from tests.index.fakes import make_papers, open_index

# few vectors make Chroma write its files often, few papers make a run commit often: more moments to be killed in
OFTEN = {**rag.index.vectors.HNSW, "sync_threshold": 60, "batch_size": 30}


def start(job: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Run a function of this module in another process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # the fork server is a fresh interpreter
    process = context.Process(target=job, args=arguments)
    process.start()
    return process


def index_once(data_dir: Path, count: int, version: str, checkpoint: int = 2048) -> None:
    """Index papers, writing files and committing often."""
    rag.index.vectors.HNSW = OFTEN
    rag.index.index.CHECKPOINT, rag.index.index.BATCH = checkpoint, 8
    open_index(data_dir).update(make_papers(count, version))


def index_versions(data_dir: Path, count: int, versions: list[str]) -> None:
    """Index one version of the papers after another."""
    for version in versions:
        index_once(data_dir, count, version)
