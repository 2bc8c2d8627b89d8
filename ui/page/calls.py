"""The page's script calls Python by name: which names there are, and what an error becomes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from rag.errors import ReadbackError
from ui.page.arguments import BadRequest

log = logging.getLogger(__name__)
Given = Mapping[str, Any]
Call = Callable[[Given, str], dict[str, Any]]
OPERATORS = "Only an operator may do this: readback user operator NAME makes somebody one."
CRASHED = "Something went wrong on our side. Please try again."


class Calls:
    """Named calls, each from what the browser sent and the user's id to a JSON object."""

    def __init__(self, calls: Mapping[str, Call], for_operators: Collection[str] = ()) -> None:
        """for_operators: names of calls that nobody else may make."""
        self._calls, self._for_operators = dict(calls), frozenset(for_operators)

    def run(self, given: Any, user: str, *, operator: bool = False) -> dict[str, Any]:
        """Do one call. What cannot be done comes back as ``error``, in words for the user; nothing is raised."""
        try:
            if not isinstance(given, dict) or given.get("do") not in self._calls:
                raise BadRequest("The page is out of date: please load it again.")
            if given["do"] in self._for_operators and not operator:
                raise BadRequest(OPERATORS)
            return self._calls[given["do"]](given, user)
        except ReadbackError as error:
            return {"error": str(error)}
        except Exception:  # a bug; the reader is told, and the journal has the rest
            log.exception("a call of the page failed")
            return {"error": CRASHED}
