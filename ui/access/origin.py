"""Which page sent a request: its scheme, host and port, all of which must be ours (RFC 6454)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

PORTS = {"http": 80, "https": 443}
WRITTEN = re.compile(r"[a-z][a-z0-9+.-]{0,20}://[A-Za-z0-9._~\[\]:-]{1,300}")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPAQUE = ("null", "file://")
Origin = tuple[str, str, int | None]


class Malformed(ValueError):
    """An Origin header that no browser sends."""


def origin_of(text: str) -> Origin | None:
    """Scheme, host and port; None for the opaque origins, which are no place. Raises Malformed."""
    if text in OPAQUE:
        return None
    try:
        parts = urlsplit(text if WRITTEN.fullmatch(text) else "")
        port = parts.port
    except ValueError:
        raise Malformed from None
    if not parts.hostname:
        raise Malformed
    return parts.scheme, parts.hostname, port or PORTS.get(parts.scheme)


def is_foreign(request: Request, hosts: Iterable[str]) -> bool:
    """Whether a page of another site sent this. Same machine, other port is another site too. Raises Malformed.

    hosts: names under which a proxy is reached, at the usual port. One that ends TLS without saying so may have
    https where the request seems to be http; never the other way round.
    """
    header = request.headers.get("origin")
    if header is None:
        site = request.headers.get("sec-fetch-site", "none")
        return request.method not in SAFE and site not in ("same-origin", "none")
    origin, scheme = origin_of(header), request.url.scheme
    try:
        own = origin_of(f"{scheme}://{request.headers.get('host', '').lower()}")
    except Malformed:
        own = None
    listed = {(one, host, PORTS[one]) for host in hosts for one in {scheme, "https"}}
    return origin is None or not (origin == own or origin in listed)
