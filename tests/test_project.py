"""What surrounds the code says what is true: settings that exist, links that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from rag.settings import known_variables

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
SETTING = re.compile(r"^# ([A-Z_]+)=.*? {2,}# \S", re.MULTILINE)


def links(page: Path) -> Iterator[str]:
    """All that a page links to or shows."""
    for block in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        for part in block.children or ():
            yield from (str(target) for target in (part.attrGet("href"), part.attrGet("src")) if target)


def anchors(page: Path) -> set[str]:
    """The fragments by which the headings of a page can be reached."""
    titles = re.findall(r"^#+ +(.+?)\s*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def test_env_example_explains_every_setting_once() -> None:
    explained = SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
    assert sorted(explained) == sorted(known_variables())


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for link in links(ROOT / page):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (ROOT / page.parent / unquote(parts.path)).resolve() if parts.path else ROOT / page
        assert target.exists(), f"{page} links to {link}"
        if parts.fragment:
            assert parts.fragment in anchors(target), f"{page} links to {link}"


def test_a_hint_to_install_names_no_package_that_somebody_else_could_register() -> None:
    name = re.search(r'^name = "(.+?)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert name
    programs = [*ROOT.glob("rag/**/*.py"), *ROOT.glob("ui/**/*.py"), *ROOT.glob("eval/**/*.py")]
    hints = [
        (path.name, hint)
        for path in (*programs, *(ROOT / page for page in PAGES))
        for hint in re.findall(r"pip install[^\n`]*", path.read_text(encoding="utf-8"))
    ]
    assert hints
    assert [one for one in hints if re.search(rf"\b(?:readback|{re.escape(name[1])})\b", one[1])] == []
