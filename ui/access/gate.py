"""What every request passes first: host, origin, size, identity and rate. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rag.errors import ReadbackError, SettingsError
from ui.access import patience
from ui.access.door import Identity, KeyRefused, address_of, wants_page
from ui.access.exposure import is_loopback
from ui.access.headers import dress
from ui.access.origin import SAFE, Malformed, is_foreign
from ui.access.patience import Body, TooLarge, TooLate, TooSlow, Turnstile, in_time
from ui.problems import BUG, explained, problem
from ui.services.rates import RateLimited
from ui.services.runs import Stopping

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ui.access.door import Door
    from ui.services import Services

log = logging.getLogger(__name__)
METHODS = SAFE | {"POST", "PUT", "PATCH", "DELETE"}
PUBLIC = frozenset({"/healthz", "/readyz", "/login", "/logout"})
UNFIT = "This server is not set up as it should be: its log says more."
FOREIGN = (
    "Requests from pages of other sites are refused; another scheme or port is another site. Behind a proxy: "
    "READBACK_TRUSTED_PROXIES and READBACK_PUBLIC_HOSTS."
)
CODES = {408: "request_too_slow", 413: "request_too_large", 504: "too_slow"}
UPLOAD_S = 3600.0
UPLOADS = frozenset({"/api/papers", "/gradio_api/upload"})


def area_of(path: str) -> str:
    """Which part of the server a path belongs to: v1, api, mcp, ops, file or page."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    if first in ("v1", "api", "mcp"):
        return first
    if path.startswith("/gradio_api/file"):
        return "file"  # what people upload through the page: to be fetched, never to be run
    return "ops" if first in ("healthz", "readyz", "metrics", "openapi.json") else "page"


class Gate:
    """Middleware around the whole server."""

    def __init__(self, app: ASGIApp, door: Door, services: Services) -> None:
        """door: tells people apart. services: for its settings, rates and metrics."""
        self._app, self._door, self._services = app, door, services
        settings = services.settings
        self._body_bytes = settings.body_kb * 1000
        self._turnstile = Turnstile()
        self._upload_bytes = settings.upload_mb * 1_000_000 + 100_000  # a form's own words around the file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # nothing here speaks over WebSockets, and they would bypass all of this
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        area = area_of(scope["path"])
        identity: Identity | None = None
        started = left = False

        async def answered(message: Message) -> None:
            if not left:
                await dressed(message)

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                dress(MutableHeaders(scope=message), area)
                if identity is not None and identity.cookie and wants_page(request):
                    self._set_cookie(message, request, identity.cookie)
                method = request.method if request.method in METHODS else "other"
                self._services.metrics.requested(area, method, message["status"])
            await send(message)

        try:
            if area != "ops":
                await self._turnstile.passed()
            refusal = self._misdirected(request) or self._too_large(request)
            if refusal is None:
                identity, refusal = self._admit(request)
            if refusal is None:
                scope.setdefault("state", {})["identity"] = identity
                work = self._app(scope, Body(receive, self._most_bytes(request)), answered)
                await in_time(work, self._longest_s(request), lambda: started)
            else:
                await refusal(scope, receive, dressed)
        except Exception as error:  # whatever it is, the reply has our form
            left = isinstance(error, TooLate)
            reply = _reply_to(error, f"{request.method} {area}")
            if not started:
                await reply(scope, receive, dressed)
        except asyncio.CancelledError:  # the server is being stopped, and has waited long enough: not worth a traceback
            left = True
            if started:
                await send({"type": "http.response.body", "body": b""})
            else:
                await explained(Stopping())(scope, receive, dressed)

    def _misdirected(self, request: Request) -> Response | None:
        """Refuse other names for this server: a web page can make its own name mean 127.0.0.1 (DNS rebinding)."""
        host = _hostname(request.headers.get("host", ""))
        exposure = self._door.exposure
        if host in exposure.hosts or (not exposure.hosts and exposure.reachable) or is_loopback(host):
            return None
        return problem(
            421, "This server does not answer by that name. READBACK_PUBLIC_HOSTS lists its names.", "wrong_host"
        )

    def _most_bytes(self, request: Request) -> int:
        return self._upload_bytes if _is_upload(request) else self._body_bytes

    def _longest_s(self, request: Request) -> float:
        """How long a request may take: uploads are indexed, and tell how far they are on the page alone."""
        return UPLOAD_S if _is_upload(request) else self._services.settings.answer_s + patience.GRACE_S

    def _too_large(self, request: Request) -> Response | None:
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced[:20]) > self._most_bytes(request):
            return problem(413, TooLarge(self._most_bytes(request)).detail, "request_too_large")
        return None

    def _admit(self, request: Request) -> tuple[Identity | None, Response | None]:
        """Who it is, or why not."""
        path, address = request.url.path, address_of(request)
        rates = self._services.rates
        try:
            foreign = is_foreign(request, self._door.exposure.hosts)
        except Malformed:
            return None, problem(400, "The Origin header is none that a browser sends.", "malformed_origin")
        try:
            identity = self._door.identify(request)
        except KeyRefused:
            try:
                rates.guess(address)
            except RateLimited as error:
                return None, explained(error)
            wrong = problem(401, "The API key is wrong.", "invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
            return None, wrong
        if foreign and (identity is None or identity.how != "key"):
            return None, problem(403, FOREIGN, "foreign_origin")
        if identity is not None and not identity.returning and wants_page(request) and not rates.newcomer(address):
            identity = replace(identity, cookie=None)  # or whoever throws cookies away would have no limit of their own
        if identity is None and path not in PUBLIC:
            return None, self._login_needed(request)
        if request.method not in SAFE or area_of(path) in ("v1", "api", "mcp"):
            user = identity.user if identity and identity.returning else address
            rates.request(user, address)
            if _is_upload(request):
                length = request.headers.get("content-length", "")
                rates.upload(user, address, int(length) if length.isdecimal() else None)
        return identity, None

    def _login_needed(self, request: Request) -> Response:
        if wants_page(request):
            return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
        message = "This server needs a login: send an API key as “Authorization: Bearer KEY”, or log in at /login."
        return problem(401, message, "login_needed", headers={"WWW-Authenticate": "Bearer"})

    def _set_cookie(self, message: Message, request: Request, value: str) -> None:
        holder = Response()
        set_session(holder, self._door, request, value, self._door.sessions.max_age_s("browser"))
        MutableHeaders(scope=message).append("set-cookie", holder.headers["set-cookie"])


def _is_upload(request: Request) -> bool:
    return request.method == "POST" and request.url.path in UPLOADS


def _reply_to(error: Exception, where: str) -> Response:
    """What to say of an error that nobody else has dealt with; what people cannot mend goes to the log."""
    if isinstance(error, TooLarge | TooLate | TooSlow):
        return problem(error.status_code, error.detail, CODES[error.status_code])
    if isinstance(error, SettingsError):
        log.error("the users file or another setting has become unusable: %s", error)
        return problem(503, UNFIT, "misconfigured")
    if isinstance(error, ReadbackError):
        log.warning("refused, or broken off, at %s: %s", where, error)
        return explained(error)
    log.error("a bug, at %s", where, exc_info=error)
    return problem(500, BUG, "bug")


def set_session(response: Response, door: Door, request: Request, value: str, max_age_s: int) -> None:
    """Give a response the cookie: out of reach of scripts and of other sites' requests, and of plain HTTP after TLS."""
    secure = request.url.scheme == "https"
    response.set_cookie(door.cookie_name, value, max_age_s, path="/", secure=secure, httponly=True, samesite="lax")


def _hostname(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
