"""Keeping the addresses of servers behind Readback from whoever asks over the network: they are for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rag.settings import Settings


def discreet(text: str, settings: Settings) -> str:
    """The text without where the language model and the vectors are."""
    for url in (settings.openai_base_url, settings.chroma_url):
        if url:
            parts = urlsplit(url.rstrip("/"))
            host = parts.netloc.rpartition("@")[2]
            for shown in (f"{parts.scheme}://{host}{parts.path}", f"{parts.scheme}://{host}", host):
                text = text.replace(f" at {shown}", "").replace(f" in {shown}", "").replace(shown, "its server")
    return text
