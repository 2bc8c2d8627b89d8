"""``readback model``: a language model on this machine. Nothing is fetched."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import click

from rag import local_model
from rag.local_model import GIB, Weights
from rag.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where GGUF files are.")
@click.pass_context
def model(ctx: click.Context, folder: Path | None) -> None:
    """Say what runs on this machine: memory, processors, llama.cpp, and the GGUF files of a folder."""
    if ctx.invoked_subcommand is not None:
        return
    memory = local_model.memory()
    click.echo(f"memory      {f'{memory / GIB:.1f} GB' if memory else 'unknown'}")
    click.echo(f"processors  {os.cpu_count() or 'unknown'}")
    there = "installed" if local_model.installed() else "missing: pip install '.[local]'"
    click.echo(f"llama.cpp   {there}")
    if folder is None:
        click.echo("models      name a folder with GGUF files: readback model --folder FOLDER")
        return
    found = local_model.weights_in(folder)
    for one in found:
        room = "size unknown to fit" if memory is None else "runs here" if one.fits(memory) else "too large"
        rules = "; with the short rules" if one.small else ""
        click.echo(f"{one.size / GIB:7.1f} GB  {one.path}: {room}{rules}")
    if not found:
        click.echo(f"models      no GGUF file in {folder}")


@model.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free.")
def serve(file: Path, port: int) -> None:
    """Serve a GGUF file on this machine, and print the settings that use it. Ends with Ctrl+C."""
    weights, context = Weights(file, file.stat().st_size), Settings.load().context_tokens
    click.echo(f"Loading {file.name} …", err=True)
    with local_model.serving(weights, context_tokens=context, port=port) as address:
        click.echo("Measuring …", err=True)
        speed = local_model.measured(address)
        click.echo(f"OPENAI_BASE_URL={address}/v1\nREADBACK_CHAT_MODEL={file.stem}\nREADBACK_CONTEXT_TOKENS={context}")
        if weights.small:
            click.echo("READBACK_SMALL_MODEL=true")
        patience = max(60, round(3 * speed.seconds))
        click.echo(f"READBACK_TIMEOUT_S={patience}\nREADBACK_ANSWER_S={2 * patience}")
        click.echo(
            f"It reads {speed.reading:.0f} and writes {speed.writing:.0f} tokens a second: "
            f"about {speed.seconds:.0f} s for an answer. Ctrl+C ends it.",
            err=True,
        )
        threading.Event().wait()
