"""Taking what people said out of the policies that were learned from it, when it is deleted from the record."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rag.policy.store import PolicyStore

WHY = "what somebody had said was deleted, and what was learned from it with it"


def strike(store: PolicyStore, said: Collection[str]) -> None:
    """Strike every need that holds one of these texts out of all policies; the next learning makes good what it can.

    The policy in force is replaced by one without them, a trial of one that held them ends, and the files are deleted.
    Raises PolicyError.
    """
    gone = {_plain(text) for text in said} - {""}
    for version in store.versions() if gone else ():
        record = store.load(version)
        memory = record.get("memory", {})
        needs = memory.get("items", [])
        kept = [need for need in needs if not _texts(need) & gone]
        if len(kept) == len(needs):
            continue
        trial = store.trial()
        if trial is not None and trial.version == version:
            store.end_trial(WHY)
        if store.active_version() == version:
            store.promote(store.save({**record, "memory": {**memory, "items": kept}}), WHY)
        store.delete(version)


def _texts(need: Mapping[str, Any]) -> set[str]:
    """All that a need has in people's words."""
    return {_plain(text) for text in (*need.get("texts", ()), need.get("rewrite"), need.get("example")) if text}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
