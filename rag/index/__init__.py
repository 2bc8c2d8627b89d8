"""The collection on disk: what indexing writes and searching reads, and the stores that hold it."""

from rag.index.index import Index, IndexReport, Progress

__all__ = ["Index", "IndexReport", "Progress"]
