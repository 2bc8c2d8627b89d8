"""Headers of every response: what a browser may do with it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

# Gradio starts itself from inline scripts and compiles handlers, so its page cannot do without the unsafe- words; what
# counts is that nothing may be loaded from, or sent to, another host.
PAGE_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self' blob:; frame-src 'none'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PLAIN_CSP = (  # our own pages: styles, one form, nothing else
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DATA_CSP = "default-src 'none'; frame-ancestors 'none'"
COMMON = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, browsers send "Origin: null" with our own login form
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def dress(headers: MutableHeaders, area: str) -> None:
    """Add what is missing. area: as ``ui.access.gate.area_of`` tells."""
    for name in [name for name in headers if name.lower().startswith("access-control-")]:
        del headers[name]  # Gradio lets other pages on this machine read along; we do not
    for name, value in COMMON.items():
        headers.setdefault(name, value)
    headers.setdefault("content-security-policy", PAGE_CSP if area == "page" else DATA_CSP)
    if area != "page":
        headers.setdefault("cache-control", "no-store")
