"""Conversation → stand-alone question: by the model where there is one, else by a rule that carries the topic over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.chat_model import complete
from rag.ports import ChatModel
from rag.prompts import rewrite_messages
from rag.text import content_stems
from rag.types import Turn, Usage

MOST_TOKENS = 120  # a stand-alone question is short
TURNS = 6  # of history that the model is shown
RICH = 5  # content words from which a question names its own topic even if it says "it"
FULL = 10  # ... even if it says "this method": the method is one that it describes itself
POOR = 1  # content words up to which a question in a conversation cannot stand alone

_OPENS = re.compile(
    r"^\W*(and|but|or|also|so|then|ok(ay)?|what about|how about|what of|same (question )?(for|with)|"
    r"why( not)?\W*$|really)\b",
    re.IGNORECASE,
)
_SUBSTITUTES = re.compile(
    r"^\W*((and|but|so|then|ok(ay)?)\W+)*(what about|how about|what of|same (question )?(for|with)|"
    r"(and|or)\W+(for|in|on|with))\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\bthe (first|second|third|fourth|fifth|last|former|latter)"
    r"(?= (one|paper|work|method|approach|study|of (them|these|those))\b|\W*$|[,.?!;:’']"
    r"| (is|was|does|did|do|has|can|could|would|and|or|also|use|uses|need|needs|work|works)\b)",
    re.IGNORECASE,
)
_PLACES = {"first": 0, "former": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "latter": -1}
_MANY_BACK = re.compile(
    r"\b(they|them|their|theirs|these|those|both|(each|any|all|none|which|one|some|either) of (them|"
    r"these|those)|the others?|"
    r"the (papers|works|methods|approaches|datasets|studies|two|three))\b",
    re.IGNORECASE,
)
_ONE_BACK = re.compile(
    r"\b(it|its|this|that one|this one|the same|"
    r"(the|this|that|their|its) (method|approach|paper|work|model|system|framework|dataset|corpus|"
    r"technique|study|authors?|idea|"
    r"algorithm|benchmark|result|results|experiment|experiments|evaluation|improvement|gain|code|data|training|"
    r"baselines?|metrics?|limitations?))\b|"
    r"\b(does|do|did|is|was|can|could|would|about|of|than|with|without|for|like) that\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\bof (them|these|those)\b|\b(this|that|the same) (paper|work|method|approach|study|one)\b", re.IGNORECASE
)
_ABOUT = re.compile(r" \(about: (.*)\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A question that can be searched for."""

    standalone: str
    own: str  # the words that ask: the question without what was carried over from earlier turns
    usage: Usage = Usage()


def rewrite_with_model(question: str, history: Sequence[Turn], model: ChatModel) -> Rewritten:
    """Let the model resolve what the question refers to. Raises ProviderError.

    A reply that cannot be one question (empty, or far longer than what was asked) is not used: the rule decides then.
    """
    reply, usage = complete(model, rewrite_messages(question, history[-TURNS:]), MOST_TOKENS)
    lines = [line.strip().strip('"“”') for line in reply.strip().splitlines() if line.strip()]
    usable = len(lines) == 1 and len(lines[0]) <= 3 * len(question) + 300
    if not usable:
        return Rewritten(*_carried(question, history), usage)
    return Rewritten(lines[0], lines[0], usage)


def rewrite_by_rule(question: str, history: Sequence[Turn]) -> Rewritten:
    """Carry the topic of the last turn over if the question points back at it; else leave the question alone."""
    return Rewritten(*_carried(question, history))


def _carried(question: str, history: Sequence[Turn]) -> tuple[str, str]:
    topic = _topic(question, history[-1]) if history else None
    return (f"{question} (about: {topic})" if topic else question), question


def _topic(question: str, last: Turn) -> str | None:
    """What the question is about, if it does not say so itself."""
    if _ABOUT.search(question):
        return None  # it was made stand-alone before
    ordinal = _ORDINAL.search(question)
    if ordinal and last.cited:
        place = _PLACES[ordinal.group(1).casefold()]
        if -1 <= place < len(last.cited):
            return last.cited[place]
    if not _points_back(question):
        return None
    if _SUBSTITUTES.search(question) or _MANY_BACK.search(question) or len(last.cited) != 1:
        return _asked_before(last)
    return last.cited[0]


def _points_back(question: str) -> bool:
    own = len(set(content_stems(question)))
    if own <= POOR or _OPENS.search(question) or (own < FULL and _STRONG.search(question)):
        return True
    return own < RICH and bool(_ONE_BACK.search(question) or _MANY_BACK.search(question))


def _asked_before(last: Turn) -> str:
    """The last turn's own question, with what that one had carried over, and the paper that answered it."""
    carried = _ABOUT.search(last.standalone_question)
    bare = _ABOUT.sub("", last.standalone_question)
    parts = [bare, *([carried.group(1)] if carried else [])]
    if last.cited and not carried:
        parts.append(last.cited[0])
    return " — ".join(parts)
