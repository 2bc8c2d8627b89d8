"""``readback ask``: one question for people, or many for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from rag.errors import ReadbackError
from rag.settings import Settings
from rag.told import Told
from rag.types import Answer, Options, StreamEvent, TextDelta
from ui.cli.progress import shipped_bar


@click.command()
@click.argument("question", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the whole Answer as one JSON object.")
@click.option("--batch", type=click.Path(dir_okay=False, path_type=Path), help="Ask the questions of a JSONL file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="With --batch: where the answers go.")
@click.option("--quotes", "mode", flag_value="extractive", help="Answer with quotes even if a model is configured.")
@click.option("--written", "mode", flag_value="generative", help="Answer with the language model.")
@click.option("--model", help="Another model of the configured server.")
@click.option("--papers", type=click.IntRange(1, 20), help="Maximum number of papers in the answer.")
def ask(
    question: str | None,
    as_json: bool,
    batch: Path | None,
    out: Path | None,
    mode: Any,
    model: str | None,
    papers: int | None,
) -> None:
    """Answer QUESTION from the collection, with exact quotes; "-" reads it from standard input.

    It is recorded as the settings say, and "readback why" tells how it was answered.

    A --batch file has lines {"id": …, "turns": [{"question": …}, …]}; the last turn is answered, the earlier ones are
    its history. Every line gets a line in --out, in the same order, whatever happens to one of them.
    """
    if (question is None) == (batch is None):
        raise click.UsageError('Give a question, as in: readback ask "What is …?" (or --batch FILE --out FILE).')
    if batch is not None and out is None:
        raise click.UsageError("--batch needs --out FILE for the answers.")
    if batch is None and out is not None:
        raise click.UsageError("--out goes with --batch; for one question, redirect the output instead.")
    if batch is not None and out is not None and out.exists() and batch.exists() and out.samefile(batch):
        raise click.UsageError("--out would overwrite the questions: name another file.")
    options = Options(mode=mode, model=model, papers=papers)
    if batch is not None and out is not None:
        _many(batch, out, options)
        return
    from ui.services import LOCAL, Asker, Services

    text = sys.stdin.buffer.read().decode(errors="replace") if question == "-" else question or ""
    with shipped_bar() as progress:
        services = Services.open(Settings.load(), progress)
    with services:
        events = services.asking.stream(text, asker=Asker(LOCAL), source="cli", options=options)
        if as_json:
            *_, answer = events
            assert isinstance(answer, Answer), "a stream ends with its answer"
            click.echo(json.dumps(answer.to_dict(), ensure_ascii=False))
        else:
            _show(events)


def _many(batch: Path, out: Path, options: Options) -> None:
    """Programs' questions, which are not recorded: nobody reads the answers one by one."""
    from rag.batch import run_batch
    from rag.engine import Assistant

    with shipped_bar() as progress:
        assistant = Assistant.open(progress=progress)
    with assistant:
        failed = run_batch(assistant, batch, out, options)
    if failed:
        raise ReadbackError(f"{failed} of the questions could not be answered; {out} says why, line by line.")


def _show(events: Iterable[StreamEvent]) -> None:
    told = Told()
    answer: Answer | None = None
    for event in events:
        told.hear(event)
        if isinstance(event, TextDelta):
            click.echo(event.text, nl=False)
        elif isinstance(event, Answer):
            answer = event
    assert answer is not None
    click.echo(told.rest(answer) + "\n")
    titles = {citation.marker: citation.title for citation in answer.citations}
    if titles:
        click.echo("Sources")
    for marker, title in titles.items():
        click.echo(f"  [{marker}] {title}")
    if answer.notice:
        click.echo(f"Note: {answer.notice}", err=True)
