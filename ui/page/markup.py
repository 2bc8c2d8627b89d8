"""The only way from text to HTML: every string is escaped unless it was made here, and only web links become links."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # controls; marks that reorder text
_MARKER = re.compile(r" *\[(\d{1,3})\]")
_EMPTY = frozenset({"input", "br"})


class Html(str):
    """HTML that ``el`` and ``join`` made. Any other string is text, however much it looks like HTML."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def esc(text: object) -> str:
    """Text as HTML that shows just this text, in content and in quoted attributes alike."""
    return html.escape(_UNSEEN.sub("", str(text)), quote=True)


def join(*children: Child) -> Html:
    """Children one after the other: Html as it is, strings escaped, None as nothing."""
    parts = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            parts.append(child if isinstance(child, Html) else esc(child))
        else:
            parts.append(join(*child))
    return Html("".join(parts))


def el(tag: str, /, *children: Child, **attributes: object) -> Html:
    """An element. ``cls`` is its class, ``data_do`` its data-do; None and False leave one out, True is bare."""
    parts = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
        parts.append(f" {written}" if value is True else f' {written}="{esc(value)}"')
    opening = f"<{tag}{''.join(parts)}>"
    return Html(opening if tag in _EMPTY else f"{opening}{join(*children)}</{tag}>")


def button(
    text: Child, do: str, *, cls: str = "quiet", pressed: bool | None = None, label: str | None = None, **more: object
) -> Html:
    """A button that the page's script acts on. label: what it is called aloud, if not its text."""
    state = None if pressed is None else "true" if pressed else "false"
    return el("button", text, type="button", cls=cls, data_do=do, aria_pressed=state, aria_label=label, **more)


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


def linked_title(title: str, url: str | None) -> Html:
    """A paper's title, as a link out if an address is known."""
    address = web_link(url)
    if address is None:
        return el("span", title, dir="auto")
    return el("a", title, href=address, target="_blank", rel="noopener noreferrer", dir="auto")


def with_markers(text: str, turn: int, known: Sequence[int], titles: Sequence[str] = ()) -> Html:
    """A sentence with its [n] as links to the evidence; markers that are not known stay text.

    titles: papers named in it, which are set apart from what is said about them.
    """
    pieces: list[Html] = []
    place = 0
    for match in _MARKER.finditer(text):
        before, link = text[place : match.start()], marker(turn, int(match.group(1)), known)
        head, space, word = before.rpartition(" ")
        if any(title in before for title in titles):
            pieces += [_with_titles(before, titles), link]
        else:  # the last word takes its marker along to the next line
            pieces += [join(head, space), el("span", word, link, cls="held")]
        place = match.end()
    return join(pieces, _with_titles(text[place:], titles))


def marker(turn: int, number: int, known: Sequence[int]) -> Html:
    """One [n]."""
    if number not in known:
        return el("span", f"[{number}]", cls="cite idle")
    return el(
        "a",
        f"[{number}]",
        cls="cite",
        href=f"#quote-{turn}-{number}",
        data_do="cite",
        data_turn=turn,
        data_n=number,
        aria_label=f"Evidence {number}",
    )


def _with_titles(text: str, titles: Sequence[str]) -> Html:
    for title in titles:
        before, found, after = text.partition(title)
        if found:
            return join(before, el("cite", title), after)
    return join(text)
