"""``readback ask``: one question for people, or many for programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.cli.progress import papers_bar
from rag.errors import CorpusError, ReadbackError
from rag.types import Answer, Options, TextDelta

if TYPE_CHECKING:
    from rag.engine import Assistant


@click.command()
@click.argument("question", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the whole Answer as one JSON object.")
@click.option("--batch", type=click.Path(dir_okay=False, path_type=Path), help="Ask the questions of a JSONL file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="With --batch: where the answers go.")
@click.option("--quotes", "mode", flag_value="extractive", help="Answer with quotes even if a model is configured.")
@click.option("--written", "mode", flag_value="generative", help="Answer with the language model.")
@click.option("--model", help="Another model of the configured server.")
@click.option("--papers", type=click.IntRange(1, 20), help="Answer from at most so many papers.")
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

    A --batch file has lines {"id": …, "turns": [{"question": …}, …]}; the last turn is answered, the earlier ones are
    its history. Every line gets a line in --out, in the same order, whatever happens to one of them.
    """
    if (question is None) == (batch is None):
        raise click.UsageError('Give a question, as in: readback ask "What is …?" (or --batch FILE --out FILE).')
    if batch is not None and out is None:
        raise click.UsageError("--batch needs --out FILE for the answers.")
    options = Options(mode=mode, model=model, papers=papers)
    with _open() as assistant:
        if batch is not None and out is not None:
            failed = run_batch(assistant, batch, out, options)
            if failed:
                raise ReadbackError(f"{failed} of the questions could not be answered; {out} says why, line by line.")
            return
        text = sys.stdin.read() if question == "-" else question or ""
        if as_json:
            click.echo(json.dumps(assistant.ask(text, options=options).to_dict(), ensure_ascii=False))
        else:
            _show(assistant, text, options)


def _open() -> Assistant:
    from rag.engine import Assistant

    with papers_bar("Indexing the shipped papers", None) as progress:
        return Assistant.open(progress=progress)


def _show(assistant: Assistant, question: str, options: Options) -> None:
    shown = ""
    answer: Answer | None = None
    for event in assistant.stream(question, options=options):
        if isinstance(event, TextDelta):
            shown += event.text
            click.echo(event.text, nl=False)
        elif isinstance(event, Answer):
            answer = event
    assert answer is not None
    if shown != answer.text:  # a model failed halfway, or nothing of what it wrote could be kept
        click.echo(("\n\n— Taken back. The answer is:\n\n" if shown else "") + answer.text, nl=False)
    click.echo("\n")
    titles: dict[str, list[int]] = {}
    for citation in answer.citations:
        titles.setdefault(citation.title, []).append(citation.marker)
    if titles:
        click.echo("Sources")
    for title, markers in titles.items():
        click.echo(f"  {''.join(f'[{marker}]' for marker in markers)} {title}")
    if answer.notice:
        click.echo(f"Note: {answer.notice}", err=True)


def run_batch(assistant: Assistant, batch: Path, out: Path, options: Options) -> int:
    """Answer every line of a file; returns how many lines failed. Raises CorpusError if the file cannot be read."""
    try:
        lines = batch.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(str(batch), None, f"cannot be read: {error}") from error
    failed = 0
    with out.open("w", encoding="utf-8") as file:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            row = _batch_row(assistant, number, line, options)
            failed += row["result"] is None
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()  # what is answered stays answered
    return failed


def _batch_row(assistant: Assistant, number: int, line: str, options: Options) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": f"line {number}",
        "answer": "",
        "abstained": True,
        "cited_titles": [],
        "retrieved_titles": [],
    }
    try:
        record = json.loads(line)
        if not isinstance(record, dict):
            raise TypeError("a line must be a JSON object")
        row["id"] = record.get("id", row["id"])
        questions = [str(turn["question"]) for turn in record["turns"]]
        if not questions:
            raise ValueError("turns is empty")
        conversation = assistant.conversation()
        for question in questions:
            answer = conversation.ask(question, options)
    except (ReadbackError, ValueError, TypeError, KeyError) as error:
        reason = f"has no {error}" if isinstance(error, KeyError) else str(error)
        return row | {"result": None, "error": f"line {number}: {reason}"}
    cited = dict.fromkeys(citation.title for citation in answer.citations)
    return row | {
        "answer": answer.text,
        "abstained": answer.abstained,
        "cited_titles": list(cited),
        "retrieved_titles": [paper.title for paper in answer.retrieved],
        "result": answer.to_dict(),
    }
