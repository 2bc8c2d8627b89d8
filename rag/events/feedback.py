"""Which feedback makes sense: the rules for kinds, values and papers, in one table."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from rag.events.errors import EventRefused
from rag.events.records import Kind

ANSWERED = ("yes", "partly", "no")
REASONS = ("wrong_paper", "not_supported", "incomplete", "wrong_refusal", "too_long")
USEFUL = ("useful", "not_useful")
COMMENT_CHARS = 4_000
EDIT_CHARS = 20_000
DWELL_SECONDS = 86_400.0  # a day: more is a forgotten tab
ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """What feedback of one kind may say."""

    choices: tuple[str, ...] = ()  # the value is one of these
    text_chars: int = 0  # or a text up to this length
    seconds: bool = False  # or a duration; otherwise there is no value
    paper: Literal["needed", "allowed", "no"] = "no"
    any_paper: bool = False  # the paper need not be one of the answer's


RULES: dict[Kind, Rule] = {
    "answered": Rule(choices=ANSWERED),
    "reason": Rule(choices=REASONS, paper="allowed", any_paper=True),  # may name the paper that was missed
    "withdraw": Rule(choices=REASONS),  # a reason given before
    "comment": Rule(text_chars=COMMENT_CHARS, paper="allowed"),
    "edit": Rule(text_chars=EDIT_CHARS),
    "evidence": Rule(choices=USEFUL, paper="needed"),
    "open": Rule(paper="needed"),
    "copy": Rule(paper="allowed"),
    "dwell": Rule(seconds=True, paper="allowed"),
    "stop": Rule(),
    "rephrase": Rule(text_chars=COMMENT_CHARS),  # the question that was asked instead
}
TEXT_KINDS = tuple(kind for kind, rule in RULES.items() if rule.text_chars)  # their values are a person's own words


def checked_kind(kind: str) -> Kind:
    """The kind, if it is one. Raises EventRefused listing the kinds there are."""
    for known in RULES:
        if kind == known:
            return known
    raise EventRefused(f"Unknown kind of feedback: use one of {', '.join(RULES)}.")


def checked_value(kind: Kind, value: Any) -> str | float | None:
    """The value in the form it is stored in. Raises EventRefused saying what this kind takes."""
    rule = RULES[kind]
    if rule.choices:
        if isinstance(value, str) and value in rule.choices:
            return value
        raise EventRefused(f"Feedback of kind {kind} takes one of {', '.join(rule.choices)}.")
    if rule.text_chars:
        text = storable(value).strip() if isinstance(value, str) else ""
        if 0 < len(text) <= rule.text_chars:
            return text
        raise EventRefused(f"Feedback of kind {kind} takes a text of 1 to {rule.text_chars} characters.")
    if rule.seconds:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value) and 0 <= value <= DWELL_SECONDS:
            return float(value)
        raise EventRefused(f"Feedback of kind {kind} takes seconds, from 0 to {DWELL_SECONDS:.0f}.")
    if value is not None:
        raise EventRefused(f"Feedback of kind {kind} takes no value.")
    return None


def check_paper(kind: Kind, paper_id: str | None, papers: Collection[str]) -> None:
    """Raise EventRefused unless the kind may be about this paper. papers: ids of the answer's papers."""
    rule = RULES[kind]
    if paper_id is None:
        if rule.paper == "needed":
            raise EventRefused(f"Feedback of kind {kind} needs the id of a paper.")
    elif rule.paper == "no":
        raise EventRefused(f"Feedback of kind {kind} is about the whole answer: it takes no paper.")
    elif not rule.any_paper and paper_id not in papers:
        raise EventRefused("That paper is not one of this answer's.")


def checked_id(what: str, value: Any) -> str:
    """An id as it can be stored. Raises EventRefused naming what it is the id of."""
    if isinstance(value, str) and 0 < len(value) <= ID_CHARS and value.isprintable():
        return value
    raise EventRefused(f"The id of the {what} must be 1 to {ID_CHARS} printable characters.")


def storable(text: str) -> str:
    """The text without what a database refuses: NUL characters and halves of surrogate pairs become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
