"""The page as Gradio Blocks: one component that is the page, its calls into Python, and its streams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Blocks

from ui.access.door import asker_of
from ui.page.about import About
from ui.page.asking import Asking
from ui.page.calls import Call, Calls
from ui.page.conversations import Conversations
from ui.page.corrections import Corrections
from ui.page.examples import Examples
from ui.page.learning import Learning
from ui.page.library import Library
from ui.page.turns import Turns
from ui.page.uploads import Uploads
from ui.render import render

if TYPE_CHECKING:
    from ui.services import Asker, Services

ASSETS = Path(__file__).with_name("assets")
STYLES = ("tokens.css", "layout.css", "answer.css", "evidence.css", "papers.css", "learning.css", "print.css")
SCRIPTS = (
    "core.js",
    "ask.js",
    "evidence.js",
    "correct.js",
    "conversations.js",
    "papers.js",
    "learning.js",
    "start.js",
)
UPLOADS_KEPT = (3_600, 3_600)  # looked through every hour, for what was uploaded more than an hour ago; in seconds
QUIETLY = {
    "show_progress": "hidden",
    "trigger_mode": "multiple",
    "concurrency_limit": None,
    "api_visibility": "private",
}


def build_page(services: Services) -> Blocks:
    """The chat page over these services. Who is asking comes with each request, see ``whose``."""
    turns, about = Turns(services), About(services)
    asking, uploads = Asking(services, turns), Uploads(services)
    conversations, library = Conversations(services, turns), Library(services)
    learning = Learning(services)

    named: dict[str, Call] = {
        "list": conversations.list,
        "open": conversations.open,
        "version": conversations.version,
        "changed": conversations.changed,
        "trace": conversations.trace,
        "rename": conversations.rename,
        "delete": conversations.delete,
        "restore": conversations.restore,
        "feedback": Corrections(services).store,
        "export": conversations.export,
        "papers": library.table,
        "paper": library.paper,
        "similar": library.similar,
        "map": library.map,
        "remove": library.remove,
        "put_back": library.put_back,
        "examples": Examples(services).show,
        "about": about.show,
        "try_setup": about.try_out,
        "save_setup": about.save,
        "alive": asking.alive,
        "stop": asking.stop,
    }
    operating: dict[str, Call] = {
        "learning": learning.show,
        "promote": learning.promote,
        "rollback": learning.rollback,
        "try_out": learning.try_out,
        "end_trial": learning.end_trial,
        "pause": learning.pause,
        "resume": learning.resume,
    }
    calls = Calls(named | operating, for_operators=operating)

    def readback_call(given: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        asker = whose(request)
        return {**calls.run(given, asker.user, operator=asker.operator), "operator": asker.operator}

    def ask(event: gr.EventData, request: gr.Request) -> Iterator[str]:
        yield from asking.stream(event._data, whose(request))  # Gradio's only way to what was triggered

    def bring(event: gr.EventData, request: gr.Request) -> Iterator[str]:
        yield from uploads.stream(event._data, whose(request))

    def learn(request: gr.Request) -> Iterator[str]:
        yield from learning.stream(whose(request))

    page = Blocks(title="Readback", analytics_enabled=False, fill_width=True, delete_cache=UPLOADS_KEPT)
    with page:
        face = gr.HTML(
            html_template=shell(services.settings.question_chars),
            js_on_load=script(),
            apply_default_css=False,
            padding=False,
            server_functions=[readback_call],
        )
        face.ask(ask, None, face, **QUIETLY)
        face.bring(bring, None, face, **QUIETLY)
        face.learn(learn, None, face, **QUIETLY)
    page.queue(default_concurrency_limit=None, max_size=1_000, api_open=False)
    return page


def look() -> dict[str, Any]:
    """Arguments for ``gradio.mount_gradio_app``: no web font and no footer."""
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return {"theme": theme, "footer_links": [], "run_history": False}


def whose(request: Any) -> Asker:
    """Who sent this. Gradio hands a bare request to calls and its own kind to streams."""
    return asker_of(getattr(request, "request", None) or request)


@cache
def asset(name: str) -> str:
    """A file of the page, as text."""
    return (ASSETS / name).read_text("utf-8")


def shell(question_chars: int) -> str:
    """The page before anything is in it. Gradio reads it as a template, so what a template acts on is refused."""
    html = f"<style>{''.join(asset(name) for name in STYLES)}</style>{render('shell', question_chars=question_chars)}"
    found = [sign for sign in ("{{", "${", "`", "\\") if sign in html]
    if found:
        raise ValueError(f"{found} in the shell would be evaluated by the browser")
    return html


def script() -> str:
    """All scripts in their order, as the body of one function."""
    return "\n".join(asset(name) for name in SCRIPTS)
