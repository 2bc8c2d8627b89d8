"""Who can reach the server, and what follows from that: whether it needs a login, and by which names it answers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import SettingsError
from ui.access.keys import ApiKey, parse_keys
from ui.access.users import Users

if TYPE_CHECKING:
    from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the server is placed."""

    reachable: bool  # from other machines, directly or through a proxy
    login: bool  # whether everybody must say who they are
    hosts: frozenset[str]  # names it answers by beside those of loopback; empty on a reachable one: any


def is_loopback(host: str) -> bool:
    """Whether this name or address means this machine alone."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761: never resolved elsewhere
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def exposure_of(settings: Settings, keys: tuple[ApiKey, ...] | None = None, users: Users | None = None) -> Exposure:
    """Judge the settings. keys, users: read from the settings if not given.

    Raises SettingsError for a server that others can reach and that nobody has to log in to.
    """
    keys = parse_keys(settings.api_keys) if keys is None else keys
    users = Users.of(settings) if users is None else users
    public = frozenset(listed(settings.public_hosts))
    reachable = not is_loopback(settings.host) or bool(public) or bool(listed(settings.trusted_proxies or ""))
    login = bool(keys) or bool(users.names())
    if reachable and not login:
        raise SettingsError(
            "Others can reach this server (READBACK_HOST, READBACK_PUBLIC_HOSTS or READBACK_TRUSTED_PROXIES), so it "
            "does not start without a login. Run: readback user add NAME, or set READBACK_API_KEYS."
        )
    return Exposure(reachable, login, public)


def listed(text: str) -> list[str]:
    """The items of a setting separated by commas, in lower case."""
    return [item.strip().lower() for item in text.split(",") if item.strip()]
