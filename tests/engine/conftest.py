"""Fixtures that several folders share: one index of the shipped papers; and a real model."""

from __future__ import annotations

from tests.engine.shared import assistant, collection, shipped
from tests.local_model import local_model

__all__ = ["assistant", "collection", "local_model", "shipped"]
