"""What does a sentence add to its papers: one more thing in a list, or people that they do not speak of?"""

from __future__ import annotations

from collections.abc import Sequence

from rag.text import content_stems, words
from rag.verify.anatomy import Anatomy
from rag.verify.clauses import BREAKS, tokens_of

_ENDS = BREAKS | frozenset("who that when where if because so than then in of for from on with at to as".split())
_LIST = 4  # words of one item
_PEOPLE = (  # words that may stand for each other; any of the first group for all
    "human people person individual participant volunteer user population adult subject respondent",
    "annotator rater evaluator labeler assessor reviewer",
    "physician doctor clinician nurse specialist professional expert practitioner",
    "patient inpatient outpatient",
    "men man male boy",
    "women woman female girl mother",
    "child children infant adolescent pediatric paediatric newborn neonate",
    "student learner pupil",
    "teacher instructor educator tutor",
    "worker crowdworker employee",
    "engineer developer programmer",
    "lawyer attorney",
    "scientist researcher",
    "customer consumer shopper buyer user",
    "supervisor supervision",
)
_GROUPS = tuple(frozenset(f"{word}{ending}" for word in group.split() for ending in ("", "s")) for group in _PEOPLE)


def added(sentence: str, quotes: Sequence[str], papers: Sequence[Anatomy]) -> str:  # noqa: ARG001
    """Each item of a list, and whoever a sentence speaks of, must be in the papers that it cites."""
    if not papers:
        return ""
    here = frozenset(part for paper in papers for word in words(paper.text) for part in (word, *word.split("-")))
    for word in words(sentence):
        groups = [group for group in _GROUPS if word in group]
        if groups and word not in here and not any(group & here for group in groups):
            return f"what it cites does not speak of {word}"
    there = frozenset().union(*(paper.stems for paper in papers))
    for item in _last_items(tokens_of(sentence)):
        stems = content_stems(item)
        if there.isdisjoint((*stems, *(f"{one}s" for one in stems))):
            return f"what it cites does not speak of {item}"
    return ""


def _last_items(tokens: Sequence[str]) -> list[str]:
    """What stands behind "and" or "or" in a list of things: "numbers, topics and grammar"."""
    found = []
    for place, token in enumerate(tokens):
        if token not in ("and", "or") or not place:
            continue
        end = next((at for at in range(place + 1, len(tokens)) if tokens[at] in _ENDS), len(tokens))
        item = tokens[place + 1 : end]
        closed = end == len(tokens) or not tokens[end].isalpha()
        verb = bool(item) and item[0].endswith(("s", "ed", "ly")) and not (closed and len(item) == 1)
        if content_stems(" ".join(item)) and len(item) <= _LIST and not verb and not item[0][0].isdigit():
            found.append(" ".join(item))
    return found
