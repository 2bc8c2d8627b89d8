"""The server: the gate, the API, MCP, and the chat page at "/"."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from rag.errors import ReadbackError, SettingsError

# before Gradio is imported anywhere: it reports how it is used, and asks for updates, unless told not to
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI
    from starlette.requests import Request

    from rag.settings import Settings
    from ui.services import Services

log = logging.getLogger(__name__)
DESCRIPTION = "Ask a collection of paper abstracts; every sentence of an answer can be read back against its source."
THREADS = 100  # answers being made at a time; each waits for its model in a thread


def create_app(services: Services, page: gr.Blocks | None = None, look: Mapping[str, Any] | None = None) -> FastAPI:
    """The whole server over these services, which stay the caller's to close.

    page: mounted at "/"; without it there is the API alone. look: arguments for ``gradio.mount_gradio_app`` that decide
    how the page looks (theme, css, js, head, ...). Raises SettingsError for a server that others can reach and that
    nobody has to log in to.
    """
    from anyio import to_thread
    from fastapi import FastAPI
    from starlette.requests import Request

    from ui import problems
    from ui.access.door import Door, asker_of
    from ui.access.gate import Gate
    from ui.access.login import login_routes
    from ui.api import answers, ask, conversations, docs, feedback, openai, operations, papers
    from ui.mcp import build

    door = Door.of(services.settings)
    mcp = build(services, lambda context: asker_of(cast(Request, context.request_context.request)))
    mcp_routes = mcp.streamable_http_app().routes

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        async with mcp.session_manager.run():
            yield

    app = FastAPI(title="Readback", description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.services, app.state.door = services, door
    app.state.probe = operations.ModelProbe(services)
    problems.install(app)
    app.add_middleware(Gate, door=door, services=services)
    for module in (ask, answers, openai, papers, feedback, conversations, operations, docs):
        app.include_router(module.router)
    app.include_router(login_routes(door, services))
    app.router.routes.extend(mcp_routes)
    if page is not None:
        _mount(app, page, look or {}, services.settings)
    return app


def page_of(services: Services) -> tuple[gr.Blocks, dict[str, Any]]:
    """The chat page, and how it looks: ``ui.page.build_page(services)`` and, if there, ``ui.page.look()``."""
    import ui.page

    return ui.page.build_page(services), dict(getattr(ui.page, "look", dict)())


def serve(settings: Settings, progress: Callable[[int], None] = lambda _: None) -> None:
    """Serve page and API until interrupted, and say on stderr where.

    progress: told how many more papers are indexed at the first start. Raises ReadbackError, with one line for the
    user, if it cannot be: a port that is taken, a server without a login that others could reach.
    """
    import uvicorn

    from ui.access.exposure import exposure_of
    from ui.server import GOODBYE_S, BoundedHead, Draining, allow_connections
    from ui.services import Services

    exposure_of(settings)  # before anything is opened
    allow_connections()
    taken = take_port(settings)
    with taken, Services.open(settings, progress) as services:
        page, look = page_of(services)
        app = create_app(services, page, look)
        config = uvicorn.Config(
            app,
            http=BoundedHead,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=settings.trusted_proxies is not None,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=int(GOODBYE_S) + 1,
        )
        signal.signal(signal.SIGTERM, _leave)
        _warm_up(app, services)
        try:
            Draining(config, services, address_of(taken)).run(sockets=[taken])
        except OSError as error:  # another server, started at the same time, was the first to listen
            raise _unusable(settings, error) from None


def _warm_up(app: FastAPI, services: Services) -> None:
    """Load now what the first requests would otherwise load, while others wait for the event loop."""
    from ui.server import favour_event_loop

    app.openapi()
    try:
        services.assistant.search(DESCRIPTION, 1)
    except ReadbackError as error:
        log.warning("questions cannot be answered yet: %s", error)
    favour_event_loop()


def _leave(*_: object) -> None:
    """Unwind, so that everything is closed: uvicorn sends itself the signal again once it has stopped serving."""
    raise SystemExit(0)


def take_port(settings: Settings) -> socket.socket:
    """A socket on the settings' host and port, taken before the slow part of the start. Raises SettingsError.

    Nobody listens on it yet: whoever connects before there are answers is refused at once, rather than kept waiting.
    """
    host = settings.host.strip("[]")
    try:
        found = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(
            f"READBACK_HOST: {settings.host} is no address of this machine ({error.strerror})."
        ) from None
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise _unusable(settings, error) from None
    return taken


def _unusable(settings: Settings, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"Port {settings.port} on {settings.host} is taken: stop what uses it, or set READBACK_PORT to another."
        )
    return SettingsError(f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}).")


def address_of(taken: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = taken.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def _mount(app: FastAPI, page: gr.Blocks, look: Mapping[str, Any], settings: Settings) -> None:
    import gradio
    from starlette.exceptions import HTTPException

    from ui.access.door import identity_of
    from ui.page.first import FirstPaint

    def user_id(request: Request) -> str:  # what Gradio shows handlers as ``request.username``
        return identity_of(request).user

    async def nowhere() -> None:
        raise HTTPException(404, "There is no such address, or not with this method.")

    for area in ("api", "v1"):  # the page's mount takes every other address, and would answer in its own words
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app.add_api_route(f"/{area}/{{rest:path}}", nowhere, methods=methods, include_in_schema=False)
    defaults: dict[str, Any] = {
        "footer_links": [],
        "run_history": False,
        "show_error": False,
        "max_file_size": f"{settings.upload_mb}mb",
    }
    app.add_middleware(FirstPaint)
    gradio.mount_gradio_app(app, page, path="/", auth_dependency=user_id, **(defaults | dict(look)))
