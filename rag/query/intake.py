"""What comes in as a question: tidied, or refused with a sentence that helps."""

from __future__ import annotations

import unicodedata

from rag.text import words
from rag.text.fold import compose

MOST_CHARACTERS = 4000


def tidy(question: str) -> str:
    """The question on one line, without control and invisible characters."""
    unseen = {"Cc", "Cf", "Cs", "Co"}
    visible = "".join(" " if unicodedata.category(char) in unseen else char for char in compose(question))
    return " ".join(visible.split())


def objection(question: str) -> str | None:
    """Why a tidied question cannot be asked, as a sentence for the user; None if it can."""
    if not question:
        return "There is no question in it. Please type one."
    if len(question) > MOST_CHARACTERS:
        return f"It has {len(question):,} characters. Please ask a question of at most {MOST_CHARACTERS:,}."
    if not any(any(char.isalpha() for char in word) for word in words(question)):
        return "It has no words in it. Please ask in words."
    return None


def in_another_script(question: str) -> bool:
    """Whether most letters are not Latin ones, so that English abstracts cannot match."""
    letters = [char for char in question if char.isalpha()]
    foreign = sum(not unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return foreign * 2 > len(letters)
