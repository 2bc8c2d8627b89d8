"""Pages from the templates beside this module: each one file that needs no network, in light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval.metrics.citation import shares_words
from eval.metrics.facts import holds_fact
from eval.table import ARROWS, digits_of

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """A page, or a part of one; whatever the values hold is escaped."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: dict[str, Any] = {
        "arrow": lambda measure: ARROWS[measure.better],
        "digits_of": digits_of,
        "holds_fact": holds_fact,
        "plotly": _plotly,
        "raw": lambda name: Markup((TEMPLATES / name).read_text("utf-8")),
        "shares_words": shares_words,
    }
    found.globals.update(helpers)
    return found


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())
