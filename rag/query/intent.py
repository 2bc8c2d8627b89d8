"""What somebody wants who types something: mostly an answer from the collection, sometimes just a word.

Patterns over the whole of a short utterance, in the wordings of everyday English: what they do not know is a question
for the collection, because taking a real question for small talk is the worse mistake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.query.language import foreign_language
from rag.query.phrasebook import AFTER, BEFORE, FRAME, PATTERNS, SEVERAL, SUMMARISE
from rag.text.fold import fold
from rag.types import Intent, Mode, Turn

LONGEST = 160  # characters of an utterance that may be anything but a question
SEARCHED: frozenset[Intent] = frozenset({"question", "summarise", "other_language"})
Form = Literal["shorter", "list", "table", "repeat", "sources", "asked", "other"]


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance, as far as its wording tells what is wanted."""

    intent: Intent = "question"
    target: str = ""  # what is to be summarised, as named
    form: Form = "other"  # of a transformation, or what is asked about the conversation
    place: int = -1  # of the earlier question that is asked about


_COMPILED = tuple((intent, re.compile("|".join(patterns))) for intent, patterns in PATTERNS.items())
_SHORTER = re.compile(
    r"\b(?:short(?:er|en)?|brief(?:ly|er)?|concise(?:ly)?|condense|tl;? ?dr|summari[sz]e|sum up|one|two|few|fewer|less|"
    r"too long)\b"
)
_ASKED_PLACES = {"first": 0, "original": 0, "beginning": 0, "second": 1, "third": 2}


def recognise(asked: str, history: Sequence[Turn] = ()) -> Said:
    """What a tidied utterance wants. history: oldest turn first; some requests make sense only after an answer."""
    language = foreign_language(asked)
    if language:
        return Said("other_language", target=language)
    if len(asked) > LONGEST:
        return Said()
    whole = " ".join(fold(asked).casefold().strip(" .?!…:;,-—()\"'“”👍🙏😀🙂").split())
    core = AFTER.sub("", BEFORE.sub("", whole, count=1).strip(" ,.!")).strip(" ,.!")
    for text in dict.fromkeys((_bare(whole), _bare(core))):
        for intent, pattern in _COMPILED:
            if text and pattern.fullmatch(text):
                return _detailed(intent, text, history)
    summary = SUMMARISE.fullmatch(core)
    if summary:
        target = next(group for group in summary.groups() if group)
        if not SEVERAL.search(target):
            start = fold(asked).casefold().find(target)
            named = asked[start : start + len(target)] if start >= 0 and len(fold(asked)) == len(asked) else target
            return Said("summarise", target=_name(named))
    return Said()


def wants_no_search(said: Said, mode: Mode) -> bool:
    """Whether a reply needs nothing but what is known already. A model can put an answer into other words."""
    return said.intent not in SEARCHED and not (
        said.form == "other" and said.intent == "transform" and mode == "generative"
    )


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[,.!?]+(?= |$)", " ", text).split())


def _name(target: str) -> str:
    return FRAME.sub("", target.strip(" \"'“”")).strip(" \"'“”") or target


def _detailed(intent: Intent, text: str, history: Sequence[Turn]) -> Said:
    if intent == "transform":
        return Said(intent, form=_form(text)) if history else Said()
    if intent != "conversation":
        return Said(intent)
    if re.search(r"\bi\b|\bmy\b|\bwe\b", text):
        place = next((_ASKED_PLACES[word] for word in text.split() if word in _ASKED_PLACES), -1)
        return Said(intent, form="asked", place=place)
    if re.search(r"\b(?:sources?|references|citations|where|use[d]?|cite[d]?|quote[d]?|based?|from)\b", text):
        return Said(intent, form="sources")
    return Said(intent, form="repeat")


def _form(text: str) -> Form:
    if re.search(r"\b(?:table|tabular)\b", text):
        return "table"
    if re.search(r"\b(?:bullet(?:s|ed)?|points?|lists?|numbered)\b", text):
        return "list"
    if _SHORTER.search(text):
        return "shorter"
    return "other"
