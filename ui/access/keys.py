"""API keys from the environment: whose they are, compared without telling by time how much of one was right."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256

from pydantic import SecretStr

from rag.errors import SettingsError

SHORTEST = 16
_NAMED = re.compile(r"([A-Za-z0-9._-]{1,40}):(.*)")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. Only its digest is kept, so it cannot be shown by accident."""

    name: str  # whose data it opens; a user of the same name is the same person
    digest: bytes = field(repr=False)


def parse_keys(setting: SecretStr | None) -> tuple[ApiKey, ...]:
    """Keys from "name:key,name:key" or plain keys. Raises SettingsError, naming no key, for one that is unfit."""
    found: list[ApiKey] = []
    for number, item in enumerate(_items(setting), start=1):
        named = _NAMED.fullmatch(item)
        key = named[2] if named else item
        if len(key) < SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
            raise SettingsError(
                f"READBACK_API_KEYS: key {number} is not {SHORTEST} or more ASCII characters without spaces. "
                'Make one: python -c "import secrets; print(secrets.token_urlsafe())"'
            )
        digest = sha256(key.encode()).digest()
        found.append(ApiKey(named[1] if named else f"key-{digest.hex()[:8]}", digest))
    return tuple(found)


def match_key(keys: tuple[ApiKey, ...], given: str) -> ApiKey | None:
    """The key that was given, or None. Digests of equal length are compared, all of them, every time."""
    digest = sha256(given.encode("utf-8", "surrogatepass")).digest()
    matching = [key for key in keys if hmac.compare_digest(key.digest, digest)]
    return matching[0] if matching else None


def _items(setting: SecretStr | None) -> list[str]:
    return [item.strip() for item in setting.get_secret_value().split(",") if item.strip()] if setting else []
