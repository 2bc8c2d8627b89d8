"""What the browser sends, checked: a browser may send anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rag.errors import ReadbackError
from rag.types import Mode, Options

MOST_IDS = 200
MOST_PAPERS = 20
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class BadRequest(ReadbackError):
    """The page was sent something that its script does not send."""


def text(given: Mapping[str, Any], name: str, most: int, default: str = "") -> str:
    """A text. most: its maximum length in characters. Raises BadRequest."""
    value = given.get(name, default)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"The page sent an unusable {name}.")
    return value


def token(given: Mapping[str, Any], name: str) -> str:
    """An id that the page's script made up. Raises BadRequest."""
    value = text(given, name, 64)
    if not _ID.fullmatch(value):
        raise BadRequest(f"The page sent an unusable {name}.")
    return value


def number(given: Mapping[str, Any], name: str, least: int, most: int, default: int) -> int:
    """A whole number, moved into its range. Raises BadRequest."""
    value = given.get(name, default)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"The page sent an unusable {name}.")
    return max(least, min(most, value))


def ids(given: Mapping[str, Any], name: str) -> frozenset[str]:
    """A set of paper ids. Raises BadRequest."""
    value = given.get(name) or []
    if not isinstance(value, list) or len(value) > MOST_IDS or not all(isinstance(one, str) for one in value):
        raise BadRequest(f"The page sent an unusable {name}.")
    return frozenset(value)


def options(given: Mapping[str, Any], *, writes: bool) -> Options:
    """The steering of one question. writes: whether a model is there; without, asking for one is ignored."""
    wanted = given.get("mode")
    mode: Mode | None = wanted if wanted in ("extractive", "generative") else None
    model = text(given, "model", 100).strip() or None
    return Options(
        mode=mode if writes else None,
        model=model if writes else None,
        papers=number(given, "papers", 0, MOST_PAPERS, 0) or None,
        include=ids(given, "include"),
        exclude=ids(given, "exclude"),
        standalone_question=text(given, "standalone", 4_000).strip() or None,
    )
