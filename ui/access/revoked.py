"""Cookies that people have logged out of: a signature alone would keep them good until they are too old."""

from __future__ import annotations

import json
import os
import threading
from hashlib import sha256
from pathlib import Path
from time import time

from rag.errors import SettingsError

FILE = "revoked.json"  # in the data folder: all servers over it refuse the same cookies


class Revoked:
    """The file of revoked cookies, by their digests. Safe for many threads and processes; changes count at once."""

    def __init__(self, data_dir: Path) -> None:
        """data_dir: the file is made in it when the first person logs out."""
        self._path = data_dir / FILE
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int], dict[str, float]] | None = None  # (mtime, size) of the file, what it says

    def __contains__(self, cookie: str) -> bool:
        """Whether somebody has logged out of this session. Raises SettingsError if the file is damaged."""
        with self._lock:
            return digest_of(cookie) in self._now()

    def add(self, cookie: str, good_for_s: float) -> None:
        """End a session for good. good_for_s: how long its cookie would be accepted otherwise."""
        from filelock import FileLock

        with self._lock, FileLock(self._path.with_suffix(".lock"), timeout=10):
            now = time()
            held = {digest: until for digest, until in self._now().items() if until > now}
            draft = self._path.with_suffix(".new")
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                json.dump({**held, digest_of(cookie): now + good_for_s}, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            self._read = None

    def _now(self) -> dict[str, float]:
        try:
            stat = self._path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            if self._read is None or self._read[0] != state:
                self._read = state, {str(digest): float(until) for digest, until in self._parsed().items()}
            return self._read[1]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{self._path} cannot be read ({type(error).__name__}). Delete it together with server.key: "
                "everybody will have to log in again."
            ) from None

    def _parsed(self) -> dict[str, float]:
        held: dict[str, float] = json.loads(self._path.read_text("ascii"))
        return held


def digest_of(cookie: str) -> str:
    """What is kept of a cookie: it cannot be made from this."""
    return sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()[:32]
