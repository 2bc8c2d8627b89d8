"""``readback user …``: who may use a server that others can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rag.settings import Settings

if TYPE_CHECKING:
    from ui.access.users import Users


@click.group()
def user() -> None:
    """Manage who may use a server that others can reach."""


@user.command("add")
@click.argument("name")
@click.password_option(help="Asked for if not given, which is better: a command line is no secret.")
@click.option("--operator", is_flag=True, help="May also open the page's Learning tab, and act there.")
def add(name: str, password: str, operator: bool) -> None:
    """Add a user, who can then log in. A running server takes note at once."""
    _users().add(name, password, operator=operator)
    click.echo(f"Added {name}.", err=True)


@user.command("password")
@click.argument("name")
@click.password_option(help="Asked for if not given, which is better: a command line is no secret.")
def password(name: str, password: str) -> None:
    """Give a user a new password. Where they are logged in, they are logged out."""
    _users().add(name, password, replace=True)
    click.echo(f"Changed the password of {name}.", err=True)


@user.command("operator")
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Not any more.")
def operator(name: str, revoke: bool) -> None:
    """Let a user open the page's Learning tab, and act there."""
    _users().mark(name, operator=not revoke)
    click.echo(f"{name} is {'no longer ' if revoke else ''}an operator.", err=True)


@user.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a user. What was recorded of them stays until `readback events forget`."""
    known = _id_of(name, Settings.load())
    _users().remove(name)
    click.echo(f"Removed {name}. To delete what was recorded: readback events forget --user {known}", err=True)


@user.command("list")
def list_users() -> None:
    """Show names, and the ids by which the record of events knows them."""
    from ui.access.keys import parse_keys

    settings = Settings.load()
    users = _users()
    names = {name: "operator" if users.operator(name) else "user" for name in users.names()} | {
        key.name: "API key" for key in parse_keys(settings.api_keys)
    }
    for name, kind in sorted(names.items()):
        click.echo(f"{name}\t{_id_of(name, settings)}\t{kind}")


def _id_of(name: str, settings: Settings) -> str:
    from ui.access.sessions import Sessions, server_secret
    from ui.access.users import Users

    sessions = Sessions(server_secret(settings.data_dir), settings.session_days)
    return Users.of(settings).id(name) or sessions.pseudonym(name)


def _users() -> Users:
    from ui.access.users import Users

    return Users.of(Settings.load())
