"""What a browser paints before Gradio has started: our page's name and ground, instead of Gradio's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from ui.page.blocks import asset

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREVIEW = re.compile(rb"<meta\s[^>]{0,80}(?:og:|twitter:)[^>]{0,400}>")  # of Gradio, for social networks


class FirstPaint:
    """Middleware that puts our head into the HTML of the page itself; everything else passes through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change the answer to GET /, if it is HTML."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def collected(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body") or start is None:
                return
            headers = MutableHeaders(scope=start)
            if headers.get("content-type", "").startswith("text/html"):
                body = dressed(body)
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, collected)


def dressed(html: bytes) -> bytes:
    """The page with our head first, and without what says that it is somebody else's."""
    head, found, rest = html.partition(b"<head>")
    return head + found + asset("head.html").encode() + _PREVIEW.sub(b"", rest)
