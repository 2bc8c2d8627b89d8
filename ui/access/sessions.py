"""Signed cookies: a login that lasts, and the pseudonymous id of a browser on a server without logins."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Any, Literal

from rag.errors import SettingsError

DAY_S = 86_400
BROWSER_DAYS = 390  # browsers keep no cookie for more than 400
FILE = "server.key"  # in the data folder: all servers over it accept the same cookies


@dataclass(frozen=True, slots=True)
class Session:
    """What a valid cookie says."""

    kind: Literal["browser", "user", "key"]
    name: str  # of the user or key; of a browser, its id
    fingerprint: str  # of the password or key that opened it
    age_s: float


class Sessions:
    """Makes and reads cookies."""

    def __init__(self, secret: str, session_days: float) -> None:
        """secret: whoever knows it can be anybody. session_days: how long a login lasts."""
        from itsdangerous import URLSafeTimedSerializer

        self._secret = secret.encode()
        self._signer = URLSafeTimedSerializer(secret, salt="readback-session", signer_kwargs={"digest_method": sha256})
        self._longest_s = {"browser": BROWSER_DAYS * DAY_S, "user": session_days * DAY_S, "key": session_days * DAY_S}

    def max_age_s(self, kind: Literal["browser", "user", "key"]) -> int:
        """How long a cookie of this kind is good, in seconds."""
        return int(self._longest_s[kind])

    def seal(self, kind: Literal["browser", "user", "key"], name: str, fingerprint: str = "") -> str:
        """The value of a cookie."""
        one = secrets.token_urlsafe(6)  # two logins in one second are two sessions: leaving one leaves the other
        return str(self._signer.dumps([kind, name, fingerprint, one]))

    def open(self, cookie: str | None) -> Session | None:
        """What a cookie says; None if there is none, or it is forged or too old."""
        from itsdangerous import BadData

        if not cookie or len(cookie) > 1000:
            return None
        try:
            payload, at = self._signer.loads(cookie, return_timestamp=True)
        except BadData:
            return None
        from datetime import UTC, datetime

        age_s = (datetime.now(UTC) - at).total_seconds()
        kind, name, fingerprint = payload[:3]
        return Session(kind, name, fingerprint, age_s) if age_s <= self._longest_s[kind] else None

    def pseudonym(self, name: str) -> str:
        """What the record of events calls a person of this name: always the same; no way back without the secret."""
        return "user-" + hmac.new(self._secret, name.encode(), sha256).hexdigest()[:20]


def new_browser() -> str:
    """An id that nobody guesses."""
    return f"browser-{secrets.token_hex(16)}"


def server_secret(data_dir: Path) -> str:
    """The secret of the data folder, made at the first call. Raises SettingsError if it cannot be kept."""
    path = data_dir / FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        made: Any = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(f"The data folder {data_dir} cannot be written ({error.strerror}).") from None
    else:
        with os.fdopen(made, "w") as file:
            file.write(secrets.token_hex(32))
    for _ in range(50):  # another process may be between creating and writing it
        if len(secret := path.read_text().strip()) >= 64:
            return secret
        sleep(0.02)
    raise SettingsError(f"{path} is damaged: delete it. Everybody will have to log in again.")
