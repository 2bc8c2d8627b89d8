"""The trending-papers listing: titles and abstracts on alternating lines, below the page's header.

Whoever copies the page gets its "Subscribe" button glued to the first title. Blank lines do not count.
"""

from __future__ import annotations

import re

from rag.corpus.blocks import lines
from rag.corpus.record import Fault, Items, Record, shortened

SOURCE = "trending papers listing"
MAX_TITLE_CHARS = 300  # longer, where a title is due, is an abstract whose title is missing
MIN_ABSTRACT_CHARS = 150  # shorter and without a full stop, where an abstract is due, is the next title

_HEADER = re.compile(r"\s*Get trending papers in your email inbox", re.IGNORECASE)
_BUTTON = re.compile(r"Subscribe(?!\s+\w)\s*")


def matches(text: str) -> bool:
    """Whether text begins like this format."""
    return _HEADER.match(text) is not None


def read(text: str, file: str) -> Items:  # noqa: ARG001 - all readers share one signature
    """Yield the records; a title or an abstract that is missing is a fault, and the pairing recovers after it."""
    title: str | None = None
    title_line = 0
    below_header = False
    for number, line in lines(text):
        content = line.strip()
        if _HEADER.match(content):
            below_header = True
            continue
        if below_header and (button := _BUTTON.match(content)):
            content = content[button.end() :]
        if not content:
            continue
        below_header = False
        if title is None:
            if len(content) > MAX_TITLE_CHARS:
                yield Fault(number, f'the title above "{shortened(content)}" is missing')
            else:
                title, title_line = content, number
        elif len(content) < MIN_ABSTRACT_CHARS and content[-1] not in ".!?)":
            yield Fault(title_line, f'the abstract of "{shortened(title)}" is missing')
            title, title_line = content, number
        else:
            yield Record(title_line, title, content, source=SOURCE, last_line=number)
            title = None
    if title is not None:
        yield Fault(title_line, f'the abstract of "{shortened(title)}" is missing')
