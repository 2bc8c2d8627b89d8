"""Templates to HTML. Whatever people, papers and models wrote is escaped; only what templates say is markup."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ui.words import count, shortened

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # controls; marks that reorder text


def render(template: str, /, **values: Any) -> Markup:
    """A template of ``ui/templates``, filled. Raises jinja2.TemplateError: a bug."""
    return Markup(environment().get_template(f"{template}.html").render(**values))


@cache
def environment() -> Environment:
    """The templates, with their filters."""
    made = Environment(
        loader=PackageLoader("ui"),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(counted=count, shortened=shortened, web_link=web_link)
    return made


def visible(value: Any) -> Any:
    """A text without characters that cannot be seen; anything else as it is."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else _UNSEEN.sub("", value)


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
