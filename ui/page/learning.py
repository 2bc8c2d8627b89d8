"""The Learning tab: what an operator sees of learning, and the buttons to act on it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rag.errors import ReadbackError
from ui.page import arguments
from ui.page.background import News, in_background
from ui.page.calls import OPERATORS, Given
from ui.page.curves import curves
from ui.render import render

if TYPE_CHECKING:
    from ui.services import Asker, Services

log = logging.getLogger(__name__)
NEEDS, LINES = 50, 40  # shown of what was learned, and of the ledger
WHY = "on the page"
SHARE = 0.2  # of the people, in a trial that is begun on the page
CRASHED = "Something went wrong on our side. The policy in force is the same as before."


class Learning:
    """The page's calls about learning, for operators alone."""

    def __init__(self, services: Services) -> None:
        self._learning = services.learning
        self._policies = services.learning.policies

    def show(self, _given: Given, _user: str) -> dict[str, Any]:
        """The whole tab."""
        found = self._learning.overview()
        return {
            "html": render(
                "learning",
                found=found,
                curves=curves(found.days, found.ledger) if found.days else None,
                needs=found.learned[:NEEDS],
                hidden=max(0, len(found.learned) - NEEDS),
                lines=found.ledger[: -LINES - 1 : -1],
                busy=self._learning.busy,
                moment=_moment,
            )
        }

    def promote(self, given: Given, user: str) -> dict[str, Any]:
        """Put the candidate in force that was looked at."""
        self._policies.promote(arguments.text(given, "version", 40), f"approved {WHY}")
        return {"said": "In force, from the next question on.", **self.show(given, user)}

    def try_out(self, given: Given, user: str) -> dict[str, Any]:
        """Let the candidate answer a fifth of the people, or nobody: then its rankings are only compared."""
        share = SHARE if given.get("share") else 0.0
        self._policies.try_out(arguments.text(given, "version", 40), share, WHY)
        said = f"On trial for {share:.0%} of the people." if share else "In the shadow: shown to nobody, only compared."
        return {"said": said, **self.show(given, user)}

    def end_trial(self, given: Given, user: str) -> dict[str, Any]:
        """Let the policy in force answer everybody again."""
        self._policies.end_trial(WHY)
        return {"said": "The trial has ended.", **self.show(given, user)}

    def rollback(self, given: Given, user: str) -> dict[str, Any]:
        """Go back to the policy before."""
        version = self._policies.rollback(WHY)
        return {"said": f"In force again: {version}.", **self.show(given, user)}

    def pause(self, given: Given, user: str) -> dict[str, Any]:
        """Let nothing that is learned take effect by itself."""
        self._policies.pause(f"An operator paused it {WHY}.")
        return {"said": "Learning is paused.", **self.show(given, user)}

    def resume(self, given: Given, user: str) -> dict[str, Any]:
        """Let it go on."""
        self._policies.resume()
        return {"said": "Learning goes on.", **self.show(given, user)}

    def stream(self, asker: Asker) -> Iterator[str]:
        """Learn, and yield how far it has come; the last text has ``done`` and the tab as it is then."""
        try:
            if not asker.operator:
                raise arguments.BadRequest(OPERATORS)
            for news in in_background("readback-learning", self._learn):
                yield json.dumps({"learning": True, **news})
        except ReadbackError as error:
            yield json.dumps({"learning": True, "done": True, "error": str(error)})
        except Exception:  # a bug; the operator must not wait for ever
            log.exception("learning failed")
            yield json.dumps({"learning": True, "done": True, "error": CRASHED})

    def _learn(self, tell: Callable[[News], None]) -> None:
        report = self._learning.learn(say=lambda text: tell({"progress": text}))
        said = f"Done in {report['seconds']:.0f} s: {report['outcome'].partition(';')[0]}."
        tell({"done": True, "said": said, **self.show({}, "")})


def _moment(at: str) -> str:
    """A moment of the ledger, as people write it."""
    return at[:16].replace("T", " ")
