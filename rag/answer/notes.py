"""What a draft says about the passages instead of answering: do they answer, what to search for, what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.prompts import CANNOT_ANSWER

Status = Literal["full", "part", "none"]
MOST_QUERY = 200  # characters of what a model wants to search for
_STATUS = re.compile(
    r"\W{0,5}(?:answers?|status)\W{0,5}:\W{0,5}(full|yes|part|partly|partial|none|no)\W{0,5}"
    r"(?:search\W{0,5}:\W{0,5}(.{0,300}))?",
    re.IGNORECASE,
)
_NOT_COVERED = re.compile(r"\W{0,5}not covered\W{0,5}:\s{0,3}", re.IGNORECASE)
_BEGINS = re.compile(r"\W{0,5}(?:answers?|status|not covered)\W{0,5}(?::.{0,400})?", re.IGNORECASE)
_BEGINNINGS = ("answers", "status", "not covered")
_REFUSAL = re.compile(
    r"\W{0,5}(?:(?:sorry|unfortunately|i'm sorry|i am sorry|however)\W{1,5}){0,2}(?:but\s)?"
    r"(?:the|these|none of the|no|i)\s(?:(?:provided|given|available|numbered|retrieved|above)\s){0,2}"
    r"(?:passages?|abstracts?|papers?|collection|sources?|context|documents?|could not find|cannot find|can't find|"
    r"couldn't find)\b.{0,30}?\b(?:do(?:es)? not|don't|doesn't|cannot|no|any)\b"
    r".{0,40}\b(?:answer|information|contain|mention|address|provide|discuss|cover)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Notes:
    """What a draft has said so far about the passages."""

    status: Status | None = None
    query: str = ""  # what the model wants to search for
    missing: tuple[str, ...] = ()  # what it says is not covered

    def take(self, text: str, *, first: bool) -> bool:
        """Whether a sentence or line speaks of the passages instead of answering; it is kept here then.

        first: nothing was said before it.
        """
        status = _STATUS.fullmatch(text) if first and self.status is None else None
        if status:
            word = status[1].casefold()
            self.status = "full" if word in ("full", "yes") else "none" if word in ("none", "no") else "part"
            self.query = " ".join((status[2] or "").split()).strip(" .\"'“”")[:MOST_QUERY]
            return True
        if gap := _NOT_COVERED.match(text):
            self.missing += (text[gap.end() :].strip().rstrip("."),)
            return True
        if refuses(text):
            self.status = "none"
            return True
        return False


def searches(line: str) -> bool:
    """Whether a whole line is a status that asks for a search, which is no sentence."""
    found = _STATUS.fullmatch(line.strip())
    return found is not None and found[2] is not None


def may_become_note(text: str) -> bool:
    """Whether a sentence of which only the beginning is there may turn out to speak of the passages."""
    begun = text.lstrip(" *_#\"'“(").casefold()
    return any(one.startswith(begun) for one in _BEGINNINGS) or _BEGINS.fullmatch(text) is not None


def refuses(text: str) -> bool:
    """Whether a drafted sentence says, in the agreed words or others, that the passages hold no answer."""
    return CANNOT_ANSWER.rstrip(".").casefold() in text.casefold() or bool(_REFUSAL.match(text))
