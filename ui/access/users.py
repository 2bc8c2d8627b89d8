"""People who may log in: names, ids and argon2 hashes in one small file, which may change while the server runs.

An id is given once and never again, so whoever gets the name of somebody who has left does not get their conversations.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from dataclasses import asdict, dataclass
from dataclasses import replace as replaced
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag.errors import ReadbackError, SettingsError

if TYPE_CHECKING:
    from argon2 import PasswordHasher
    from filelock import BaseFileLock

    from rag.settings import Settings

SHORTEST, LONGEST = 10, 1000  # characters of a password; the longer ones only cost time
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}")


class UserError(ReadbackError):
    """A user cannot be added, changed or removed: says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """One user."""

    hash: str  # of the password
    id: str | None  # what the record of events knows; None: made before there were ids, and known by the name
    operator: bool = False  # may run this Readback from the page


class Users:
    """The users file. Safe for many threads and processes; changes count at once."""

    def __init__(self, path: Path) -> None:
        """path: need not exist; nobody can log in then."""
        self._path = path
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int], dict[str, Account]] | None = None  # (mtime, size) of the file, what it says

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The file that the settings name."""
        return cls(settings.users_file or settings.data_dir / "users.json")

    def names(self) -> list[str]:
        """All users, sorted. Raises SettingsError if the file is damaged: never an open door for lack of a list."""
        return sorted(self._accounts())

    def id(self, name: str) -> str | None:
        """The id of a user; None for an unknown one, and for one whom the record knows by the name."""
        account = self._accounts().get(name)
        return None if account is None else account.id

    def operator(self, name: str) -> bool:
        """Whether this user may run Readback from the page."""
        account = self._accounts().get(name)
        return account is not None and account.operator

    def fingerprint(self, name: str) -> str | None:
        """Changes with the password, so that old sessions end; None for an unknown user."""
        stored = self._accounts().get(name)
        return None if stored is None else sha256(f"{stored.id or ''}{stored.hash}".encode()).hexdigest()[:16]

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the user's password. An unknown name takes as long as a wrong password."""
        import argon2

        stored = self._accounts().get(name)
        if len(password) > LONGEST:
            return False
        try:
            _hasher().verify(_decoy() if stored is None else stored.hash, password.encode("utf-8", "surrogatepass"))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return stored is not None

    def add(self, name: str, password: str, *, replace: bool = False, operator: bool = False) -> None:
        """Add a user, or with replace give a known one a new password. An operator stays one. Raises UserError."""
        if not NAME.fullmatch(name):
            raise UserError("A name has 1 to 40 letters, digits and . _ @ -, and begins with a letter or digit.")
        if not SHORTEST <= len(password) <= LONGEST:
            raise UserError(f"A password has {SHORTEST} to {LONGEST} characters.")
        stored = _hasher().hash(password.encode("utf-8", "surrogatepass"))  # slow on purpose: before the lock
        with self._lock, self._between_processes():
            known = self._accounts_now()
            if (name in known) != replace:
                raise UserError(f"There is no user {name}." if replace else f"There is a user {name} already.")
            before = known[name] if replace else Account("", f"user-{secrets.token_hex(10)}", operator)
            self._write({**known, name: replaced(before, hash=stored)})

    def mark(self, name: str, *, operator: bool) -> None:
        """Make a known user an operator, or no longer. Raises UserError."""
        with self._lock, self._between_processes():
            known = self._accounts_now()
            if name not in known:
                raise UserError(f"There is no user {name}.")
            self._write({**known, name: replaced(known[name], operator=operator)})

    def remove(self, name: str) -> None:
        """Remove a user; what was recorded of them stays (``readback events forget`` deletes it). Raises UserError."""
        with self._lock, self._between_processes():
            known = dict(self._accounts_now())
            if known.pop(name, None) is None:
                raise UserError(f"There is no user {name}.")
            self._write(known)

    def _accounts(self) -> dict[str, Account]:
        with self._lock:
            return self._accounts_now()

    def _accounts_now(self) -> dict[str, Account]:
        try:
            stat = self._path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            if self._read is None or self._read[0] != state:
                held = json.loads(self._path.read_text("utf-8"))
                self._read = state, {name: _account(value) for name, value in held.items()}
            return self._read[1]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise SettingsError(f"The users file {self._path} cannot be read ({type(error).__name__}).") from None

    def _between_processes(self) -> BaseFileLock:
        from filelock import FileLock

        self._path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._path.with_suffix(".lock"), timeout=10)

    def _write(self, accounts: dict[str, Account]) -> None:
        kept = {name: asdict(one) if one.id or one.operator else one.hash for name, one in accounts.items()}
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        self._read = None


def _account(kept: object) -> Account:
    """Raises ValueError for what is neither an account nor, from before there were ids, a hash alone."""
    if isinstance(kept, str):
        return Account(kept, None)
    if isinstance(kept, dict) and isinstance(kept.get("hash"), str) and isinstance(kept.get("id"), str | None):
        return Account(kept["hash"], kept.get("id"), kept.get("operator") is True)
    raise ValueError("it is not a table of names and accounts")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()  # the library's defaults follow RFC 9106


@cache
def _decoy() -> str:
    return _hasher().hash(os.urandom(16))
