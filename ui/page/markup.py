"""The only way from text to HTML: everything is escaped here, and only http links become links."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # controls; marks that reorder text
_MARKER = re.compile(r"\[(\d{1,3})\]")


def esc(text: object) -> str:
    """Text as HTML that shows just this text, in content and in quoted attributes alike."""
    return html.escape(_UNSEEN.sub("", str(text)), quote=True)


def attributes(values: Mapping[str, object]) -> str:
    """``name="value"`` pairs with a space in front; None and False leave one out, True gives its bare name."""
    parts = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        parts.append(f" {name}" if value is True else f' {name}="{esc(value)}"')
    return "".join(parts)


def button(
    text: str,
    do: str,
    *,
    cls: str = "quiet",
    title: str | None = None,
    label: str | None = None,
    pressed: bool | None = None,
    **data: object,
) -> str:
    """A button that the page's script acts on. label: what it is called aloud, if not its text. data: for the script."""
    named: dict[str, object] = {"type": "button", "class": cls, "data-do": do, "title": title, "aria-label": label}
    if pressed is not None:
        named["aria-pressed"] = "true" if pressed else "false"
    named |= {f"data-{name.replace('_', '-')}": value for name, value in data.items()}
    return f"<button{attributes(named)}>{esc(text)}</button>"


def web_link(url: str | None) -> str | None:
    """The address if it is a plain web address, else None: an address in a paper's record may be anything."""
    if not url:
        return None
    url = _UNSEEN.sub("", url).strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def linked_title(title: str, url: str | None) -> str:
    """A paper's title, as a link out if an address is known."""
    address = web_link(url)
    if address is None:
        return f'<span dir="auto">{esc(title)}</span>'
    return f'<a href="{esc(address)}" target="_blank" rel="noopener noreferrer" dir="auto">{esc(title)}</a>'


def with_markers(text: str, turn: int, known: Sequence[int], titles: Sequence[str] = ()) -> str:
    """A sentence with its [n] as links to the evidence; markers that are not known stay text.

    titles: papers named in it, which are set apart from what is said about them.
    """
    pieces = []
    place = 0
    for match in _MARKER.finditer(text):
        pieces.append(_with_titles(text[place : match.start()].rstrip(" "), titles))
        number = int(match.group(1))
        if number in known:
            pieces.append(
                f'<a class="cite" href="#quote-{turn}-{number}" data-do="cite" data-turn="{turn}" data-n="{number}"'
                f' aria-label="Evidence {number}">[{number}]</a>'
            )
        else:
            pieces.append(f'<span class="cite idle">[{number}]</span>')
        place = match.end()
    pieces.append(_with_titles(text[place:], titles))
    return "".join(pieces)


def _with_titles(text: str, titles: Sequence[str]) -> str:
    for title in titles:
        before, found, after = text.partition(title)
        if found:
            return f"{esc(before)}<cite>{esc(title)}</cite>{esc(after)}"
    return esc(text)
