"""The kind of thing that would answer a question, from its English wording. General rules; none is about a subject."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from rag.text import stem

Form = Literal["how", "why", "whether"]

_NUMBER = re.compile(
    r"\b(how (much|many|often|long|large|big|small|fast|far|high|low|few)|"
    r"(what|which) (percentage|percent|fraction|share|number|size|score|rate|accuracy|ratio|proportion|margin|gain|"
    r"year|improvement|reduction|increase|speed-?up)|by what|percent(age)?|"
    r"what (was|is|were|are) the (\w+ ){0,3}(improvement|gain|reduction|increase|cost|score|accuracy|size|number|rate|"
    r"ratio|percentage|margin|speed-?up)s?|number of|size of)\b",
    re.IGNORECASE,
)
_EFFECT = re.compile(
    r"\b(improv\w*|outperform\w*|better|gain|effect\w*|result\w*|reduc\w*|wins?|beat\w*|help\w*|worse|perform\w*|"
    r"compar\w*|impact|benefit\w*|does (it|this|that) work|how well|pay off)\b",
    re.IGNORECASE,
)
_FORMS: Mapping[Form, re.Pattern[str]] = {
    "why": re.compile(r"\bwhy\b", re.IGNORECASE),
    "how": re.compile(r"\bhow\b(?! (?:many|much|often|long|large|big|small|fast|far|high|low)\b)", re.IGNORECASE),
    "whether": re.compile(r"^\W{0,9}(?:is|are|does|do|did|can|could|was|were|has|have|should|will)\b", re.IGNORECASE),
}
# Words of asking about research that say little about the subject, and that an answer may put otherwise.
GENERIC = frozenset(
    stem(word)
    for word in "improve improvement reduce reduction increase decrease achieve perform performance use need require "
    "help make method approach technique system result better good well best worse gain gains try large small new "
    "different evaluate measure report effect effective way ways propose introduce present kind type number size "
    "amount percentage percent score main key important possible able exist existing happen get take turn keep "
    "change come go put work solve address people someone team instead based done goal idea".split()
)


def wants_number(question: str) -> bool:
    """Whether a quantity is asked for."""
    return bool(_NUMBER.search(question))


def wants_effect(question: str) -> bool:
    """Whether it is asked what came out."""
    return bool(_EFFECT.search(question))


def form(question: str) -> Form | None:
    """Whether a reason, a way or a yes or no is asked for; None where it is a thing, or the question has no verb."""
    return next((form for form, pattern in _FORMS.items() if pattern.search(question)), None)
