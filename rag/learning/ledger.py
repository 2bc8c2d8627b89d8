"""The ledger read back: what happened to policies, in plain words, and whether learning is paused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.policy.memory import Memory
from rag.policy.store import PolicyStore

PAUSED, RESUMED, PROPOSED, REFUSED = "paused", "resumed", "proposed", "refused"


@dataclass(frozen=True, slots=True)
class Change:
    """How one need differs between two memories."""

    id: str
    text: str
    what: str  # "new", "gone" or "changed"
    why: str


def paused(store: PolicyStore) -> str | None:
    """Why learning is paused, None if it is not."""
    for line in reversed(store.ledger()):
        if line["event"] == RESUMED:
            return None
        if line["event"] == PAUSED:
            return str(line.get("why", ""))
    return None


def candidate(store: PolicyStore) -> Mapping[str, Any] | None:
    """The last candidate with what the gate found, None once it, or a later one, was put in force."""
    for line in store.ledger()[::-1]:
        if line["event"] in (PROPOSED, REFUSED):
            return line
        if line["event"] == "promoted":
            return None
    return None


def differences(before: Memory, after: Memory) -> list[Change]:
    """Need by need; unchanged ones are left out."""
    old, new = ({need.id: need for need in memory.items} for memory in (before, after))
    found = []
    for name in dict.fromkeys((*old, *new)):
        need = new.get(name) or old[name]
        if name not in old:
            found.append(Change(name, need.texts[0], "new", need.why))
        elif name not in new:
            found.append(Change(name, need.texts[0], "gone", need.why))
        elif old[name] != new[name]:
            found.append(Change(name, need.texts[0], "changed", f"{old[name].why} → {new[name].why}"))
    return found


def influence(trace: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """What learned needs did to one answer, in sentences; empty if they had no say. titles: of papers, by id."""
    used = trace.get("stages", {}).get("recall", {}).get("used", ())
    moved = {paper: scores["learned"] for paper, scores in trace.get("papers", {}).items() if scores.get("learned")}
    return [
        *(
            f"Learned from {one['why']}; what they did from {one['since']} to {one['until']}; "
            f"the same need with a probability of {one['weight']:.0%} (need {one['id']})."
            for one in used
        ),
        *(
            f"“{titles.get(paper, paper)}” {'gained' if change > 0 else 'lost'} {abs(change):.2f} of its score by it."
            for paper, change in sorted(moved.items(), key=lambda one: -abs(one[1]))
        ),
    ]


def told(line: Mapping[str, Any]) -> str:
    """One line of the ledger for people."""
    version = line.get("version")
    shown = "the shipped policy" if "version" in line and version is None else version or ""
    return " ".join(
        part for part in (str(line.get("at", "")), str(line["event"]), shown, str(line.get("why", ""))) if part
    )
