"""``readback learn``: from the record of events to a policy, through the gate."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.settings import Settings

if TYPE_CHECKING:
    from rag.engine import Assistant
    from rag.learning.history import Asked
    from rag.learning.learn import Learner
    from rag.learning.run import Proposal
    from rag.policy.store import PolicyStore


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
    from rag.learning.ledger import paused
    from rag.policy.store import PolicyStore

    settings = Settings.load()
    store = PolicyStore(settings.data_dir / "policies")
    if promote and (why := paused(store)) is not None:
        raise click.ClickException(f"Learning is paused: {why} After looking: readback policy resume")
    began = time.perf_counter()
    with _opened(settings) as (assistant, log):
        proposal = _propose(assistant, log)
        report = _conclude(assistant, store, proposal, promote)
    report["seconds"] = round(time.perf_counter() - began, 1)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _told(report))


@learn.command("export")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder.")
def export_command(out: Path) -> None:
    """Write training sets: liked answers (SFT), preference pairs with critiques (DPO), judged answers (KTO)."""
    from rag.learning.export import write

    with _opened(Settings.load()) as (assistant, log):
        learned = learner_of(assistant).learn(log, time.time())
    for name, count in write(out, learned.signals.tasks, learned.truth.credit).items():
        click.echo(f"{out / name}.jsonl: {count} lines")


@learn.command("turns")
def turns_command() -> None:
    """How well next turns are told apart: precision and recall by kind, on labelled turns that were kept out."""
    from rag.embed import open_embedder
    from rag.learning.turns import held_out_scores

    click.echo(f"{'kind':16}{'precision':>10}{'recall':>10}{'turns':>8}")
    for one in held_out_scores(open_embedder(Settings.load())):
        click.echo(f"{one.kind:16}{one.precision:>10.2f}{one.recall:>10.2f}{one.count:>8}")


def learner_of(assistant: Assistant) -> Learner:
    """The learner for this assistant's collection."""
    from rag.embed import open_embedder
    from rag.learning.learn import Learner
    from rag.text import sentences

    def sentences_of(paper_id: str) -> list[str]:
        paper = assistant.paper(paper_id)
        return [span.of(paper.abstract) for span in sentences(paper.abstract)] if paper else []

    known = frozenset(assistant.collection.catalog.fingerprints())
    return Learner(open_embedder(assistant.settings), known, sentences_of)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Assistant, list[Asked]]]:
    """The assistant, and the history so far."""
    from rag.engine import Assistant
    from rag.events import open_store
    from rag.learning.history import read

    with open_store(settings) as events:
        log = read(events.episodes())
    with Assistant.open(settings) as assistant:
        yield assistant, log


def _propose(assistant: Assistant, log: list[Asked]) -> Proposal:
    from rag.learning.gate import Ask, load_probes
    from rag.learning.run import propose
    from rag.policy.memory import Memory
    from rag.types import Options

    policy = assistant.policy()
    quoting = Options(mode="extractive")  # the gate judges rankings and bands: no model is needed, and none is paid

    def candidate_of(memory: Memory) -> Ask:
        candidate = assistant.with_policy(policy.with_parts(memory=memory))
        return lambda question: candidate.ask(question, options=quoting)

    fixed = assistant.with_policy(policy)
    return propose(
        log,
        learner_of(assistant),
        policy.memory,
        active=lambda question: fixed.ask(question, options=quoting),
        candidate_of=candidate_of,
        probes=load_probes(assistant.collection.catalog.fingerprints()),
        now=time.time(),
    )


def _conclude(assistant: Assistant, store: PolicyStore, proposal: Proposal, promote: bool) -> dict[str, object]:
    """Keep the candidate, and put it in force where that is asked for and allowed."""
    from rag.learning.ledger import PAUSED

    policy = assistant.policy()
    candidate = policy.with_parts(memory=proposal.memory)
    facts = proposal.facts()
    version = store.save(candidate.record())
    refused = [*proposal.verdict.reasons, *proposal.alarms]
    if version == policy.version:
        outcome = "nothing new was learned"
    elif refused:
        outcome = "not put in force: " + " ".join(refused)
        store.note("refused", version=version, why=" ".join(refused), **facts)
    elif promote:
        outcome = "in force"
        store.promote(version, "passed the gate", **facts)
    else:
        outcome = f"passed the gate; readback policy promote {version} puts it in force"
        store.note("proposed", version=version, why="passed the gate", **facts)
    if proposal.alarms:
        store.note(PAUSED, why=" ".join(proposal.alarms))
    return {"version": version, "outcome": outcome, **facts}


def _told(report: dict[str, object]) -> str:
    gate = report["gate"]
    assert isinstance(gate, dict)
    kinds = ", ".join(f"{kind} {change:+.3f} ({count})" for kind, (count, change) in gate["by_kind"].items())
    return "\n".join(
        (
            f"policy     {report['version']}: {report['outcome']}",
            f"learned    {report['needs']} needs, {report['rewrites']} with a better wording, "
            f"from {report['questions']} questions and {report['signals']} signals; {report['pruned']} left out",
            f"gate       {kinds or 'no known questions fit this collection'}; "
            f"other matters: {gate['moved']} of {gate['unrelated']} changed; "
            f"held-out people: {gate['lessons'][1]:+.3f} ({gate['lessons'][0]})",
            f"took       {report['seconds']} s",
        )
    )
