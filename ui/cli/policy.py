"""``readback policy``: the policies there are, the one in force, and the way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from rag.policy.store import SHIPPED
from rag.settings import Settings

if TYPE_CHECKING:
    from ui.services.policies import Policies


@click.group()
def policy() -> None:
    """The policies that decide answers: look at them, put one in force, go back."""


@policy.command("list")
def list_command() -> None:
    """All policies kept, the newest first, and what happened to them."""
    from rag.learning.ledger import paused, told

    policies = _policies()
    for version in (SHIPPED, *policies.store.versions()):
        click.echo(f"{'*' if version == policies.active else ' '} {version}")
    if why := paused(policies.store):
        click.echo(f"Learning is paused: {why}")
    for line in policies.store.ledger():
        click.echo(told(line))


@policy.command("show")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="The whole policy as JSON.")
def show_command(version: str | None, as_json: bool) -> None:
    """What a policy has learned, in plain words. Without VERSION: the one in force."""
    policies = _policies()
    chosen = policies.get(version or policies.active)
    if as_json:
        click.echo(json.dumps(chosen.record(), ensure_ascii=False))
        return
    if version is None:
        _tell_trial(policies)
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

    policies = _policies()
    old, new = policies.get(before or policies.active), policies.get(after or policies.newest)
    old_parts, new_parts = old.record(), new.record()
    for part in sorted(old_parts):
        if part != "memory" and old_parts[part] != new_parts[part]:
            click.echo(f"{part}: {json.dumps(old_parts[part])} → {json.dumps(new_parts[part])}")
    for change in differences(old.memory, new.memory):
        click.echo(f"{change.what:8} {change.id}  {change.text}  ({change.why})")


@policy.command("promote")
@click.argument("version")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Of the people, for a trial.")
@click.option("--shadow", is_flag=True, help="Show it to nobody; compare its rankings with the answers that are given.")
@click.option("--why", default="by hand", show_default=True, help="For the ledger.")
def promote_command(version: str, share: float | None, shadow: bool, why: str) -> None:
    """Put VERSION in force ("shipped": the policy that came with Readback). Running servers follow at once.

    With --share or --shadow it is only tried; readback policy show tells how it fares.
    """
    if share is not None and shadow:
        raise click.UsageError("--share and --shadow exclude each other.")
    policies = _policies()
    if share is None and not shadow:
        policies.promote(version, why)
        click.echo(f"in force: {version}")
        return
    policies.try_out(version, share or 0.0, why)
    click.echo(f"in the shadow: {version}" if shadow else f"on trial for {share:.0%} of the people: {version}")


@policy.command("end-trial")
@click.option("--why", default="by hand", show_default=True, help="For the ledger.")
def end_trial_command(why: str) -> None:
    """Let the policy in force answer everybody again."""
    policies = _policies()
    policies.end_trial(why)
    click.echo(f"in force for everybody: {policies.active}")


@policy.command("rollback")
@click.option("--why", default="by hand", show_default=True, help="For the ledger.")
def rollback_command(why: str) -> None:
    """Put in force what was before the last promotion."""
    click.echo(f"in force: {_policies().rollback(why)}")


@policy.command("rules")
@click.option("--approve", type=int, help="The number of a proposal that written answers shall follow from now on.")
def rules_command(approve: int | None) -> None:
    """House rules: those in force, and what several people have asked for in words."""
    from rag.embed import open_embedder
    from rag.events import open_store
    from rag.learning.history import read
    from rag.learning.rules import propose_rules

    settings, policies = Settings.load(), _policies()
    current = policies.get(policies.active)
    with open_store(settings) as events:
        proposed = propose_rules(read(events.episodes()), open_embedder(settings))
    if approve is not None:
        if not 1 <= approve <= len(proposed):
            raise click.ClickException("There is no proposal of that number.")
        rule = proposed[approve - 1]
        if rule.text not in current.rules:
            current = current.with_parts(rules=(*current.rules, rule.text))
            policies.promote(policies.store.save(current.record()), f"house rule approved: {rule.text}")
    for text in current.rules:
        click.echo(f"in force  {text}")
    for number, rule in enumerate(proposed, start=1):
        if rule.text not in current.rules:
            click.echo(f"{number:8}  {rule.text}  ({rule.people} people)")


@policy.command("router")
@click.option(
    "--arm", "arms", multiple=True, help="quotes, or a model of the configured server; NAME=DOLLARS a question."
)
@click.option("--worth", type=click.FloatRange(0, min_open=True), help="Dollars that a right answer is worth.")
@click.option("--explore/--no-explore", default=None, help="Whether to sometimes try another arm than the best known.")
@click.option("--off", is_flag=True, help="Answer as the settings say again.")
def router_command(arms: tuple[str, ...], worth: float | None, explore: bool | None, off: bool) -> None:
    """Let each question be answered by what is best for its price: quotes or one of several models.

    Without options: the arms, and what is known of them. What was learned of an arm that is named again is kept.
    """
    policies = _policies()
    routing = policies.set_router(arms, worth, explore, off=off)
    if not routing.arms:
        click.echo("off: answers are made as the settings say")
        return
    click.echo(f"a right answer is worth ${routing.worth:g}; {'explores' if routing.explore else 'does not explore'}")
    for arm in routing.arms:
        click.echo(f"{arm.name:24} ${arm.cost:.5f} a question{'' if arm.weights else ', nothing learned yet'}")


@policy.command("pause")
@click.option("--why", required=True, help="For the ledger.")
def pause_command(why: str) -> None:
    """Let nothing that is learned take effect until resumed."""
    _policies().pause(why)
    click.echo("Learning is paused.")


@policy.command("resume")
def resume_command() -> None:
    """Let learning go on after an alarm or a pause."""
    _policies().resume()
    click.echo("Learning goes on.")


def _tell_trial(policies: Policies) -> None:
    """How the policy on trial fares beside the one in force."""
    from rag.events import open_store
    from rag.learning.trial import standing

    trial = policies.store.trial()
    if trial is None:
        return
    with open_store(Settings.load()) as events:
        for line in standing(policies.store, trial, events.episodes()).told():
            click.echo(line)


def _policies() -> Policies:
    from ui.services.policies import Policies

    return Policies(Settings.load().data_dir / "policies")
