"""The server: API routers, the guard before them, MCP, and the chat page at "/"."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before Gradio is imported anywhere: it reports by default

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI, Request

    from rag.settings import Settings
    from ui.services import Services


def create_app(services: Services, page: gr.Blocks | None = None, look: Mapping[str, Any] | None = None) -> FastAPI:
    """The whole server over these services, which stay the caller's to close.

    page: mounted at "/"; without it there is the API alone. look: arguments for ``gradio.mount_gradio_app`` that decide
    how the page looks (theme, css, js, head, ...).
    """
    from fastapi import FastAPI

    app = FastAPI(title="Readback", docs_url=None, redoc_url=None)
    app.state.services = services
    if page is not None:
        import gradio

        gradio.mount_gradio_app(app, page, path="/", auth_dependency=user_id, show_error=False, **(look or {}))
    return app


def user_id(request: Request) -> str:
    """The pseudonymous id behind a request: what Gradio's handlers see as ``gr.Request.username``."""
    return str(getattr(request.state, "user", "local"))


def page_of(services: Services) -> tuple[gr.Blocks, dict[str, Any]]:
    """The chat page, and how it looks: ``ui.page.build_page(services)`` and, if there, ``ui.page.look()``."""
    import ui.page

    return ui.page.build_page(services), dict(getattr(ui.page, "look", dict)())


def serve(settings: Settings) -> None:
    """Serve page and API until interrupted. Raises ReadbackError, with one line for the user, if that cannot be."""
    import uvicorn

    from ui.services import Services

    with Services.open(settings) as services:
        page, look = page_of(services)
        uvicorn.run(create_app(services, page, look), host=settings.host, port=settings.port, log_level="warning")
