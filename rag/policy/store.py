"""The policies of an installation: files named by their version, a pointer to the one in force, and a ledger.

A policy file is written once and never changed. The pointer is replaced as a whole, so a reader sees the old or the
new version and nothing else, whatever is killed when. Every change of the pointer is one line of the ledger. A second
pointer names the policy on trial, if there is one: what changes the first ends the trial.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Trial:
    """A policy that is looked at beside the one in force."""

    version: str
    share: float  # of the people whom it answers, in [0, 1); 0: nobody, its rankings are only compared (a shadow)
    since: str  # ISO time, UTC

    def answers(self, asker: str) -> bool:
        """Whether it answers this person: the same people every time, other ones for another version."""
        return int(sha256(f"{self.version} {asker}".encode()).hexdigest()[:8], 16) < self.share * 16**8


class PolicyStore:
    """Policies in a folder. Safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        """folder: made when the first policy is saved."""
        self._folder = folder
        self._ledger = folder / "ledger.jsonl"
        self._pointer, self._on_trial = _Watched(folder / "active"), _Watched(folder / "trial")

    def active_version(self) -> str | None:
        """The version in force, None for the shipped policy. Costs one look at the pointer's file times."""
        said = self._pointer.read().strip() or SHIPPED
        return None if said == SHIPPED else said

    def trial(self) -> Trial | None:
        """The trial that is going on. Costs as little as ``active_version``."""
        said = self._on_trial.read()
        try:
            return Trial(**json.loads(said)) if said else None
        except (ValueError, TypeError) as error:
            raise PolicyError(f"{self._on_trial.file} cannot be read: {error}. Delete it to end the trial.") from error

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

    def delete(self, version: str) -> None:
        """Delete a policy that is not in force. A rollback to it will say that there is none."""
        self._file(version).unlink(missing_ok=True)

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

    def try_out(self, version: str, share: float, why: str) -> None:
        """Begin a trial; one that is going on ends. share: see Trial. Raises PolicyError."""
        with self._changing():
            self.load(version)
            trial = Trial(version, share, _now())
            self.note("on trial" if share else "shadow", version=version, share=share, why=why)
            _replace(self._on_trial.file, json.dumps(asdict(trial)))

    def end_trial(self, why: str) -> None:
        """Let the policy in force answer everybody again. Raises PolicyError if there is no trial."""
        with self._changing():
            trial = self.trial()
            if trial is None:
                raise PolicyError("No policy is on trial.")
            self._on_trial.file.unlink(missing_ok=True)
            self.note("trial ended", version=trial.version, why=why)

    def compared(self, trial: Trial, answer_id: str, *, same: bool) -> None:
        """Remember whether a shadow's first papers were those of the answer that was given."""
        _append(self._shadow(trial), {"answer": answer_id, "same": same})

    def comparisons(self, trial: Trial) -> tuple[int, int]:
        """How many answers a shadow was compared with, and how many of them had other first papers."""
        lines = _lines(self._shadow(trial))
        return len(lines), sum(line.get("same") is False for line in lines)

    def note(self, event: str, **facts: Any) -> None:
        """Add a line to the ledger."""
        self._folder.mkdir(parents=True, exist_ok=True)
        _append(self._ledger, {"at": _now(), "event": event, **facts})

    def ledger(self) -> list[dict[str, Any]]:
        """What happened, oldest first. A last line that was cut off by a crash is left out."""
        return [line for line in _lines(self._ledger) if "event" in line]

    def _set(self, version: str | None, event: str, why: str, **facts: Any) -> None:
        previous = self.active_version()
        self.note(event, version=version, previous=previous, why=why, **facts)
        _replace(self._pointer.file, version or SHIPPED)
        self._on_trial.file.unlink(missing_ok=True)

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

    def _file(self, version: str) -> Path:
        return self._folder / f"{version}.json"

    def _shadow(self, trial: Trial) -> Path:
        return self._folder / f"shadow-{trial.version}-{trial.since[:10]}.jsonl"


class _Watched:
    """A small file that other processes replace: read again only when its times have changed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int] | None, str] = (None, "")  # the stamp, what it said then

    def read(self) -> str:
        """What it says; empty if there is none. Raises PolicyError."""
        stamp = self._stamp()
        with self._lock:
            if stamp == self._seen[0]:
                return self._seen[1]
        try:
            said = self.file.read_text(encoding="ascii") if stamp else ""
        except FileNotFoundError:  # taken away since it was looked at
            stamp, said = None, ""
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"{self.file} cannot be read: {error}") from error
        with self._lock:
            self._seen = (stamp, said)
        return said

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self.file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PolicyError(f"{self.file} cannot be read: {error}") from error
        return status.st_mtime_ns, status.st_ino, status.st_size


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _append(file: Path, record: Mapping[str, Any]) -> None:
    """Add one line, on disk when this returns."""
    with file.open("a+b") as out:
        if out.tell() and (out.seek(-1, os.SEEK_END), out.read(1))[1] != b"\n":
            out.write(b"\n")  # after a line that a crash cut off
        out.write(json.dumps(record).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _lines(file: Path) -> list[dict[str, Any]]:
    """The lines of such a file. One that was cut off by a crash is left out."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PolicyError(f"{file} cannot be read: {error}") from error
    found = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


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
