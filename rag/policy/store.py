"""The policies of an installation: files named by their version, a pointer to the one in force, and a ledger.

A policy file is written once and never changed. The pointer is replaced as a whole, so a reader sees the old or the
new version and nothing else, whatever is killed when. Every change of the pointer is one line of the ledger.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import ReadbackError

SHIPPED = "shipped"  # what the pointer says while the policy that came with Readback is in force
LOCK_S = 10.0  # longest wait for another process that changes the pointer


class PolicyError(ReadbackError):
    """A policy cannot be read, does not exist, or cannot be put in force."""


def version_of(record: Mapping[str, Any]) -> str:
    """The version of a policy: the first 12 hexadecimal digits of the SHA-256 of its canonical JSON."""
    return sha256(canonical(record).encode()).hexdigest()[:12]


def canonical(record: Mapping[str, Any]) -> str:
    """The one way to write this policy as JSON: sorted keys, no spaces."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class PolicyStore:
    """Policies in a folder. Safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        """folder: made when the first policy is saved."""
        self._folder = folder
        self._pointer, self._ledger = folder / "active", folder / "ledger.jsonl"
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int] | None, str | None] = (None, None)  # the pointer's stamp, what it says

    def active_version(self) -> str | None:
        """The version in force, None for the shipped policy. Costs one look at the pointer's file times."""
        stamp = self._stamp()
        with self._lock:
            seen, version = self._seen
            if stamp == seen:
                return version
        try:
            said = self._pointer.read_text(encoding="ascii").strip() if stamp else SHIPPED
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"{self._pointer} cannot be read: {error}") from error
        version = None if said == SHIPPED else said
        with self._lock:
            self._seen = (stamp, version)
        return version

    def active(self) -> dict[str, Any] | None:
        """The policy in force as JSON, None for the shipped one. Raises PolicyError if it is damaged or missing."""
        version = self.active_version()
        return None if version is None else self.load(version)

    def load(self, version: str) -> dict[str, Any]:
        """One policy as JSON. Raises PolicyError if there is none of this version, or it was changed on disk."""
        if version not in self.versions():
            raise PolicyError(f"There is no policy {version}: readback policy list shows those there are.")
        file = self._file(version)
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PolicyError(f"{file} cannot be read: {error}") from error
        if not isinstance(record, dict) or version_of(record) != version:
            raise PolicyError(f"{file} does not hold the policy that it is named after. Roll back to another one.")
        return record

    def versions(self) -> list[str]:
        """All versions kept, the newest first."""
        files = self._folder.glob("[0-9a-f]" * 12 + ".json")
        return [file.stem for file in sorted(files, key=lambda file: (-file.stat().st_mtime_ns, file.stem))]

    def save(self, record: Mapping[str, Any]) -> str:
        """Keep a policy, without putting it in force; returns its version. Saving it again changes nothing."""
        version = version_of(record)
        if not self._file(version).exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(self._file(version), canonical(record))
        return version

    def promote(self, version: str | None, why: str, **facts: Any) -> None:
        """Put a version in force; running servers follow at their next question. None: the shipped policy.

        why: a sentence for the ledger; facts: what else it should hold. Raises PolicyError.
        """
        with self._changing():
            if version is not None:
                self.load(version)
            self._set(version, "promoted", why, **facts)

    def rollback(self, why: str = "by hand") -> str | None:
        """Put in force what was before the last promotion of the active version; returns the version now in force.

        Raises PolicyError if the shipped policy is in force already.
        """
        with self._changing():
            active = self.active_version()
            if active is None:
                raise PolicyError("The policy that came with Readback is in force: there is nothing to roll back.")
            made = [line for line in self.ledger() if line["event"] == "promoted" and line["version"] == active]
            before = made[-1]["previous"] if made else None
            if before is not None:
                self.load(before)
            self._set(before, "rolled back", why)
            return before

    def note(self, event: str, **facts: Any) -> None:
        """Add a line to the ledger."""
        self._folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **facts})
        with self._ledger.open("a+b") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")  # after a line that a crash cut off
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def ledger(self) -> list[dict[str, Any]]:
        """What happened, oldest first. A last line that was cut off by a crash is left out."""
        try:
            lines = self._ledger.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise PolicyError(f"{self._ledger} cannot be read: {error}") from error
        found = []
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and "event" in record:
                found.append(record)
        return found

    def _set(self, version: str | None, event: str, why: str, **facts: Any) -> None:
        previous = self.active_version()
        self.note(event, version=version, previous=previous, why=why, **facts)
        _replace(self._pointer, version or SHIPPED)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Nobody else changes the pointer meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / "lock")
        try:
            lock.acquire(timeout=LOCK_S)
        except Timeout as error:
            raise PolicyError("Another process is changing the policy in force. Try again in a moment.") from error
        try:
            yield
        finally:
            lock.release()

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._pointer.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PolicyError(f"{self._pointer} cannot be read: {error}") from error
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _file(self, version: str) -> Path:
        return self._folder / f"{version}.json"


def _replace(file: Path, text: str) -> None:
    """Write the file as a whole or not at all, also if the machine stops."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode())
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
