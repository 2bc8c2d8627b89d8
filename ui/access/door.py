"""Who is asking: a key, a login, a browser without one, or a program on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from starlette.requests import Request  # at runtime too: FastAPI reads the annotations

from ui.access.exposure import Exposure, exposure_of
from ui.access.keys import ApiKey, match_key, parse_keys
from ui.access.revoked import Revoked
from ui.access.sessions import DAY_S, Session, Sessions, new_browser, server_secret
from ui.access.users import Users
from ui.services import LOCAL, Asker

if TYPE_CHECKING:
    from rag.settings import Settings

RENEW_S = 7 * DAY_S  # a browser's cookie older than this is made anew when the page is opened


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind a request."""

    user: str  # pseudonymous id: what the record of events knows
    name: str | None  # for people to read; None without a login
    how: Literal["local", "browser", "login", "key"]
    cookie: str | None = None  # to be set with the response
    returning: bool = True  # False: a browser that has no cookie yet, or keeps none
    operator: bool = False  # may run this Readback from the page


class KeyRefused(Exception):
    """A key was given, and it is wrong: that is an error even where a cookie would do."""


class Door:
    """Tells people apart, and keeps out whom it does not know if the settings say so."""

    def __init__(
        self,
        exposure: Exposure,
        keys: tuple[ApiKey, ...],
        users: Users,
        sessions: Sessions,
        revoked: Revoked,
        cookie_name: str,
    ) -> None:
        """``Door.of`` makes one from the settings."""
        self.exposure, self.cookie_name = exposure, cookie_name
        self._keys, self._users, self.sessions, self._revoked = keys, users, sessions, revoked

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises SettingsError for a server that others can reach and that nobody has to log in to."""
        keys, users = parse_keys(settings.api_keys), Users.of(settings)
        exposure = exposure_of(settings, keys, users)
        sessions = Sessions(server_secret(settings.data_dir), settings.session_days)
        cookie_name = f"readback_{settings.port}"  # cookies do not tell ports apart
        return cls(exposure, keys, users, sessions, Revoked(settings.data_dir), cookie_name)

    @property
    def login(self) -> bool:
        """Whether everybody must say who they are. Users made while the server runs count."""
        return self.exposure.login or bool(self._users.names())

    def identify(self, request: Request) -> Identity | None:
        """Who it is; None for a stranger where a login is needed. Raises KeyRefused."""
        cookie = request.cookies.get(self.cookie_name, "")
        session = self.sessions.open(cookie)
        if not self.login:
            return self._unnamed(request, session)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            key = match_key(self._keys, given.strip())
            if key is None:
                raise KeyRefused
            return Identity(self._id_of(key.name), key.name, "key")
        if session is None or session.kind == "browser" or cookie in self._revoked or not self._still_good(session):
            return None
        operator = session.kind == "user" and self._users.operator(session.name)
        return Identity(self._id_of(session.name), session.name, "login", operator=operator)

    def leave(self, request: Request) -> None:
        """End the session of a request, if it has one: its cookie is refused from now on, whoever holds it."""
        cookie = request.cookies.get(self.cookie_name, "")
        session = self.sessions.open(cookie)
        if session is not None and session.kind != "browser":
            self._revoked.add(cookie, self.sessions.max_age_s(session.kind) - session.age_s)

    def enter(self, name: str, secret: str) -> str | None:
        """The cookie of a login by name and password, or by key with or without its name; None if they are wrong."""
        key = match_key(self._keys, secret)
        if key is not None and name in ("", key.name):
            return self.sessions.seal("key", key.name, key.digest.hex()[:16])
        fingerprint = self._users.fingerprint(name)
        if self._users.verify(name, secret) and fingerprint is not None:
            return self.sessions.seal("user", name, fingerprint)
        return None

    def _id_of(self, name: str) -> str:
        return self._users.id(name) or self.sessions.pseudonym(name)

    def _still_good(self, session: Session) -> bool:
        if session.kind == "user":
            return self._users.fingerprint(session.name) == session.fingerprint
        return any(key.name == session.name and key.digest.hex()[:16] == session.fingerprint for key in self._keys)

    def _unnamed(self, request: Request, session: Session | None) -> Identity:
        """Somebody on this machine: others would have to log in."""
        known = session.name if session is not None and session.kind == "browser" else None
        if known is None and not from_browser(request):
            return Identity(LOCAL, None, "local", operator=True)
        fresh = session is not None and session.age_s < RENEW_S
        browser = known or new_browser()
        cookie = None if known and fresh else self.sessions.seal("browser", browser)
        return Identity(browser, None, "browser", cookie, returning=known is not None, operator=True)


def identity_of(request: Request) -> Identity:
    """Who is asking; the gate let nobody else through."""
    identity = request.state.identity
    assert isinstance(identity, Identity)
    return identity


def asker_of(request: Request) -> Asker:
    """The same for the services: whose record it is, and whom limits count."""
    identity = identity_of(request)
    return Asker(identity.user, address_of(request), identity.returning, identity.operator)


def address_of(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else "unknown"


def from_browser(request: Request) -> bool:
    """Whether a browser sent this: it says so in headers that scripts cannot forge, or asks for a page."""
    return "sec-fetch-mode" in request.headers or wants_page(request)


def wants_page(request: Request) -> bool:
    """Whether a person is waiting for a page, rather than a program for data."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
