"""Questions to begin with: those of them that the collection at hand can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.page.markup import button

if TYPE_CHECKING:
    from ui.services import Services

QUESTIONS = (
    "How can a voice assistant learn query rewrites without annotated data?",
    "Which papers use pseudo relevance feedback?",
    "How are robot policies aligned with human preferences?",
)


def examples(services: Services) -> str:  # noqa: ARG001
    """The example questions as buttons."""
    return "".join(f"<li>{button(one, 'suggest', cls='suggestion')}</li>" for one in QUESTIONS)
