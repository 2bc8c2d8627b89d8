"""Conversation → what its next question refers to, by rules of English."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.policy import FollowUps, Leaning, Policy
from rag.query.intent import SEARCHED
from rag.text import content_stems, names
from rag.types import Intent, Turn

MAX_CARRIED = 600  # characters of earlier questions that are carried over
RICH = 5  # content words from which a question names its own topic even if it says "it"
FULL = 10  # ... even if it says "this method": the method is one that it describes itself
POOR = 1  # content words up to which a question in a conversation cannot stand alone
BRIEF = 3  # ... up to which it may lean on what was before, though no word says so
ABOUT = " (about: "

_OPENS = re.compile(
    r"^\W{0,5}(and|but|or|also|so|then|ok(ay)?|what about|how about|what of|same (question )?(for|with)|"
    r"why( not)?\W{0,5}$|really)\b",
    re.IGNORECASE,
)
_SUBSTITUTES = re.compile(
    r"^\W{0,5}((and|but|so|then|ok(ay)?)\W{1,5})?(what about|how about|what of|same (question )?(for|with)|"
    r"(and|or)\W{1,5}(for|in|on|with))\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\bthe (first|second|third|fourth|fifth|last|former|latter)"
    r"(?= (one|paper|work|method|approach|study|of (them|these|those))\b|\W{0,5}$|[,.?!;:’']"
    r"| (is|was|does|did|do|has|can|could|would|and|or|also|uses?|needs?|works?)\b)",
    re.IGNORECASE,
)
_PLACES = {"first": 0, "former": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "latter": -1}
_SWITCHES = re.compile(
    r"\b(unrelated|by the way|btw|something else|(new|other|another|different) (topic|question|subject|matter)|"
    r"chang(e|ing) (of|the) (topic|subject))\b",
    re.IGNORECASE,
)
_MANY_BACK = re.compile(
    r"\b(they|them|their|theirs|these|those|both|the others?|the (papers|works|methods|approaches|datasets|studies|"
    r"two|three))\b",
    re.IGNORECASE,
)
_ONE_BACK = re.compile(
    r"\b(it|its|this|that one|the one (about|on|from|with)|the same|there(?=\W{0,5}$)|(the|that) (method|approach|"
    r"paper|work|model|system|framework|dataset|corpus|technique|study|authors?|idea|algorithm|benchmark|results?|experiments?|evaluation|improvement|gain|code|data|"
    r"training|baselines?|metrics?|limitations?)|(does|do|did|is|was|can|could|would|about|of|than|with|without|for|"
    r"like) that)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(  # at something in the last answer, and says by what it is known
    r"\bthe (\w{1,20} )?ones? (about|on|from|with|that|for|by|using)\b|\bthere(?=\W{0,5}$)",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"^\W{0,5}(no|nope|not that( one)?|wrong|sorry|actually)\b\W|\bi (meant?|was asking)\b", re.IGNORECASE
)
_OPENING = re.compile(  # what leads over to another subject, and is not part of it
    r"^[^?]{0,60}?\b(unrelated|by the way|btw|(something|anything) (else|different)( entirely)?|"
    r"((new|other|another|different) (topic|question|subject|matter)|chang(e|ing) (of|the) (topic|subject)))\b"
    r"[\s:,.;-]*(?=\w)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^\W{0,5}(what|who) (is|are|'s|’s)\b", re.IGNORECASE)  # "What is RAPL?"
_STRONG = re.compile(
    r"\bof (them|these|those)\b|\b(this|that|the same) (paper|work|method|approach|study|one)\b", re.IGNORECASE
)
_OF_THE_SET = re.compile(r"\b(which|any|some|one|all|none|each|either) of (them|these|those)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A question and what earlier turns contribute to it."""

    standalone: str  # understandable without the conversation
    own: str  # the words that ask
    carried: str = ""  # what was carried over, to be searched for beside it
    lean: float = 0.0  # how far it needs what was before: 0 it stands alone, 1 it means nothing without
    papers: tuple[str, ...] = ()  # ids of the papers that it may be about
    within: bool = False  # it asks about these papers alone
    intent: Intent = "question"
    queries: tuple[str, ...] = ()  # further searches that a plan asks for
    wish: str = ""  # form or language that a plan asks for
    earlier: str = ""  # the answer that is to be reworked


def resolve_by_rule(
    question: str,
    history: Sequence[Turn],
    starts_afresh: Callable[[str, str], bool] = lambda _own, _before: False,
    policy: FollowUps | None = None,
) -> Resolved:
    """What the question's wording says about its place in the conversation.

    starts_afresh: whether a question brings a name of its own that the earlier text does not have. policy: None for
    what comes with this version.
    """
    leaning = (policy or Policy.default().follow_ups).leaning
    own, about, carried = question.partition(ABOUT)
    if about and own.strip() and carried.endswith(")"):  # it was made stand-alone before
        return Resolved(question, own, carried[:MAX_CARRIED].removesuffix(")"), leaning.restated)
    history = [turn for turn in history if turn.intent in SEARCHED]  # thanks are not what a follow-up is about
    if not history:
        return Resolved(question, question)
    last = history[-1]
    ordinal = _ORDINAL.search(question)
    if ordinal:
        found = _counted(question, last, _PLACES[ordinal.group(1).casefold()], leaning.counted)
        if found is not None:
            return found
    corrected = corrects(question)
    lean = _lean(question, leaning)
    before = _topic(question, last, corrects=corrected)
    if (lean < leaning.shown or not _refers(question)) and starts_afresh(question, f"{before} {' '.join(last.cited)}"):
        lean = 0.0
    carried = before[:MAX_CARRIED] if lean else ""
    standalone = f"{question}{ABOUT}{carried})" if lean >= leaning.shown else question
    within = bool(_OF_THE_SET.search(question) or _POINTS.search(question)) and len(last.papers) > 1 and not corrected
    own = question if lean else _OPENING.sub("", question, count=1)
    return Resolved(standalone, own, carried, lean, () if corrected or not lean else last.papers, within)


def corrects(question: str) -> bool:
    """Whether it says that the last answer was about something else."""
    return bool(_CORRECTS.search(question))


def _counted(question: str, last: Turn, place: int, lean: float) -> Resolved | None:
    """What "the second one" stands for: of several things that were just named, else of the papers just cited."""
    named = list(dict.fromkeys(names(last.question)))
    if len(named) > 1 and -1 <= place < len(named):
        return Resolved(f"{question}{ABOUT}{named[place]})", question, named[place], lean)
    if -1 <= place < len(last.cited):
        title = last.cited[place]
        papers = last.papers[place : place + 1 or None] if len(last.papers) == len(last.cited) else ()
        return Resolved(f"{question}{ABOUT}{title})", question, title, lean, papers, within=bool(papers))
    return None


def _lean(question: str, by: Leaning) -> float:
    if _SWITCHES.search(question):
        return 0.0
    own = len(set(content_stems(question)))
    if own <= POOR:
        return by.names if own and _NAMED.search(question) else 1.0
    if _POINTS.search(question):  # its own words say which of the papers is meant
        return by.points
    if _OPENS.search(question) or (own < FULL and _STRONG.search(question)):
        return by.opens
    back = _ONE_BACK.search(question) or _MANY_BACK.search(question)
    if back:  # a pronoun behind two words of substance may well stand for these
        at_itself = own >= RICH or len(content_stems(question[: back.start()])) >= 2
        return by.back_at_itself if at_itself else by.back
    return by.brief if own <= BRIEF else by.otherwise


def _refers(question: str) -> bool:
    """Whether a word of the question points back, so that a name of its own does not start afresh."""
    return any(
        pattern.search(question) for pattern in (_OPENS, _POINTS, _SUBSTITUTES, _ONE_BACK, _MANY_BACK, _STRONG)
    ) and not _SWITCHES.search(question)


def _topic(question: str, last: Turn, *, corrects: bool) -> str:
    """What the last turn was about: the paper that answered it, or what it asked and had itself carried over."""
    bare, _, carried = last.standalone_question.partition(ABOUT)
    if corrects:  # the answer was about something else
        return bare
    if len(last.cited) == 1 and not _SUBSTITUTES.search(question) and not _MANY_BACK.search(question):
        return last.cited[0]
    parts = [bare, carried.removesuffix(")") or (last.cited[0] if last.cited else "")]
    return " — ".join(part for part in parts if part)
