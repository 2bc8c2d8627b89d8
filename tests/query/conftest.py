"""Fixtures that several folders share: one index of the shipped papers."""

from __future__ import annotations

from tests.engine.shared import assistant, collection, shipped

__all__ = ["assistant", "collection", "shipped"]
