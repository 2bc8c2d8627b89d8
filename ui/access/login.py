"""The login page: one form, no script, nothing from elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ui.access.door import address_of
from ui.access.gate import set_session
from ui.access.headers import PLAIN_CSP
from ui.render import render

if TYPE_CHECKING:
    from ui.access.door import Door
    from ui.services import Services

HASHED_AT_ONCE = 2  # argon2 takes 64 MiB and a core for each
NICE = 10  # of hashing: everything else goes first


def login_routes(door: Door, services: Services) -> APIRouter:
    """/login and /logout."""
    router = APIRouter(include_in_schema=False)
    hashing = ThreadPoolExecutor(HASHED_AT_ONCE, "readback-hash", step_back)

    def form(next: str, *, wrong: bool = False) -> HTMLResponse:
        headers = {"content-security-policy": PLAIN_CSP, "cache-control": "no-store"}
        return HTMLResponse(render("login", next=next, wrong=wrong), 401 if wrong else 200, headers)

    @router.get("/login")
    def show(request: Request, next: str = "/") -> Response:
        if not door.login or request.state.identity is not None:
            return RedirectResponse(local_path(next), 303)
        return form(local_path(next))

    @router.post("/login")
    async def enter(
        request: Request,
        password: Annotated[str, Form(max_length=1000)],
        name: Annotated[str, Form(max_length=100)] = "",
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        address = address_of(request)
        services.rates.guess(address)
        cookie = await asyncio.get_running_loop().run_in_executor(hashing, door.enter, name.strip(), password)
        if cookie is None:
            return form(local_path(next), wrong=True)
        response = RedirectResponse(local_path(next), 303)
        set_session(response, door, request, cookie, door.sessions.max_age_s("user"))
        return response

    @router.post("/logout")
    def leave(request: Request) -> Response:
        response = RedirectResponse("/login", 303)
        if door.login:  # without logins the cookie is all that ties a browser to its conversations
            door.leave(request)
            response.delete_cookie(door.cookie_name, path="/")
        return response

    return router


def step_back() -> None:
    """Let this thread, and those that it starts, have the processor when nobody else wants it. Linux has that."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def local_path(path: str) -> str:
    """The path if it stays on this server, else "/": a login must not send anybody elsewhere."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if fine else "/"
