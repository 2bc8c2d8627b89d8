"""Questions to begin with: those that the collection at hand really answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rag.types import Options
from ui.page.calls import Given
from ui.render import render
from ui.words import count

if TYPE_CHECKING:
    from ui.services import Services

SHOWN = 4
QUESTIONS = (  # about the shipped corpus
    "How can a voice assistant learn query rewrites without annotated data?",
    "Which papers use pseudo relevance feedback?",
    "Can language models give useful feedback on research papers?",
    "How are robot policies aligned with human preferences?",
    "How well do language models solve regression from examples in the prompt?",
    "How can feedback loops amplify the biases of a dataset?",
)
QUOTES = Options(mode="extractive")  # trying them must cost nothing


class Examples:
    """The page's call for example questions. They are tried once for every state of the collection."""

    def __init__(self, services: Services) -> None:
        self._services, self._assistant, self._lock = services, services.assistant, threading.Lock()
        self._known: tuple[int, list[str]] | None = None

    def show(self, _given: Given, _user: str) -> dict[str, Any]:
        """The questions as buttons; none while the collection is empty."""
        html, has_model = render("examples", questions=self.questions()), self._services.settings.has_model
        return {"html": html, "about": self._about(), "has_model": has_model}

    def _about(self) -> str:
        """What the collection is, and who writes the answers."""
        papers, settings = self._services.papers.matching(), self._services.settings
        years = sorted({paper.year for paper in papers if paper.year})
        span = f" of {years[0]}" + (f" to {years[-1]}" if len(years) > 1 else "") if years else ""
        writes = f"{settings.chat_model} writes the answers" if settings.writes else "Answers are made of quotes"
        return f"{count(len(papers), 'paper')}{span}. {writes}."

    def questions(self) -> list[str]:
        """Up to four questions that are answered with evidence; the closest is no answer."""
        generation = self._services.papers.generation()
        with self._lock:
            if self._known is None or self._known[0] != generation:
                self._known = (generation, list(self._answered()))
            return self._known[1]

    def _answered(self) -> Iterator[str]:
        found = 0
        for question in self._candidates():
            answer = self._assistant.ask(question, options=QUOTES)
            if answer.verdict == "answered" and answer.citations:
                yield question
                found += 1
            if found == SHOWN:
                return

    def _candidates(self) -> Iterator[str]:
        yield from QUESTIONS
        papers = self._assistant.papers()  # of a collection of one's own, some titles
        for paper in papers[:: max(1, len(papers) // SHOWN)][:SHOWN]:
            yield f"What does “{paper.title.rstrip('.?!')}” propose?"
