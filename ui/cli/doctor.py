"""``readback doctor``: what is configured, what works, what would be used."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from rag.errors import ReadbackError
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.index import Index

PACKAGES = ("chromadb", "llama-index-core", "openai", "gradio", "onnxruntime", "tiktoken")


@click.command()
@click.option("--offline", is_flag=True, help="Do not call the language model.")
def doctor(offline: bool) -> None:
    """Check everything that a question would use. Exit code 1 if something needed does not work."""
    settings = Settings.load()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    _line("python", f"{platform.python_version()}; {packages}")
    _line("data folder", str(settings.data_dir))
    checks: list[tuple[str, Callable[[], str]]] = [
        ("embedder", lambda: _embedder(settings)),
        ("index", lambda: _index(settings)),
        ("vectors", lambda: settings.chroma_url or "embedded Chroma, in the data folder"),
        ("answers", lambda: _answers(settings)),
    ]
    if settings.writes and not offline:
        checks.append(("language model", lambda: _model(settings)))
    healthy = True
    for name, check in checks:
        try:
            _line(name, check())
        except ReadbackError as error:
            healthy = False
            _line(name, f"DOES NOT WORK: {error}")
    sys.exit(0 if healthy else 1)


def _line(name: str, text: str) -> None:
    click.echo(f"{name + ':':<16}{text}")


def _embedder(settings: Settings) -> str:
    from rag.embed import open_embedder

    embedder = open_embedder(settings)
    return f"{embedder.name}, {embedder.dimension} dimensions: works"


def _index(settings: Settings) -> str:
    from rag.embed import open_embedder
    from rag.index import Index

    index: Index = Index(settings, open_embedder(settings))
    if index.catalog.manifest() is None:
        return "nothing is indexed yet; the first question indexes the shipped papers"
    index.check()
    papers = len(index.catalog.fingerprints())
    passages = sum(1 for _ in index.catalog.passages())
    stored = index.vectors.count(index.collection_name)
    index.vectors.close()
    if stored < passages:
        raise ReadbackError(f"{passages - stored} of {passages} vectors are missing. Run: readback index --rebuild")
    return f"{papers} papers, {passages} passages: works"


def _answers(settings: Settings) -> str:
    if settings.writes:
        where = settings.openai_base_url or "OpenAI"
        return f"written by {settings.chat_model} at {where}, every sentence checked against the abstracts"
    if settings.has_model:
        return "made of quotes, because READBACK_MODE=extractive"
    return "made of quotes: no language model is configured (set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env)"


def _model(settings: Settings) -> str:
    from rag.chat_model import OpenAIChat, complete
    from rag.ports import Message

    _, usage = complete(OpenAIChat.from_settings(settings), [Message(role="user", content="Say: ready")], 16)
    return f"works ({usage.prompt_tokens} + {usage.completion_tokens} tokens for a test call)"
