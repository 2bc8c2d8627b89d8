"""``readback policy``: the policies there are, the one in force, and the way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from rag.settings import Settings

if TYPE_CHECKING:
    from rag.policy import Policy
    from rag.policy.store import PolicyStore

SHIPPED = "shipped"


@click.group()
def policy() -> None:
    """The policies that decide answers: look at them, put one in force, go back."""


@policy.command("list")
def list_command() -> None:
    """All policies kept, the newest first, and what happened to them."""
    from rag.learning.ledger import paused, told

    store = _store()
    active = store.active_version()
    click.echo(f"{'*' if active is None else ' '} {SHIPPED}")
    for version in store.versions():
        click.echo(f"{'*' if version == active else ' '} {version}")
    if why := paused(store):
        click.echo(f"Learning is paused: {why}")
    for line in store.ledger():
        click.echo(told(line))


@policy.command("show")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="The whole policy as JSON.")
def show_command(version: str | None, as_json: bool) -> None:
    """What a policy has learned, in plain words. Without VERSION: the one in force."""
    store = _store()
    chosen = _policy(store, version or store.active_version() or SHIPPED)
    if as_json:
        click.echo(json.dumps(chosen.record(), ensure_ascii=False))
        return
    click.echo(f"{chosen.version}: {len(chosen.memory.items)} needs remembered")
    for need in chosen.memory.items:
        wording = f" → {need.rewrite}" if need.rewrite else ""
        click.echo(f"{need.id}  {need.texts[0]}{wording}  ({need.why}; {need.since} to {need.until})")


@policy.command("diff")
@click.argument("before", required=False)
@click.argument("after", required=False)
def diff_command(before: str | None, after: str | None) -> None:
    """How two policies differ. Without arguments: the newest against the one in force."""
    from rag.learning.ledger import differences

    store = _store()
    newest = store.versions()[0] if store.versions() else SHIPPED
    old = _policy(store, before or store.active_version() or SHIPPED)
    new = _policy(store, after or newest)
    old_parts, new_parts = old.record(), new.record()
    for part in sorted(old_parts):
        if part != "memory" and old_parts[part] != new_parts[part]:
            click.echo(f"{part}: {json.dumps(old_parts[part])} → {json.dumps(new_parts[part])}")
    for change in differences(old.memory, new.memory):
        click.echo(f"{change.what:8} {change.id}  {change.text}  ({change.why})")


@policy.command("promote")
@click.argument("version")
@click.option("--why", default="by hand", show_default=True, help="For the ledger.")
def promote_command(version: str, why: str) -> None:
    """Put VERSION in force ("shipped": the policy that came with Readback). Running servers follow at once."""
    store = _store()
    _policy(store, version)
    store.promote(None if version == SHIPPED else version, why)
    click.echo(f"in force: {version}")


@policy.command("rollback")
@click.option("--why", default="by hand", show_default=True, help="For the ledger.")
def rollback_command(why: str) -> None:
    """Put in force what was before the last promotion."""
    click.echo(f"in force: {_store().rollback(why) or SHIPPED}")


@policy.command("rules")
@click.option("--approve", type=int, help="The number of a proposal that written answers shall follow from now on.")
def rules_command(approve: int | None) -> None:
    """House rules: those in force, and what several people have asked for in words."""
    from rag.embed import open_embedder
    from rag.events import open_store
    from rag.learning.history import read
    from rag.learning.rules import propose_rules

    settings, store = Settings.load(), _store()
    current = _policy(store, store.active_version() or SHIPPED)
    with open_store(settings) as events:
        proposed = propose_rules(read(events.episodes()), open_embedder(settings))
    if approve is not None:
        if not 1 <= approve <= len(proposed):
            raise click.ClickException("There is no proposal of that number.")
        rule = proposed[approve - 1]
        if rule.text not in current.rules:
            current = current.with_parts(rules=(*current.rules, rule.text))
            store.promote(store.save(current.record()), f"house rule approved: {rule.text}")
    for text in current.rules:
        click.echo(f"in force  {text}")
    for number, rule in enumerate(proposed, start=1):
        if rule.text not in current.rules:
            click.echo(f"{number:8}  {rule.text}  ({rule.people} people)")


@policy.command("pause")
@click.option("--why", required=True, help="For the ledger.")
def pause_command(why: str) -> None:
    """Let nothing that is learned take effect until resumed."""
    from rag.learning.ledger import PAUSED

    _store().note(PAUSED, why=why)
    click.echo("Learning is paused.")


@policy.command("resume")
def resume_command() -> None:
    """Let learning go on after an alarm or a pause."""
    from rag.learning.ledger import RESUMED

    _store().note(RESUMED)
    click.echo("Learning goes on.")


def _store() -> PolicyStore:
    from rag.policy.store import PolicyStore

    return PolicyStore(Settings.load().data_dir / "policies")


def _policy(store: PolicyStore, version: str) -> Policy:
    from rag.policy import Policy

    return Policy.default() if version == SHIPPED else Policy.of(store.load(version), version)
