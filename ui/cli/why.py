"""``readback why``: how an answer was found, or why there was none."""

from __future__ import annotations

import json

import click

from rag.errors import ReadbackError
from rag.settings import Settings

PAPERS = 10


@click.command()
@click.argument("answer_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the whole trace as JSON.")
def why(answer_id: str | None, as_json: bool) -> None:
    """Show what each stage of an answer got and gave.

    ANSWER_ID is said by page, HTTP and MCP; without it, the newest answer of the record is meant.
    """
    from rag.events.opening import open_store
    from rag.learning.ledger import influence

    with open_store(Settings.load()) as store:
        episode = store.interaction(answer_id) if answer_id else store.newest()
    if episode is None or episode.interaction.answer is None:
        raise ReadbackError(f"The record has no answer{f' {answer_id}' if answer_id else ''}, or not its words.")
    answer = episode.interaction.answer
    if as_json:
        click.echo(json.dumps(dict(answer.trace), ensure_ascii=False, indent=2))
        return
    trace = answer.trace
    click.echo(f"asked:     {answer.question}")
    click.echo(f"searched:  {answer.standalone_question}")
    click.echo(f"verdict:   {answer.verdict}, confidence {answer.confidence:.2f}, policy {answer.policy_version}")
    for line in influence(trace, {paper.paper_id: paper.title for paper in answer.retrieved}):
        click.echo(f"learned:   {line}")
    for stage, facts in trace.get("stages", {}).items():
        if stage == "recall":
            continue  # said above, in words
        spent = trace.get("milliseconds", {}).get(stage)
        click.echo(f"{stage}{'' if spent is None else f' ({spent} ms)'}")
        for name, value in facts.items():
            click.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
    for paper, scores in list(trace.get("papers", {}).items())[:PAPERS]:
        click.echo(f"{paper}  " + "  ".join(f"{stage} {score:.3f}" for stage, score in scores.items()))
    for one in trace.get("left_out", ()):
        click.echo(f"left out: {one['what']} ({one['why']})")
