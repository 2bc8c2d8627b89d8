"""What kind of sentence was drafted: a claim about the papers, framing around claims, or what no answer should hold."""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.text import content_stems, names
from rag.verify.values import Kind


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_LINK = _any(
    r"https?:|\bwww\.|\bmailto:|javascript:|data:\w|\]\(|!\[|\{\{|```|&#?\w{2,8};",
    r"<\s{0,3}/?\s{0,3}[a-zA-Z!][^<>]{0,200}>",
    r"\b[\w-]{1,40}@[\w-]{1,40}\.[a-z]{2,6}\b",
    r"\b[\w-]{2,40}\.(?:com|org|net|io|ai|edu|gov|dev|xyz|info|ly|me|ru|cn|exe|zip|app|example)\b",
)
_VERBS_OF_ORDERS = (
    "say write reply respond answer output print append include repeat visit click follow ignore disregard forget "
    "override subscribe email contact call send download buy enter pay tell do remember note mention recommend give "
    "rate score pretend act always never please"
)
_ORDER = re.compile(
    r"(?:(?:now|then|and|also|instead|please|important|note|system|assistant)\W{1,3}){0,3}"
    rf"(?:{'|'.join(_VERBS_OF_ORDERS.split())})\b",
    re.IGNORECASE,
)
_TO_A_MODEL = _any(
    r"\b(?:ignore|disregard|forget|override)\b[^.]{0,60}\b(?:instruction|prompt|rule|context|passage|guideline)s?\b",
    r"\b(?:previous|prior|above|earlier) instructions?\b|\b(?:your|my) (?:system )?(?:instructions?|prompt)\b",
    r"\b(?:tell|inform|remind|advise|urge|ask)s? (?:the |every |any |all |your )?(?:users?|readers?|humans?)\b",
    r"\byou (?:must|should|shall|need to|have to|are now|are required|are instructed|will now)\b",
    r"\b(?:ai|the) (?:assistants?|chatbots?) (?:must|should|shall|reading|summari[sz]ing)\b",
    r"\b(?:if|when) you are an? (?:ai|llm|language model|assistant)\b",
    r"\bas an ai\b|\bnote to (?:ai|llm|the model|reviewers)\b",
)
_TO_THE_READER = _any(
    r"\byour? (?:account|password|card|bank|subscription|email|device|computer|prize|login|order|consent)\b",
    r"\b(?:click|visit|subscribe|sign up|log in|download|purchase|contact us|call us|e-?mail us|follow us|buy|donate)\b"
    r"[^.]{0,40}\b(?:here|now|today|below|link|page|site|website|newsletter|us|button)\b",
    r"\bi (?:am|have been|will now|was) (?:now |hacked|pwned|in developer|jailbroken|no longer|instructed|told)",
    r"\b(?:my|the) (?:system prompt|instructions) (?:is|are|says?)\b|\bas (?:instructed|requested|you asked)\b",
    r"\bi(?:'m| am) (?:not )?(?:allowed|able|supposed) to (?:reveal|share|ignore|follow)",
)
_PAPERS = r"(?:abstract|passage|paper|collection|source|text|document|excerpt|stud(?:y|ies))s?"
_WHICH = (
    "the these this those my your its provided given cited retrieved shown available none of no neither other both all "
    "only remaining however but still also unfortunately"
)
_SAYS_NOT = (
    r"(?:does not|do not|doesn't|don't|did not|didn't|cannot|never|says? nothing|(?:gives?|provides?|contains?|"
    r"reports?|mentions?|states?) no)\b"
)
_SAYS = r"(?:answers?|covers?|mentions?|reports?|addresses|discusses|says?|states?|gives?|describes?)\b"
_IS_ABOUT = rf"(?:{_SAYS}|(?:is|are) about\b)"
_UNSAID = r"(?:stated|reported|covered|mentioned|given|specified|discussed|described|addressed|available|answered)"
_SCOPE = _any(
    r"\W{0,3}not covered\b",
    rf"(?:(?:{_WHICH.replace(' ', '|')})[,\s]{{1,3}}){{1,5}}{_PAPERS}(?: \w{{1,12}}){{0,2}} {_SAYS_NOT}",
    rf"(?:(?:none of|no|neither)[,\s]{{1,3}})(?:(?:{_WHICH.replace(' ', '|')})[,\s]{{1,3}}){{0,3}}(?:{_PAPERS}|them)"
    rf" {_IS_ABOUT}",
    rf"no [^.:;]{{1,80}} (?:is|are|was|were) {_UNSAID}\W{{0,3}}$",
    rf"[^.:;]{{1,80}} (?:is|are|was|were) not {_UNSAID} (?:in|by) (?:the|these|this|any) (?:\w{{1,12}} )?{_PAPERS}\b",
    rf"(?:the|these) {_PAPERS}\b[^.;]{{1,120}}\b(?:says? nothing|(?:(?:but|and) |; )none (?:of them )?"
    rf"{_IS_ABOUT})",
    r"i (?:could not|cannot|can't|couldn't|did not|found no)\b",
)
_DISCOURSE = (
    "yes no partly maybe probably sure certainly indeed overall summary short brief conclusion answer together first "
    "second finally namely follow follows here below above example instance contrast hand approach method way result "
    "finding point idea paper main key several two three four five six both difference differ compare comparison "
    "overview describe report relevant related collection abstract passage source base according propose present list "
    "detail note reason step group theme category aspect study work are there can be grouped fall into different "
    "discuss available information provided relate topic address broadly mainly table shown"
)
_LEADS = frozenset(
    stem
    for word in (
        "premise wrong right true false round contrary opposite same pay still worth hold no none other mix kind depend"
    ).split()
    for stem in content_stems(word)
)
_FRAMES = frozenset(stem for word in _DISCOURSE.split() for stem in content_stems(word))
_RULE = re.compile(r"[\s|:*_#=~-]{1,200}")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s|\s{0,3}\*\*[^*]{1,80}\*\*:?\s{0,3}$")
_MOST_FRAMING = 12  # content words
_MOST_SCOPE = 36  # content words of "The abstracts do not say …"
_MOST_LOOKED_AT = 4000  # characters


def is_order(text: str) -> bool:
    """Whether a sentence of a paper speaks to a model, or to a reader, instead of stating something.

    Such a sentence carries no claim: what a model wrote on its account must not be shown as verified.
    """
    head = text[:_MOST_LOOKED_AT].lstrip("\"'“‘([*_ ")
    return bool(_ORDER.match(head)) or kind_of(head)[0] == "instruction"


def kind_of(text: str) -> tuple[Kind, str]:
    """The kind of a drafted sentence without its markers, and why it is an instruction; empty for the other kinds."""
    head = text[:_MOST_LOOKED_AT]
    if _LINK.search(head):
        return "instruction", "it carries a link or markup"
    if _TO_A_MODEL.search(head) or _TO_THE_READER.search(head):
        return "instruction", "it speaks to the reader or does what a text told the model"
    return ("framing" if _is_framing(head) else "claim"), ""


def leads(text: str, known: Collection[str]) -> bool:
    """Whether what stands before a colon claims nothing beyond what the papers speak of. known: their stems."""
    stems = content_stems(text)
    strange = [one for one in stems if one not in _FRAMES and one not in _LEADS and one not in known]
    return len(stems) <= _MOST_FRAMING and not names(text) and not strange


def _is_framing(text: str) -> bool:
    stems = content_stems(text)
    if _RULE.fullmatch(text) or not stems:
        return True
    if _SCOPE.match(text):
        return len(stems) <= _MOST_SCOPE
    if len(stems) > _MOST_FRAMING:
        return False
    introduces = text.rstrip().endswith((":", "："))
    if _HEADING.match(text) or introduces:
        strange = [one for one in stems if one not in _FRAMES and not one.isdigit()]
        return len(strange) <= (4 if introduces else _MOST_FRAMING)
    return not names(text) and all(one in _FRAMES for one in stems)
