"""A long sentence in the parts that can be true or false by themselves."""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.text import content_stems
from rag.verify.kinds import kind_of, leads

_SEAM = re.compile(
    r";\s{1,3}|\s{0,3}\|\s{0,3}|,?\s(?:while|whereas)\s|,\s(?:but|although)\s|"
    r",\sand\s(?=(?:they|it|this|these|the authors)\s)"
)
_FEWEST = 3  # content words that a part must have
_MOST = 8


def parts_of(text: str, known: Collection[str] = ()) -> list[str]:
    """The claims that a sentence joins by ";", "while", "but" or the bars of a table, in order; at least one.

    What says what the papers leave out ("…, but no number is given") is no claim, and is left out; so is what only
    leads to a claim ("It was the other way round: …"). known: stems of the papers, which lead to a claim as well.
    """
    lead, colon, rest = text.partition(": ")
    if colon and len(content_stems(rest)) >= _FEWEST and leads(lead, known):
        text = rest
    found: list[str] = []
    for part in _SEAM.split(text, maxsplit=_MOST - 1):
        if found and min(len(content_stems(part)), len(content_stems(found[-1]))) < _FEWEST:
            found[-1] += f", {part}"
        else:
            found.append(part)
    claims = [part for part in found if kind_of(part)[0] == "claim"]
    return claims or [text]
