"""``readback learn``: from the record of events to a policy, through the gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.settings import Settings

if TYPE_CHECKING:
    from ui.services.learning import Learning


@click.group(invoke_without_command=True)
@click.option("--promote", is_flag=True, help="Put the new policy in force if the gate passes it and no alarm rings.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@click.pass_context
def learn(context: click.Context, promote: bool, as_json: bool) -> None:
    """Learn from what people did with the answers.

    Makes a candidate policy, compares it with the one in force, keeps it, and says what was found.
    """
    if context.invoked_subcommand is not None:
        return
    with _opened() as learning:
        report = learning.learn(promote=promote)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _told(report))


@learn.command("export")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder.")
def export_command(out: Path) -> None:
    """Write training sets: liked answers (SFT), preference pairs with critiques (DPO), judged answers (KTO)."""
    with _opened() as learning:
        for name, count in learning.export(out).items():
            click.echo(f"{out / name}.jsonl: {count} lines")


@learn.command("turns")
def turns_command() -> None:
    """How well next turns are told apart: precision and recall by kind, on labelled turns that were kept out."""
    from rag.embed import open_embedder
    from rag.learning.turns import held_out_scores

    click.echo(f"{'kind':16}{'precision':>10}{'recall':>10}{'turns':>8}")
    for one in held_out_scores(open_embedder(Settings.load())):
        click.echo(f"{one.kind:16}{one.precision:>10.2f}{one.recall:>10.2f}{one.count:>8}")


@contextmanager
def _opened() -> Iterator[Learning]:
    from ui.services import Services

    with Services.open(Settings.load()) as services:
        yield services.learning


def _told(report: dict[str, Any]) -> str:
    gate = report["gate"]
    kinds = ", ".join(f"{kind} {change:+.3f} ({count})" for kind, (count, change) in gate["by_kind"].items())
    router = report.get("router")
    return "\n".join(
        (
            f"policy     {report['version']}: {report['outcome']}",
            f"learned    {report['needs']} needs, {report['rewrites']} with a better wording, "
            f"from {report['questions']} questions and {report['signals']} signals; {report['pruned']} left out",
            f"gate       {kinds or 'no known questions fit this collection'}; "
            f"other matters: {gate['moved']} of {gate['unrelated']} changed; "
            f"held-out people: {gate['lessons'][1]:+.3f} ({gate['lessons'][0]})",
            *([_router(router)] if router else ()),
            f"took       {report['seconds']} s",
        )
    )


def _router(facts: dict[str, Any]) -> str:
    if facts["adopted"] is False and not facts["logged"]:
        return f"router     {facts['rounds']} choices judged: too few to learn from"
    value, low, high = facts["doubly_robust"]
    kept = "adopted" if facts["adopted"] else "kept as it was"
    return (
        f"router     {facts['rounds']} choices judged; worth {facts['logged']:.3f} so far, "
        f"refitted {value:.3f} [{low:.3f}, {high:.3f}]: {kept}"
    )
