"""The two things that a question compares."""

from __future__ import annotations

import re

from rag.text import STOP_WORDS, content_stems, names, words
from rag.text.fold import fold

MOST_WORDS = 9  # of one side
_SIDE = r"([^,;:?!()]{2,90}?)"
_NAME = r"((?:the |an? )?[\w^+.-]{2,40}(?: (?!on |in |to |for |of )[\w^+.-]{2,40}){0,4}?)"
_END = r"(?=\s*(?:$|[,;:?!]|\.\s|\.$| [-–—] |\b(?:in|on|when|if|regarding|with respect|when it comes)\b))"
_FORMS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bdifferences? between {_SIDE} and {_SIDE}{_END}",
        rf"\b(?:how|where|in (?:what|which) (?:way|respect|ways|respects)) (?:does|do|did|is|are) {_SIDE} "
        rf"(?:differ|different|differs) (?:from|to) {_SIDE}{_END}",
        rf"\bhow (?:does|do|did) {_SIDE} compare (?:to|with|against) {_SIDE}{_END}",
        rf"\bcompar(?:e|ing|ison (?:of|between)) {_SIDE} (?:and|with|to|against) {_SIDE}{_END}",
        rf"\b(?:choos(?:e|ing)|decid(?:e|ing)|choice) between {_SIDE} (?:and|or) {_SIDE}{_END}",
        rf"\b(?:is|are|does|do) {_SIDE} (?:any )?(?:(?:work )?(?:better|worse)|faster|cheaper|(?:more|less) \w+) "
        rf"than {_SIDE}{_END}",
        rf"^(?:what about |is it |which is better,? )?{_SIDE} (?:vs\.?|versus) {_SIDE}{_END}",
        rf"^(?:which is (?:\w+ )?\w+[,:] |should i (?:use|take|pick) )?{_NAME} or {_NAME}\s*(?=[?:]|$| [-–—] | for )",
    )
)
_EACH = re.compile(r"\b(?:does|do|did|is) (\S{2,40}) .{1,80}\b(?:does|do|did|is) (\S{2,40})\b")
_JOINING = frozenset("a an the of for with and in on to as by from".split())  # words that a noun phrase may hold
_ARTICLE = re.compile(r"^(?:the|a|an|both|using|with) ", re.IGNORECASE)


def sides(question: str) -> tuple[str, ...]:
    """What is compared, as worded: two things, or none if the question compares nothing."""
    text = fold(question)[:400]
    for pattern in _FORMS:
        match = pattern.search(text)
        if match:
            found = tuple(_ARTICLE.sub("", side.strip(" \"'“”-–—.")) for side in match.groups())
            if all(_is_side(side) for side in found):
                return found
    match = _EACH.search(text)
    if match and all(names(side) for side in match.groups()):
        return tuple(match.groups())
    return ()


def _is_side(side: str) -> bool:
    """A noun phrase: no words of asking, and something that can be looked for."""
    found = words(side)
    return len(found) <= MOST_WORDS and not (STOP_WORDS - _JOINING) & set(found) and bool(content_stems(side))
