"""What to do about a store that cannot be read or written, from what the system says about it."""

from __future__ import annotations

FULL = ("full", "no space left", "os error 28", "errno 28", "file too large")
LOCKED_OUT = ("readonly", "read-only", "permission denied", "os error 13", "os error 30", "unable to open")


def advice(reason: str) -> str:
    """The sentence that follows the reason in a message to the user."""
    said = reason.casefold()
    if any(sign in said for sign in FULL):
        return "Make room on its disk, then try again. What is there can be asked about meanwhile."
    if any(sign in said for sign in LOCKED_OUT):
        return "Make its folder writable for the user that Readback runs as, then try again."
    return "Try again in a minute."
