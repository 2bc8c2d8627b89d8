"""``readback serve`` and ``readback mcp``."""

from __future__ import annotations

import click

from rag.settings import Settings
from ui.cli.progress import shipped_bar


@click.command()
@click.option("--host", help="Address to listen on; READBACK_HOST, or 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="READBACK_PORT, or 7860; 0 for any free one.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the chat page and the HTTP API until Ctrl-C."""
    from ui.app import serve as run

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    with shipped_bar() as progress:
        run(Settings.load(**given), progress=progress)


@click.command()
def mcp() -> None:
    """Serve the Model Context Protocol over standard input and output."""
    from ui.mcp import run_stdio

    run_stdio(Settings.load())
