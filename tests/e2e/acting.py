"""What a person does in the page, and what the record says about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import Page

from rag.events import Episode, EventStore
from tests.e2e.serving import Server, until

if TYPE_CHECKING:
    from rag.events import Feedback

LIST_QUESTION = "Which papers use pseudo relevance feedback?"
ROBOT_QUESTION = "How are robot policies aligned with human preferences?"
FOREIGN_QUESTION = "What is the boiling point of tungsten?"


def ask(page: Page, question: str) -> str:
    """Ask with the keyboard, and return the answer's id when it is there."""
    turn = page.locator(".turn").count() + 1
    page.fill("#rb-question", question)
    page.press("#rb-question", "Enter")
    return answered(page, turn)


def answered(page: Page, turn: int, *, other_than: str = "") -> str:
    """Wait for the answer of a turn and return its id."""
    found = page.wait_for_selector(f'#turn-{turn}[data-answer]:not([data-answer="{other_than}"])')
    assert found is not None
    page.wait_for_selector("#rb-send:visible")
    return str(found.get_attribute("data-answer"))


@contextmanager
def record(server: Server) -> Iterator[EventStore]:
    """The server's record of events, opened beside it."""
    with EventStore.open(server.data_dir / "events.db") as store:
        yield store


def told(server: Server, answer: str, kind: str) -> Feedback:
    """The feedback of this kind on an answer, as soon as it is in the record."""
    with record(server) as store:

        def look() -> Feedback | None:
            episode = store.interaction(answer)
            return next((one for one in episode.feedback if one.kind == kind), None) if episode else None

        return until(look, f"feedback of kind {kind}")


def episode_of(server: Server, answer: str) -> Episode:
    """What the record has about an answer."""
    with record(server) as store:
        return until(lambda: store.interaction(answer), "the interaction")


def in_view(page: Page, selector: str, inside: str) -> bool:
    """Whether an element lies within the part of a panel that can be seen."""
    return bool(
        page.evaluate(
            """([selector, inside]) => {
                const one = document.querySelector(selector)?.getBoundingClientRect();
                const box = document.querySelector(inside).getBoundingClientRect();
                return Boolean(one) && one.top >= box.top - 1 && one.top < box.bottom && one.height > 0;
            }""",
            [selector, inside],
        )
    )
